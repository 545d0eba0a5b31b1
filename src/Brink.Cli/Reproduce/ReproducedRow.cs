using System.Text.Json.Serialization;

namespace Brink.Cli.Reproduce;

/// <summary>A cell of the paper beside what was measured for it.</summary>
internal sealed record ReproducedRow
{
    /// <summary><c>l2</c> or <c>linf</c>.</summary>
    public required string Norm { get; init; }

    /// <summary>The paper's network.</summary>
    public required string Network { get; init; }

    /// <summary>The attack, as <see cref="PaperAttack.Key"/> has it.</summary>
    public required string Key { get; init; }

    /// <summary>The attack's name for people.</summary>
    public required string Attack { get; init; }

    /// <summary>The attack with every option.</summary>
    public required string Specification { get; init; }

    /// <summary>The paper's cell; null where it has none.</summary>
    public required PaperFigures? Paper { get; init; }

    /// <summary>What was measured; null where nothing was.</summary>
    public required ReproducedFigures? Ours { get; init; }

    /// <summary>The paper's accuracies after 1, 2, … steps, in per cent; null where it has none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<decimal>? PaperAccuracies { get; init; }

    /// <summary>The accuracies that were measured, and what the steps cost; null where none were.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public StepFigures? OurSteps { get; init; }
}
