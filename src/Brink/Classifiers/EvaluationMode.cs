using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace Brink;

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
