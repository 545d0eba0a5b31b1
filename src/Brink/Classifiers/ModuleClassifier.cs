using System.Runtime.CompilerServices;
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
            if (cause.Contains("out of memory", StringComparison.OrdinalIgnoreCase) || cause.Contains("not enough memory", StringComparison.OrdinalIgnoreCase))
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

/// <summary>Switches a module to evaluation mode until all objects that did so are disposed; the last one restores the mode of every submodule.</summary>
/// <remarks>Several threads may attack networks that share modules. Otherwise the first to finish would switch the network of the others to training mode.</remarks>
internal sealed class EvaluationMode : IDisposable
{
    private static readonly Lock Lock = new();
    private static readonly ConditionalWeakTable<nn.Module, Use> Uses = [];

    // The modules that no attack uses any more, but whose mode is not restored yet, because an attack uses one of their submodules.
    private static readonly List<nn.Module> Pending = [];

    private readonly nn.Module[] _modules;
    private bool _isDisposed;

    /// <summary>Switches a module to evaluation mode.</summary>
    /// <param name="module">The module.</param>
    public EvaluationMode(nn.Module module)
    {
        _modules = [.. Parts(module).Distinct()];
        lock (Lock)
        {
            var isUnused = false;
            foreach (var part in _modules)
            {
                isUnused |= Uses.GetOrCreateValue(part).Enter(part) == 1;
            }

            if (isUnused)
            {
                module.eval();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (Lock)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            foreach (var part in _modules)
            {
                if (--Uses.GetOrCreateValue(part).Count == 0)
                {
                    Pending.Add(part);
                }
            }

            foreach (var part in Pending.ToArray())
            {
                // Restoring a module also switches its submodules.
                if (Parts(part).All(child => !Uses.TryGetValue(child, out var use) || use.Count == 0))
                {
                    Restore(part);
                }
            }
        }
    }

    /// <summary>Returns a module and its submodules, parents before children. The modules inside a script are not listed: TorchSharp makes new objects for them at every call.</summary>
    private static IEnumerable<nn.Module> Parts(nn.Module module) =>
        module is jit.ScriptModule ? [module] : module.named_children().SelectMany(child => Parts(child.module)).Prepend(module);

    /// <summary>Restores the modes of a module and its submodules, also where they differed.</summary>
    private static void Restore(nn.Module module)
    {
        foreach (var part in Parts(module))
        {
            if (Uses.TryGetValue(part, out var use))
            {
                use.Restore(part);
                Pending.Remove(part);
            }
        }
    }

    /// <summary>The number of attacks that use a module, and its mode before the first of them.</summary>
    private sealed class Use
    {
        private bool _wasTraining;
        private bool _isSaved;

        // The modules inside a script with their modes.
        private (nn.Module Module, bool Training)[] _inside = [];

        public int Count { get; set; }

        /// <summary>Counts an attack, and saves the mode before the first.</summary>
        /// <returns>The number of attacks.</returns>
        public int Enter(nn.Module module)
        {
            // If the mode is not restored yet, the saved one still counts.
            if (!_isSaved)
            {
                (_wasTraining, _isSaved) = (module.training, true);
                _inside = module is jit.ScriptModule script ? [.. script.named_modules().Select(part => (part.module, part.module.training))] : [];
            }

            return ++Count;
        }

        /// <summary>Restores the mode, if it is not restored yet.</summary>
        public void Restore(nn.Module module)
        {
            if (!_isSaved)
            {
                return;
            }

            _isSaved = false;
            module.train(_wasTraining);
            Array.ForEach(_inside, part => part.Module.train(part.Training));
            _inside = [];
        }
    }
}
