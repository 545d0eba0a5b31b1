using System.Globalization;
using System.Text;
using System.Text.Json;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;

namespace Brink.Cli.Reproduce;

/// <summary>Figure 4 with one's own times: what <c>figure4.json</c> holds, property by property.</summary>
internal sealed record ReproducedFigure4
{
    private const string Nothing = "–";

    /// <summary>The networks that were timed.</summary>
    public required IReadOnlyList<TimedNetwork> Networks { get; init; }

    /// <summary>Images given to each.</summary>
    public required int Images { get; init; }

    /// <summary>How many steps the time of one is the mean of.</summary>
    public required int Steps { get; init; }

    /// <summary>How many threads torch computed with.</summary>
    public required int Threads { get; init; }

    /// <summary>Where it computed.</summary>
    public required string Device { get; init; }

    /// <summary>The version of Brink.</summary>
    public string BrinkVersion { get; init; } = AttackSummary.Version;

    /// <summary>What was measured, and what was not.</summary>
    public IReadOnlyList<string> Remarks =>
    [
        .. Networks.Count < Figure4.Networks.Count ? (string[])[FormattableString.Invariant($"Only {Networks.Count} of {Figure4.Networks.Count} networks were timed.")] : [],
        FormattableString.Invariant($"Measured: seconds an image of a whole TR attack (best class, L2, preset paper, its choice among ten classes included), and of {Steps} steps each of TR and CW, divided by {Steps}. Images: {Images}, together in a batch; {Threads} {(Threads == 1 ? "thread" : "threads")}, {Device}."),
        "A step of either is one forward and one backward pass; labels are the network's own predictions. With random weights the time of a step is that of trained ones, but the number of steps of the whole attack is not.",
        "Not measured: a whole CW attack. The last column says how many of its steps take as long as the whole TR attack: CW is slower by as many times as it makes more steps. The paper's times are of whole attacks on one GPU, and it does not give the steps of its CW.",
    ];

    /// <summary>As JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ResultFolder.JsonOptions);

    /// <summary>As Markdown.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder("## figure4: time of the attacks on ImageNet's networks\n\n");
        MarkdownTable.Append(text,
        [
            ["network", "paper, an image", "weights", "TR attack, s", "its steps", "fooled", "a TR step, s", "a CW step, s", "TR attack in CW steps"],
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
