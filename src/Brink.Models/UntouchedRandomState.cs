using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>Puts the state of torch's global random generator back when it is disposed: a module draws its first weights from it when it is built.</summary>
internal sealed class UntouchedRandomState : IDisposable
{
    private readonly Tensor _state = random.get_rng_state().DetachFromDisposeScope();

    public void Dispose()
    {
        random.set_rng_state(_state);
        _state.Dispose();
    }
}
