using static TorchSharp.torch;

namespace Brink;

/// <summary>Evaluation mode for a module until disposed; then every part has the mode it had, also where parts differed.</summary>
internal sealed class EvaluationMode : IDisposable
{
    // Parents before children: setting a parent's mode sets its children's too, so the children's own come after.
    private readonly (nn.Module Module, bool Training)[] _modes;

    public EvaluationMode(nn.Module module)
    {
        _modes = [.. module.modules().Prepend(module).Select(part => (part, part.training))];
        module.eval();
    }

    public void Dispose()
    {
        foreach (var (module, training) in _modes)
        {
            module.train(training);
        }
    }
}
