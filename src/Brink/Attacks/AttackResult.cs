using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The outcome of an attack on a batch, in the order of its images.</summary>
/// <param name="adversarial">The images, perturbed where the attack fooled them and as given elsewhere, [batch, …].</param>
/// <param name="images">One result an image.</param>
public sealed class AttackResult(Tensor adversarial, IReadOnlyList<ImageResult> images) : IDisposable
{
    /// <summary>The images, perturbed where the attack fooled them and as given elsewhere, [batch, …]. Owned by this result.</summary>
    public Tensor Adversarial { get; } = adversarial;

    /// <summary>One result an image.</summary>
    public IReadOnlyList<ImageResult> Images { get; } = images;

    /// <summary>Frees the adversarial images.</summary>
    public void Dispose() => Adversarial.Dispose();
}
