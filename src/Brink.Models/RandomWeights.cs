using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>Random weights for a network whose predictions do not matter, such as one that is timed.</summary>
internal static class RandomWeights
{
    /// <summary>Draws the weights of convolutions and linear layers from a normal distribution of variance 2 / inputs (He et al. 2015, "Delving Deep into Rectifiers", §2.2) and sets biases to zero.</summary>
    /// <remarks>With this variance activations neither vanish nor explode. Normalisation layers keep their initial values, the identity.</remarks>
    /// <param name="module">The network, newly created.</param>
    /// <param name="seed">The seed that determines the weights.</param>
    public static void Fill(nn.Module module, long seed)
    {
        using var scope = NewDisposeScope();
        using var withoutGradients = no_grad();
        using var generator = new Generator((ulong)seed);
        foreach (var (name, parameter) in module.named_parameters())
        {
            if (parameter.dim() >= 2)
            {
                var inputs = parameter.numel() / parameter.shape[0];
                using var inner = NewDisposeScope();
                var deviation = tensor(Math.Sqrt(2.0 / inputs), dtype: ScalarType.Float64);
                parameter.copy_(randn(parameter.shape, generator: generator).mul(deviation));
            }
            else if (name.EndsWith("bias", StringComparison.Ordinal))
            {
                parameter.zero_();
            }
        }
    }
}

/// <summary>Restores the state of torch's global random generator on disposal, because creating a module draws its initial weights from that generator.</summary>
internal sealed class SavedRandomState : IDisposable
{
    private readonly Tensor _state = random.get_rng_state().DetachFromDisposeScope();

    public void Dispose()
    {
        random.set_rng_state(_state);
        _state.Dispose();
    }
}
