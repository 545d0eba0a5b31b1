using static TorchSharp.torch;

namespace Brink.Evaluation.Results;

/// <summary>One finished range of images: the unit in which a run is computed and kept.</summary>
/// <param name="Images">One entry an image, in data-set order.</param>
/// <param name="Original">x, float32 [range, …], in the space of the attack.</param>
/// <param name="Adversarial">x′, the same shape; equal to x where the attack did not fool.</param>
/// <param name="Seconds">How long the attack took.</param>
public sealed record EvaluatedRange(IReadOnlyList<EvaluatedImage> Images, Tensor Original, Tensor Adversarial, double Seconds) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Original.Dispose();
        Adversarial.Dispose();
    }
}
