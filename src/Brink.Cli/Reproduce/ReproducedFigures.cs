using Brink.Evaluation.Results;

namespace Brink.Cli.Reproduce;

/// <summary>What was measured for a cell. Lengths are relative, in normalised space, in per cent.</summary>
internal sealed record ReproducedFigures
{
    /// <summary>The average as the authors take it: misclassified images counted as zero. To be held against the paper's. Images that were attacked and not fooled have no length, and are left out.</summary>
    public required double? Average { get; init; }

    /// <summary>The mean over the images fooled: what a perturbation takes.</summary>
    public required double? MeanOverFooled { get; init; }

    /// <summary>The largest.</summary>
    public required double? Worst { get; init; }

    /// <summary>Images of the run.</summary>
    public required int Images { get; init; }

    /// <summary>Images attacked: those the network gets right.</summary>
    public required int Attacked { get; init; }

    /// <summary>Images fooled.</summary>
    public required int Fooled { get; init; }

    /// <summary>Forward passes, mean over attacked images.</summary>
    public required double ForwardsPerImage { get; init; }

    /// <summary>Backward passes, mean over attacked images.</summary>
    public required double BackwardsPerImage { get; init; }

    /// <summary>How long an attacked image took, in seconds.</summary>
    public required double SecondsPerImage { get; init; }

    /// <summary>Reads the figures off a run.</summary>
    public static ReproducedFigures Of(AttackSummary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        const int percent = 100;
        var mean = summary.RelativePerturbation.Mean * percent;
        return new()
        {
            Average = mean * summary.Fooled / Math.Max(1, summary.Fooled + summary.Misclassified),
            MeanOverFooled = mean,
            Worst = summary.RelativePerturbation.Worst * percent,
            Images = summary.Images,
            Attacked = summary.Attacked,
            Fooled = summary.Fooled,
            ForwardsPerImage = summary.ForwardsPerImage,
            BackwardsPerImage = summary.BackwardsPerImage,
            SecondsPerImage = summary.SecondsPerImage,
        };
    }
}
