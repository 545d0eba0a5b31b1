namespace Brink.Evaluation.Results;

/// <summary>One row of a comparison.</summary>
public sealed record ComparedAttack
{
    /// <summary>The attack with its options, as the list has it.</summary>
    public required string Attack { get; init; }

    /// <summary>The sub-folder of its files.</summary>
    public required string Folder { get; init; }

    /// <summary><c>best</c>, <c>hardest</c>, <c>any</c> or the number of a class.</summary>
    public required string Target { get; init; }

    /// <summary>Images fooled, confirmed in a fresh pass.</summary>
    public required int Fooled { get; init; }

    /// <summary>Whether it fooled fewer than <see cref="Comparison.Bar"/> of the attacked images: its other figures are then of an attack that gave up.</summary>
    public required bool BelowBar { get; init; }

    /// <summary>‖x′ − x‖_p / ‖x‖_p in the attack's space: mean and worst over the images that all attacks fooled; the median over all attacked images, those not fooled counted as infinite (null where it is infinite).</summary>
    public required Distribution RelativePerturbation { get; init; }

    /// <summary>The same, measured after the network's normalisation.</summary>
    public required Distribution RelativePerturbationNormalized { get; init; }

    /// <summary>Forward passes, mean over attacked images.</summary>
    public required double ForwardsPerImage { get; init; }

    /// <summary>Backward passes, mean over attacked images.</summary>
    public required double BackwardsPerImage { get; init; }

    /// <summary>How long the attack took.</summary>
    public required double Seconds { get; init; }

    /// <summary><see cref="Seconds"/> divided by the images attacked.</summary>
    public required double SecondsPerImage { get; init; }

    /// <summary>How many times as long the comparison's first Carlini–Wagner attack took; null where there is none.</summary>
    public required double? SpeedUpOverCw { get; init; }

    /// <summary>Every setting, by its name in kebab case.</summary>
    public required IReadOnlyDictionary<string, object> Options { get; init; }
}
