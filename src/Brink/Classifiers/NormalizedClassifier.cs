using static TorchSharp.torch;

namespace Brink;

/// <summary>A classifier for normalised images that is attacked in the space of pixels in [0, 1].</summary>
/// <param name="inner">The classifier of normalised images.</param>
/// <param name="normalization">The normalisation to apply to pixels.</param>
public sealed class NormalizedClassifier(IClassifier inner, Normalization normalization) : IClassifier
{
    /// <inheritdoc/>
    public string Name => inner.Name;

    /// <inheritdoc/>
    public int ClassCount => inner.ClassCount;

    /// <inheritdoc/>
    public Bounds Bounds => Bounds.Pixels;

    /// <inheritdoc/>
    public Derivatives Derivatives => inner.Derivatives;

    /// <inheritdoc/>
    public Tensor Logits(Tensor images)
    {
        ArgumentNullException.ThrowIfNull(images);
        var channels = normalization.Mean.Count;
        if (images.dim() != 4 || (images.shape[1] != channels && channels != 1))
        {
            throw new BadInputException($"The normalisation of {Name} needs images of shape [batch, {channels}, height, width], but these have shape [{string.Join(", ", images.shape)}].");
        }

        using var scope = NewDisposeScope();
        return inner.Logits(normalization.Apply(images)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public IDisposable EnterEvaluation() => inner.EnterEvaluation();
}
