namespace Brink.Evaluation.Runs;

/// <summary>How far a run is.</summary>
/// <param name="Images">The images to do.</param>
/// <param name="Finished">The images done, those of finished ranges and those that have left the range in hand.</param>
/// <param name="Fooled">The images fooled in finished ranges.</param>
/// <param name="MeanRelative">Their mean relative perturbation so far; NaN before the first.</param>
public readonly record struct EvaluationProgress(int Images, int Finished, int Fooled, double MeanRelative)
{
    /// <summary>The images of finished ranges, which <see cref="Fooled"/> and <see cref="MeanRelative"/> are of.</summary>
    public int Evaluated { get; init; }

    /// <summary>The images of ranges that were finished before this start, and took none of its time.</summary>
    public int Kept { get; init; }
}
