using System.Globalization;
using System.Text;
using System.Text.Json;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using Brink.Reports.Figures;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace Brink.Cli.Reproduce;

/// <summary>Figure 4 of the paper: the time of the trust-region attack and of Carlini–Wagner on the ImageNet networks.</summary>
/// <remarks>The time of a step is that of one forward and one backward pass and does not depend on the weights, so random weights are sufficient. The number of steps of an attack does depend on the weights.</remarks>
internal static class Figure4
{
    /// <summary>The name on the command line.</summary>
    public const string Name = "figure4";

    /// <summary>2, the default number of images: enough to measure a time, and a matter of minutes on two processors.</summary>
    public const int DefaultImages = 2;

    /// <summary>5, the default number of timed steps: all steps take equally long.</summary>
    public const int DefaultSteps = 5;

    /// <summary>The networks, with the statement of the paper on their times, if any.</summary>
    public static IReadOnlyList<(PaperNetwork Network, string? Claim)> Networks { get; } =
        [.. ImageNetTables.Best.Networks.Select(network => (network, network.Model switch
        {
            "vgg16" => "CW takes up to 37 × as long",
            "resnet50" => "TR 1.02 s, CW 27.04 s",
            _ => null,
        }))];

    /// <summary>The whole attack, from the row <c>tr-paper</c> of Table 3. Its radius has no constants that depend on the data set.</summary>
    public static string WholeAttack { get; } = ImageNetTables.Best.Sections[0].Attacks.Single(attack => attack.Key == "tr-paper").Specification;

    /// <summary>Returns an attack that takes a given number of trust-region steps, without choosing a class. The radius is too short to fool the model earlier.</summary>
    /// <param name="steps">The number of steps.</param>
    public static string TrustRegionSteps(int steps) => string.Create(
        CultureInfo.InvariantCulture,
        $"tr[preset=paper,norm=l2,target=untargeted,candidates=9,objective=gap,max-iterations={steps},refine=0,whole-radius=true,overshoot=0,shortest-step=0,radius-unit=input,radius-start=0.00001,radius-smallest=0.00001,radius-largest=0.00001,radius-growth=1,radius-grow-above=0.9,radius-shrink-below=0.5]");

    /// <summary>Returns an attack that takes a given number of Carlini–Wagner steps, for one constant.</summary>
    /// <param name="steps">The number of steps.</param>
    public static string CarliniWagnerSteps(int steps) => string.Create(
        CultureInfo.InvariantCulture,
        $"cw[norm=l2,target=untargeted,candidates=9,kappa=0,learning-rate=0.01,binary-search-steps=1,max-iterations={steps},initial-constant=0.001,abort-early=false]");
}

/// <summary>Figure 4 with measured times. The properties are those of <c>figure4.json</c>.</summary>
internal sealed record ReproducedFigure4
{
    private const string Nothing = "–";

    /// <summary>The timed networks.</summary>
    public required IReadOnlyList<TimedNetwork> Networks { get; init; }

    /// <summary>The number of images.</summary>
    public required int Images { get; init; }

    /// <summary>The number of steps over which the time of a step is averaged.</summary>
    public required int Steps { get; init; }

    /// <summary>The number of threads of torch.</summary>
    public required int Threads { get; init; }

    /// <summary>The device, <c>cpu</c> or <c>cuda</c>.</summary>
    public required string Device { get; init; }

    /// <summary>The version of Brink.</summary>
    public string BrinkVersion { get; init; } = AttackSummary.Version;

    /// <summary>Remarks on the measured times and on the times that were not measured.</summary>
    public IReadOnlyList<string> Remarks =>
    [
        .. Networks.Count < Figure4.Networks.Count ? (string[])[FormattableString.Invariant($"Only {Networks.Count} of {Figure4.Networks.Count} networks were timed.")] : [],
        FormattableString.Invariant($"Measured in seconds per image: a whole TR attack (best class, L2, preset paper, including the choice among ten classes), and the mean of {Steps} steps of TR and of CW. Images: {Images}, in one batch; {Threads} {(Threads == 1 ? "thread" : "threads")}, {Device}."),
        "A step of either attack is one forward and one backward pass. The labels are the model's own predictions. With random weights the time of a step is the same as with trained weights, but the number of steps of the whole attack is not.",
        "Not measured: a whole CW attack. The last column is the number of CW steps that take as long as the whole TR attack; CW is slower by the factor by which it takes more steps. The paper's times are those of whole attacks on one GPU, and it does not state the number of its CW steps.",
    ];

    /// <summary>Returns the times as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ResultFolder.JsonOptions);

