using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Brink;

/// <summary>A TorchSharp module (or a loaded TorchScript file) as a classifier, opened in the space of its own input.</summary>
/// <remarks>
/// The module stays the caller's: an attack puts it into evaluation mode and restores every part's mode afterwards, and leaves
/// parameters, buffers and gradients as they are. Wrap it in a <see cref="NormalizedClassifier"/> where it expects normalised images and pixels are wanted.
/// </remarks>
/// <param name="module">The network: images [batch, …] to logits [batch, classes].</param>
/// <param name="classCount">The number of classes, at least 2.</param>
/// <param name="bounds">The smallest and largest valid input values.</param>
/// <param name="name">What reports and errors call it; the module's own name by default.</param>
/// <param name="derivatives">Which derivatives of the logits there are; null to look: with a ReLU or one of its kind among the parts of the module the first alone, else at least the first.</param>
public sealed class ModuleClassifier(nn.Module<Tensor, Tensor> module, int classCount, Bounds bounds, string? name = null, Derivatives? derivatives = null) : IClassifier
{
    /// <inheritdoc/>
    public string Name { get; } = name ?? module.GetName();

    /// <inheritdoc/>
    public int ClassCount { get; } = classCount >= 2
        ? classCount
        : throw new BadInputException($"A classifier needs at least two classes, but was given {classCount}.");

    /// <inheritdoc/>
    public Bounds Bounds { get; } = bounds;

    /// <inheritdoc/>
    public Derivatives Derivatives { get; } = derivatives ?? (module.modules().Prepend(module).Any(IsPiecewiseLinear) ? Derivatives.First : Derivatives.AtLeastFirst);

    /// <inheritdoc/>
    public Tensor Logits(Tensor images)
    {
        ArgumentNullException.ThrowIfNull(images);
        Tensor logits;
        try
        {
            logits = module.call(images);
        }
        catch (Exception exception) when (exception is not (BadInputException or OperationCanceledException or OutOfMemoryException))
        {
            var cause = exception.Message.Split('\n')[0];
            if (cause.Contains("out of memory", StringComparison.OrdinalIgnoreCase) || cause.Contains("not enough memory", StringComparison.OrdinalIgnoreCase))
            {
                throw new BadInputException($"{Name} ran out of memory on {images.shape[0]} images at once; use a smaller batch.", exception);
            }

            throw new BadInputException($"{Name} threw on images of shape [{string.Join(", ", images.shape)}] ({cause}); check that the network takes images of this shape and type ({images.dtype}).", exception);
        }

        if (!logits.is_floating_point())
        {
            var type = logits.dtype;
            logits.Dispose();
            throw new BadInputException($"{Name} must give floating-point logits, but gave {type}; take argmax or rounding out of its forward pass.");
        }

        if (logits.dim() != 2 || logits.shape[0] != images.shape[0] || logits.shape[1] != ClassCount)
        {
            var shape = string.Join(", ", logits.shape);
            logits.Dispose();
            throw new BadInputException($"{Name} must give logits of shape [batch, classes] = [{images.shape[0]}, {ClassCount}], but gave [{shape}].");
        }

        return logits;
    }

    /// <inheritdoc/>
    public IDisposable EnterEvaluation() => new EvaluationMode(module);

    /// <summary>Whether a part bends only in kinks, where it has no derivative at all.</summary>
    private static bool IsPiecewiseLinear(nn.Module part) =>
        part is ReLU or ReLU6 or LeakyReLU or PReLU or RReLU or Hardtanh or Hardsigmoid or Threshold or Hardshrink or Softshrink;
}
