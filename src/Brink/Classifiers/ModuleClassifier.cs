using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Brink;

/// <summary>A classifier made of a TorchSharp module or a loaded TorchScript file, attacked in the space of the module's input.</summary>
/// <remarks>
/// The caller keeps ownership of the module. An attack switches it to evaluation mode and restores the mode of every submodule afterwards;
/// parameters, buffers and gradients are left unchanged. Use a <see cref="NormalizedClassifier"/> to attack a module that expects normalised
/// images in the space of pixels.
/// </remarks>
/// <param name="module">The network, which maps images of shape [batch, …] to logits of shape [batch, classes].</param>
/// <param name="classCount">The number of classes, at least 2.</param>
/// <param name="bounds">The smallest and largest valid input values.</param>
/// <param name="name">The name in reports and messages; the module's name by default.</param>
/// <param name="derivatives">The derivatives of the logits; null to derive them from the submodules: <see cref="Derivatives.First"/> if one is a ReLU or similar, otherwise <see cref="Derivatives.AtLeastFirst"/>.</param>
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
            if (MemoryShortage.Is(exception))
            {
                throw new BadInputException($"{Name} ran out of memory on {images.shape[0]} images at once; use a smaller batch.", exception);
            }

            throw new BadInputException($"{Name} threw on images of shape [{string.Join(", ", images.shape)}] ({cause}); check that the network accepts images of this shape and type ({images.dtype}).", exception);
        }

        if (!logits.is_floating_point())
        {
            var type = logits.dtype;
            logits.Dispose();
            throw new BadInputException($"{Name} must return floating-point logits, but returned {type}; remove argmax or rounding from its forward pass.");
        }

        if (logits.dim() != 2 || logits.shape[0] != images.shape[0] || logits.shape[1] != ClassCount)
        {
            var shape = string.Join(", ", logits.shape);
            logits.Dispose();
            throw new BadInputException($"{Name} must return logits of shape [batch, classes] = [{images.shape[0]}, {ClassCount}], but returned [{shape}].");
        }

        return logits;
    }

    /// <inheritdoc/>
    public IDisposable EnterEvaluation() => new EvaluationMode(module);

    /// <summary>Determines whether a submodule is a piecewise linear activation.</summary>
    private static bool IsPiecewiseLinear(nn.Module part) =>
        part is ReLU or ReLU6 or LeakyReLU or PReLU or RReLU or Hardtanh or Hardsigmoid or Threshold or Hardshrink or Softshrink;
}
