namespace Brink.Evaluation.Results;

/// <summary>What a run computed, all of it or, after a cancellation, what was finished by then.</summary>
/// <param name="ranges">The finished ranges, in data-set order. Owned by this result.</param>
/// <param name="requested">How many images the run was to attack.</param>
/// <param name="failure">What ended the run early, if anything but a cancellation did.</param>
public sealed class EvaluationResult(IReadOnlyList<EvaluatedRange> ranges, int requested, Exception? failure = null) : IDisposable
{
    /// <summary>The finished ranges, in data-set order.</summary>
    public IReadOnlyList<EvaluatedRange> Ranges { get; } = ranges;

    /// <summary>The finished images, in data-set order.</summary>
    public IReadOnlyList<EvaluatedImage> Images { get; } = [.. ranges.SelectMany(range => range.Images)];

    /// <summary>Whether every image was finished; false after a cancellation.</summary>
    public bool IsComplete => Images.Count == Requested;

    /// <summary>What ended the run early; null where nothing did, or a cancellation.</summary>
    public Exception? Failure { get; } = failure;

    /// <summary>How many images the run was to attack.</summary>
    public int Requested { get; } = requested;

    /// <summary>How long the attack took on the finished ranges, in seconds, whenever that was; reading and writing of files not included.</summary>
    public double Seconds { get; } = ranges.Sum(range => range.Seconds);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var range in Ranges)
        {
            range.Dispose();
        }
    }
}
