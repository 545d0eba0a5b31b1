using System.Xml.Linq;
using Brink.Evaluation.Results;
using Brink.Reports.Figures;

namespace Brink.Reports.Tests.Figures;

public sealed class OptimalityAgainstPassesTests
{
    [Fact]
    public void Every_attack_with_a_value_is_in_the_legend_and_axes_have_labels()
    {
        var svg = Svg([Attack("tr", 50, 0.98), Attack("pgd[epsilon=0.5]", 40, null)], [File("fab-100", "a/envelope.json", 1100, 0.97), File("ddn", "a/envelope.json", 10, null)]);
        var texts = Elements(svg, "text").Select(element => element.Value.Trim()).ToArray();
        Assert.All(["tr", "fab-100 (a/envelope.json)", "passes per image, forward and backward", "local optimality (LO)", "signs, L2: local optimality over 94 images"], text => Assert.Contains(text, texts, StringComparer.Ordinal));
        Assert.DoesNotContain(texts, text => text.StartsWith("pgd", StringComparison.Ordinal) || text.StartsWith("ddn", StringComparison.Ordinal));
    }

    [Fact]
    public void Passes_increase_to_the_right_by_equal_factors_and_the_optimality_upwards()
    {
        // The first attack has the only blue marker. The others keep the axes fixed.
        (double X, double Y) Point(double passes, double optimality)
        {
            var circle = Elements(Svg([Attack("tr", passes, optimality), Attack("a", 10, 0.5), Attack("b", 100_000, 1)], []), "ellipse").First(element => (string?)element.Attribute("fill") == "#0072B2");
            return ((double)circle.Attribute("cx")!, (double)circle.Attribute("cy")!);
        }

        var (at, more, most) = (Point(30, 0.6), Point(300, 0.6), Point(3000, 0.9));
        Assert.True(more.X > at.X);
        Assert.Equal(more.X - at.X, most.X - more.X, 0.01);
        Assert.Equal(at.Y, more.Y);
        Assert.True(most.Y < at.Y);
    }

    [Fact]
    public void An_attack_of_a_file_has_a_hollow_marker_and_the_end_of_a_long_path()
    {
        string[] Squares(ComparedAttack[] attacks, EnvelopeRow[] files) => [.. Elements(Svg(attacks, files), "rect").Where(element => (string?)element.Attribute("fill") == "#D55E00").Select(element => element.ToString())];
        Assert.Equal(2, Squares([Attack("tr", 50, 0.98), Attack("fab", 1100, 0.97)], []).Length);
        Assert.Empty(Squares([Attack("tr", 50, 0.98)], [File("fab", "a.json", 1100, 0.97)]));
        var label = Assert.Single(Elements(Svg([Attack("tr", 50, 0.98)], [File(new('x', 200), $"{new string('y', 200)}/envelope.json", 1100, 0.97)]), "text"), element => element.Value.Contains("xxx", StringComparison.Ordinal)).Value.Trim();
        Assert.InRange(label.Length, 60, 80);
        Assert.EndsWith("y/envelope.json)", label, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_numbers_give_the_same_files()
    {
        OptimalityAgainstPasses Figure() => OptimalityAgainstPasses.Of(Compared([Attack("tr", 50, 1)], []))!;
        Assert.Equal(Figure().ToSvg(), Figure().ToSvg());
        Assert.Equal(Figure().ToPng(), Figure().ToPng());
    }

    [Fact]
    public void Without_a_value_there_is_no_figure()
    {
        Assert.Null(OptimalityAgainstPasses.Of(Compared([Attack("tr", 50, null)], [File("fab", "a.json", 0, 1)])));
        Assert.Null(OptimalityAgainstPasses.Of(Compared([Attack("tr", 50, null)], []) with { Envelope = null }));
    }

    private static IEnumerable<XElement> Elements(XDocument svg, string name) => svg.Descendants().Where(element => element.Name.LocalName == name);

    private static XDocument Svg(ComparedAttack[] attacks, EnvelopeRow[] files) => XDocument.Parse(OptimalityAgainstPasses.Of(Compared(attacks, files))!.ToSvg());

    private static EnvelopeRow File(string attack, string file, double passes, double? optimality) => new(attack, file, 94, passes / 2, passes / 2, optimality);

    private static Comparison Compared(ComparedAttack[] attacks, EnvelopeRow[] files) => new()
    {
        Norm = "l2",
        Space = "pixel",
        Criterion = "misclassified",
        Model = "signs",
        Data = "signs",
        Images = 102,
        NotAttacked = 2,
        Attacked = 100,
        FooledByAll = 90,
        Envelope = new(94, 6, 0.5, files),
        Attacks = attacks,
        Seed = 0,
        BrinkVersion = AttackSummary.Version,
        Warnings = [],
    };

    private static ComparedAttack Attack(string name, double passes, double? optimality) => new()
    {
        Attack = name,
        Folder = name,
        Target = "best",
        Fooled = 100,
        BelowThreshold = false,
        RelativePerturbation = new(0.1, 0.1, 0.1),
        RelativePerturbationNormalized = new(0.1, 0.1, 0.1),
        LocalOptimality = optimality,
        ForwardsPerImage = passes / 2,
        BackwardsPerImage = passes / 2,
        Seconds = 1,
        SecondsPerImage = 0.01,
        SpeedUpOverCw = null,
        Options = new Dictionary<string, object>(StringComparer.Ordinal),
    };
}