    /// <summary>Returns the times as a table in Markdown, followed by the remarks.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder("## figure4: time of the attacks on the ImageNet networks\n\n");
        MarkdownTable.Append(text,
        [
            ["network", "paper, per image", "weights", "TR attack, s", "its steps", "fooled", "a TR step, s", "a CW step, s", "TR attack in CW steps"],
            .. Networks.Select(network => (string[])
            [
                network.Network,
                network.Claim ?? Nothing,
                network.Weights,
                Text(network.AttackSeconds),
                Text(network.AttackSteps),
                FormattableString.Invariant($"{network.Fooled} of {network.Attacked}"),
                Text(network.TrustRegionStepSeconds),
                Text(network.CarliniWagnerStepSeconds),
                Text(network.AttackInCarliniWagnerSteps),
            ]),
        ]);
        return text.AppendJoin('\n', Remarks.Select(remark => $"- {remark}")).ToString();
    }

    private static string Text(double number) => double.IsFinite(number) ? number.ToString("0.###", CultureInfo.InvariantCulture) : Nothing;
}

/// <summary>The times of the attacks on one network, in seconds per image.</summary>
internal sealed record TimedNetwork
{
    /// <summary>The name of the network in the paper.</summary>
    public required string Network { get; init; }

    /// <summary>The statement of the paper on its times; null if there is none.</summary>
    public required string? Claim { get; init; }

    /// <summary>The file of the weights, or <c>random</c>.</summary>
    public required string Weights { get; init; }

    /// <summary>The number of attacked images.</summary>
    public required int Attacked { get; init; }

    /// <summary>The number of images fooled by the whole attack.</summary>
    public required int Fooled { get; init; }

    /// <summary>The time of the whole trust-region attack, including the choice of a class.</summary>
    public required double AttackSeconds { get; init; }

    /// <summary>The number of steps of the whole attack, mean over the attacked images.</summary>
    public required double AttackSteps { get; init; }

    /// <summary>The time of one trust-region step.</summary>
    public required double TrustRegionStepSeconds { get; init; }

    /// <summary>The time of one step of Carlini–Wagner.</summary>
    public required double CarliniWagnerStepSeconds { get; init; }

    /// <summary>The number of Carlini–Wagner steps that take as long as the whole trust-region attack.</summary>
    public double AttackInCarliniWagnerSteps => AttackSeconds / CarliniWagnerStepSeconds;
}

/// <summary>A bar chart of the times of a step of each attack, for each network of <see cref="ReproducedFigure4"/>.</summary>
internal sealed class StepTimes
{
    private const int Width = 720;
    private const int Height = 420;

    // The PNG has twice the resolution, for sharp text on screens with a high pixel density.
    private const int Scale = 2;

    private static readonly (string Name, string Color, Func<TimedNetwork, double> Seconds)[] Attacks =
    [
        ("a trust-region step", "#0072B2", network => network.TrustRegionStepSeconds),
        ("a step of Carlini–Wagner", "#D55E00", network => network.CarliniWagnerStepSeconds),
    ];

    private readonly IReadOnlyList<TimedNetwork> _networks;

    private StepTimes(IReadOnlyList<TimedNetwork> networks) => _networks = networks;

    /// <summary>Creates the chart; returns null if no network was timed.</summary>
    public static StepTimes? Of(ReproducedFigure4 times)
    {
        ArgumentNullException.ThrowIfNull(times);
        return times.Networks.Count == 0 ? null : new(times.Networks);
    }

    /// <summary>Draws the chart as PNG.</summary>
    public byte[] ToPng()
    {
        using var plot = Draw();
        plot.ScaleFactor = Scale;
        return plot.GetImage(Width * Scale, Height * Scale).GetImageBytes(ImageFormat.Png);
    }

    /// <summary>Draws the chart as SVG.</summary>
    public string ToSvg()
    {
        using var plot = Draw();
        return PortableSvg.File(plot, Width, Height);
    }

    private Plot Draw()
    {
        const double width = 0.36;
        FigureFont.Register();
        var plot = new Plot();
        for (var number = 0; number < Attacks.Length; number++)
        {
            var (name, color, seconds) = Attacks[number];
            var bars = plot.Add.Bars((List<Bar>)[.. _networks.Select((network, index) => new Bar
            {
                Position = index + ((number - 0.5) * width),
                Value = seconds(network),
                Size = width,
                FillColor = Color.FromHex(color),
                LineWidth = 0,
            })]);
            bars.LegendText = name;
        }

        plot.Axes.Bottom.TickGenerator = new NumericManual([.. _networks.Select((_, index) => (double)index)], [.. _networks.Select(network => network.Network)]);
        plot.Axes.Left.TickGenerator = new NumericAutomatic { LabelFormatter = value => value.ToString("0.######", CultureInfo.InvariantCulture) };
        plot.YLabel("seconds per image", 14);
        plot.Axes.Left.Label.Bold = false;
        plot.Axes.SetLimits(-0.6, _networks.Count - 0.4, 0, 1.1 * _networks.Max(network => Attacks.Max(attack => attack.Seconds(network))));
        plot.ShowLegend(Edge.Bottom);
        plot.Legend.OutlineWidth = 0;
        plot.Legend.ShadowColor = Colors.Transparent;
        plot.Legend.FontSize = 13;
        plot.Font.Set(FigureFont.Name);
        return plot;
    }
}
