using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The outcome of an attack on a batch, in the order of its images.</summary>
/// <param name="adversarial">The images, perturbed where the attack fooled them and as given elsewhere, [batch, …].</param>
/// <param name="outcomes">The outcome of each image.</param>
public sealed class AttackResult(Tensor adversarial, IReadOnlyList<Outcome> outcomes) : IDisposable
{
    /// <summary>The images, perturbed where the attack fooled them and as given elsewhere, [batch, …]. Owned by this result.</summary>
    public Tensor Adversarial { get; } = adversarial;

    /// <summary>The outcome of each image, in the order of the images.</summary>
    public IReadOnlyList<Outcome> Outcomes { get; } = outcomes;

    /// <summary>Frees the adversarial images.</summary>
    public void Dispose() => Adversarial.Dispose();
}
