using Brink.Data;
using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Training;

/// <summary>Writes the weights of a network as safetensors.</summary>
public static class WeightsFile
{
    /// <summary>Writes all parameters and buffers, whole or not at all.</summary>
    /// <param name="path">The file; an older one is replaced.</param>
    /// <param name="network">The network.</param>
    /// <param name="half">Whether floating-point tensors are rounded to float16, half as large; reading them gives a network its own type back.</param>
    /// <exception cref="BadInputException">The file cannot be written, or a weight is too large for float16.</exception>
    public static void Write(string path, nn.Module network, bool half = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(network);
        using var withoutGradients = no_grad();
        using var scope = NewDisposeScope();
        var tensors = network.state_dict().ToDictionary(tensor => tensor.Key, tensor => half ? Halved(tensor.Key, tensor.Value) : tensor.Value, StringComparer.Ordinal);
        AtomicFile.Write(path, stream => Safetensors.Write(stream, tensors));
    }

    private static Tensor Halved(string name, Tensor tensor)
    {
        if (!tensor.is_floating_point())
        {
            return tensor;
        }

        var halved = tensor.to(ScalarType.Float16);
        return halved.isfinite().all().item<bool>()
            ? halved
            : throw new BadInputException($"Weights in float16 must lie between -65504 and 65504, but one of '{name}' does not; write them without --half.");
    }
}
