using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>Weights for a network whose answers do not matter.</summary>
internal static class RandomWeights
{
    /// <summary>Fills the weights of convolutions and linear layers from a normal distribution of variance 2 / inputs, so that activations neither fade nor explode (He et al. 2015, "Delving Deep into Rectifiers", §2.2), their biases with zero; normalisations stay the identity.</summary>
    /// <param name="module">The network, as it was built.</param>
    /// <param name="seed">Decides the weights.</param>
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
