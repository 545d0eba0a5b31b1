using Brink.Data;
using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Training;

/// <summary>Writes the weights of a network as safetensors.</summary>
internal static class WeightsFile
{
    /// <summary>Writes all parameters and buffers atomically.</summary>
    /// <param name="path">The file; an existing one is replaced.</param>
    /// <param name="network">The network.</param>
    /// <param name="half">Whether to round floating-point tensors to float16, which halves the size of the file.</param>
    /// <exception cref="BadInputException">The file cannot be written, or a weight is too large for float16.</exception>
    public static void Write(string path, nn.Module network, bool half = false)
    {
        using var withoutGradients = no_grad();
        using var scope = NewDisposeScope();
        var tensors = network.state_dict().ToDictionary(tensor => tensor.Key, tensor => half ? ToHalf(tensor.Key, tensor.Value) : tensor.Value, StringComparer.Ordinal);
        AtomicFile.Write(path, stream => Safetensors.Write(stream, tensors));
    }

    private static Tensor ToHalf(string name, Tensor tensor)
    {
        if (!tensor.is_floating_point())
        {
            return tensor;
        }

        var rounded = tensor.to(ScalarType.Float16);
        return rounded.isfinite().all().item<bool>()
            ? rounded
            : throw new BadInputException($"Weights in float16 must be between -65504 and 65504, but a weight of '{name}' is not; write the weights without --half.");
    }
}
