using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>Reads weights from any file Brink knows, and puts them into a network.</summary>
public static class StateDict
{
    /// <summary>Reads the named tensors of a safetensors file or a PyTorch checkpoint; the content decides which, not the extension.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The tensors, which the caller (or its dispose scope) owns, in the order of the file.</returns>
    /// <exception cref="BadInputException">The file cannot be read or holds something else.</exception>
    public static IReadOnlyDictionary<string, Tensor> Read(string path) => CheckpointFile.Read(path, stream =>
        FormatDetection.Detect(stream) == CheckpointFormat.Safetensors ? Safetensors.Read(stream, path) : PyTorchCheckpoint.Read(stream, path));

    /// <summary>Overwrites all parameters and buffers of a network. If anything does not fit, nothing is changed.</summary>
    /// <param name="module">The network.</param>
    /// <param name="tensors">The tensors by the names of the network's own state dict. A <c>num_batches_tracked</c> may be missing; nothing else may, and nothing may be left over.</param>
    /// <param name="source">What to call the tensors in an error message: the path they come from.</param>
    /// <exception cref="BadInputException">A name, a shape or a type does not fit, or a weight is not finite.</exception>
    public static void LoadInto(nn.Module module, IReadOnlyDictionary<string, Tensor> tensors, string source)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(tensors);
        using var scope = NewDisposeScope();
        using var withoutGradients = no_grad();
        var fit = new StateDictFit(module.GetName(), source);
        var slots = module.state_dict();
        fit.CheckNames(slots.Keys, tensors);
        var weights = slots
            .Where(slot => tensors.ContainsKey(slot.Key))
            .Select(slot => (Slot: slot.Value, Weight: fit.Convert(slot.Key, slot.Value, tensors[slot.Key])))
            .ToList();
        foreach (var (slot, weight) in weights)
        {
            slot.copy_(weight);
        }
    }
}
