using System.Buffers.Binary;
using System.Globalization;
using System.Xml.Linq;
using Brink.Evaluation.Results;
using Brink.Reports.Figures;

namespace Brink.Reports.Tests.Figures;

public sealed class TimeAgainstPerturbationTests
{
    [Fact]
    [Trait("speed", "slow")]
    public void The_same_numbers_give_the_same_files()
    {
        var (first, second) = (Figure(), Figure());
        Assert.Equal(first.ToSvg(), second.ToSvg());
        Assert.Equal(first.ToPng(), second.ToPng());
    }

    [Theory]
    [Trait("speed", "slow")]
    [InlineData("de-DE")]
    [InlineData("fa-IR")]
    public void The_figure_does_not_depend_on_the_culture(string culture)
    {
        var (svg, png) = (Figure().ToSvg(), Figure().ToPng());
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(culture);
            Assert.Equal(svg, Figure().ToSvg());
            Assert.Equal(png, Figure().ToPng());
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Both_axes_have_a_label_with_a_unit()
    {
        var texts = Texts(Figure());
        Assert.Contains("time per image, in seconds", texts, StringComparer.Ordinal);
        Assert.Contains("relative L2 perturbation, in % (pixels)", texts, StringComparer.Ordinal);
        Assert.Contains("relative L∞ perturbation, in % (normalised input)", Texts(Figure(norm: "linf", space: "normalized")), StringComparer.Ordinal);
        Assert.Contains("signs, L2: mean over the 95 images that all attacks fooled", texts, StringComparer.Ordinal);
    }

    [Fact]
    [Trait("speed", "slow")]
    public void Every_text_has_the_embedded_font()
    {
        var fonts = XDocument.Parse(Figure().ToSvg()).Descendants().Where(element => element.Name.LocalName == "text").Select(element => (string?)element.Attribute("font-family")).ToArray();
        Assert.NotEmpty(fonts);
        Assert.All(fonts, font => Assert.Equal("DejaVu Sans, Verdana, sans-serif", font));
    }

    [Fact]
    public void An_attack_below_the_threshold_has_a_hollow_marker_and_its_count_in_the_legend()
    {
        var texts = Texts(Figure());
        Assert.Contains("tr", texts, StringComparer.Ordinal);
        Assert.Contains("deepfool[max-iterations=2] (fooled 95 of 100)", texts, StringComparer.Ordinal);
        // The second attack has square markers, one in the plot and one in the legend.
        string[] Squares(bool belowThreshold) => [.. XDocument.Parse(Figure(belowThreshold: belowThreshold).ToSvg()).Descendants()
            .Where(element => element.Name.LocalName == "rect" && (string?)element.Attribute("fill") == "#D55E00").Select(element => element.ToString())];
        Assert.Equal(2, Squares(belowThreshold: false).Length);
        Assert.Empty(Squares(belowThreshold: true));
    }

    [Fact]
    public void Time_increases_to_the_right_and_the_mean_upwards()
    {
        // The first attack has the only blue marker. The others keep the axes fixed.
        (double X, double Y) Point(double seconds, double mean)
        {
            var svg = XDocument.Parse(TimeAgainstPerturbation.Of(Compared([Attack("tr", seconds, mean), Attack("deepfool", 0.01, 0.02), Attack("cw", 1, 0.01)]))!.ToSvg());
            var circle = svg.Descendants().First(element => element.Name.LocalName == "ellipse" && (string?)element.Attribute("fill") == "#0072B2");
            return ((double)circle.Attribute("cx")!, (double)circle.Attribute("cy")!);
        }

        var at = Point(0.01, 0.005);
        var slower = Point(0.1, 0.005);
        var slowest = Point(1, 0.005);
        Assert.True(slower.X > at.X);
        Assert.Equal(slower.X - at.X, slowest.X - slower.X, 0.01); // decades are equally wide
        Assert.True(Point(0.01, 0.01).Y < at.Y);
    }

    [Fact]
    public void A_long_label_is_shortened_but_keeps_its_count()
    {
        var label = Assert.Single(Texts(TimeAgainstPerturbation.Of(Compared([Attack($"tr[{new string('x', 200)}]", 1, 0.01, belowThreshold: true)]))!), text => text.Contains("xxx", StringComparison.Ordinal));
        Assert.InRange(label.Length, 60, 80);
        Assert.EndsWith("x… (fooled 95 of 100)", label, StringComparison.Ordinal);
    }

    [Fact]
    public void The_height_grows_with_the_legend()
    {
        int Rows(int attacks) => BinaryPrimitives.ReadInt32BigEndian(TimeAgainstPerturbation.Of(Compared([.. Enumerable.Range(1, attacks).Select(number => Attack($"tr[radius={number}]", number, 0.01))]))!.ToPng().AsSpan(20, 4));
        Assert.True(Rows(9) > Rows(2));
    }

    [Fact]
    public void Without_images_fooled_by_all_attacks_there_is_no_figure() =>
        Assert.Null(TimeAgainstPerturbation.Of(Compared([Attack("tr", 1, null), Attack("deepfool", 1, null)])));

    private static IReadOnlyCollection<string> Texts(TimeAgainstPerturbation figure) =>
        [.. XDocument.Parse(figure.ToSvg()).Descendants().Where(element => element.Name.LocalName == "text").Select(element => element.Value.Trim())];

    private static TimeAgainstPerturbation Figure(string norm = "l2", string space = "pixel", bool belowThreshold = true) =>
        TimeAgainstPerturbation.Of(Compared([Attack("tr", 0.0215, 0.0066), Attack("deepfool[max-iterations=2]", 0.011, 0.008, belowThreshold), Attack("cw", 18.2, 0.0062)], norm, space))!;

    private static Comparison Compared(ComparedAttack[] attacks, string norm = "l2", string space = "pixel") => new()
    {
        Norm = norm,
        Space = space,
        Criterion = "misclassified",
        Model = "signs",
        Data = "signs",
        Images = 102,
        NotAttacked = 2,
        Attacked = 100,
        FooledByAll = 95,
        Attacks = attacks,
        Seed = 0,
        BrinkVersion = AttackSummary.Version,
        Warnings = [],
    };

    private static ComparedAttack Attack(string name, double secondsPerImage, double? mean, bool belowThreshold = false) => new()
    {
        Attack = name,
        Folder = name,
        Target = "best",
        Fooled = belowThreshold ? 95 : 100,
        BelowThreshold = belowThreshold,
        RelativePerturbation = new(mean, mean, mean),
        RelativePerturbationNormalized = new(mean, mean, mean),
        ForwardsPerImage = 10,
        BackwardsPerImage = 10,
        Seconds = 100 * secondsPerImage,
        SecondsPerImage = secondsPerImage,
        SpeedUpOverCw = null,
        Options = new Dictionary<string, object>(StringComparer.Ordinal),
    };
}
