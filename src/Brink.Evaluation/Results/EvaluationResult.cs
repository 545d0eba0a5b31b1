using Brink.Attacks;
using static TorchSharp.torch;

namespace Brink.Evaluation.Results;

/// <summary>The result of a run: the finished ranges of images. After a cancellation or a failure it holds the ranges that were finished before.</summary>
/// <param name="ranges">The finished ranges, in the order of the data set. The result owns them.</param>
/// <param name="requested">The number of images that were requested.</param>
/// <param name="failure">The exception that ended the run early, or null.</param>
public sealed class EvaluationResult(IReadOnlyList<EvaluatedRange> ranges, int requested, Exception? failure = null) : IDisposable
{
    /// <summary>The finished ranges, in the order of the data set.</summary>
    public IReadOnlyList<EvaluatedRange> Ranges { get; } = ranges;

    /// <summary>The finished images, in the order of the data set.</summary>
    public IReadOnlyList<EvaluatedImage> Images { get; } = [.. ranges.SelectMany(range => range.Images)];

    /// <summary>Indicates whether every requested image was finished.</summary>
    public bool IsComplete => Images.Count == Requested;

    /// <summary>The exception that ended the run early. It is null for a complete run and after a cancellation.</summary>
    public Exception? Failure { get; } = failure;

    /// <summary>The number of images that were requested.</summary>
    public int Requested { get; } = requested;

    /// <summary>The duration of the attack on the finished ranges in seconds, including ranges of earlier starts. Reading and writing files is not included.</summary>
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

/// <summary>A finished range of images, the unit in which a run is computed and stored.</summary>
/// <param name="Images">The result for each image, in the order of the data set.</param>
/// <param name="Original">The original images, float32 [range, channels, height, width], in the space of the attack.</param>
/// <param name="Adversarial">The adversarial images, of that shape; equal to the original for images that were not fooled.</param>
/// <param name="Seconds">The duration of the attack in seconds.</param>
public sealed record EvaluatedRange(IReadOnlyList<EvaluatedImage> Images, Tensor Original, Tensor Adversarial, double Seconds) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Original.Dispose();
        Adversarial.Dispose();
    }
}

/// <summary>The result for one image of a run.</summary>
/// <param name="Index">The index of the image in the data set.</param>
/// <param name="Outcome">The outcome of the attack.</param>
/// <param name="RelativeNormalized">The relative perturbation after the normalisation of the model, ‖(x′ − x)/std‖_p / ‖(x − mean)/std‖_p, in the norm of the attack.</param>
public sealed record EvaluatedImage(int Index, Outcome Outcome, double RelativeNormalized);
