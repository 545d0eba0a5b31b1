using static TorchSharp.torch;

namespace Brink.Training;

/// <summary>Torch's global generator with a seed of one's own until disposed; then it goes on where it was, as if nothing had been drawn.</summary>
/// <remarks>First weights and dropout draw from it and take no other.</remarks>
public sealed class SeededTorch : IDisposable
{
    private readonly Tensor _before;

    /// <summary>Seeds the generator.</summary>
    /// <param name="seed">The seed.</param>
    public SeededTorch(long seed)
    {
        _before = get_rng_state().DetachFromDisposeScope();
        Seed(seed);
    }

    /// <summary>Seeds the generator anew, for what is drawn next.</summary>
    /// <param name="seed">The seed.</param>
    public static void Seed(long seed) => manual_seed(seed).Dispose();

    /// <inheritdoc/>
    public void Dispose()
    {
        set_rng_state(_before);
        _before.Dispose();
    }
}
