using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>Reads weights from files of all supported formats and loads them into a network.</summary>
/// <remarks>
/// Formats: safetensors, and PyTorch checkpoints of both formats of <c>torch.save</c>. The pickle of a PyTorch checkpoint is parsed, never
/// executed. A checkpoint such as {"state_dict": {…}, "epoch": 3} is unwrapped, and the prefix <c>module.</c> (from DataParallel) is removed
/// if every name has it.
/// </remarks>
public static class StateDict
{
    /// <summary>Reads the tensors of a safetensors file or a PyTorch checkpoint. The format is detected from the content, not from the extension.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The tensors by name, in the order of the file, owned by the caller or its dispose scope.</returns>
    /// <exception cref="BadInputException">Thrown when the file cannot be read or has another content.</exception>
    public static IReadOnlyDictionary<string, Tensor> Read(string path) => CheckpointFile.Read(path, stream =>
        FormatDetection.Detect(stream) == CheckpointFormat.Safetensors ? Safetensors.Read(stream, path) : PyTorchCheckpoint.Read(stream, path));

    /// <summary>Overwrites all parameters and buffers of a network. If any tensor does not fit, nothing is changed.</summary>
    /// <param name="module">The network.</param>
    /// <param name="tensors">The tensors by their names in the network's state dict. Only <c>num_batches_tracked</c> may be missing, and no other tensor may be present.</param>
    /// <param name="source">The name of the tensors in error messages, such as the path of their file.</param>
    /// <exception cref="BadInputException">Thrown when a name, a shape or a type does not fit, or a weight is not finite.</exception>
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

/// <summary>Checks whether tensors fit a network.</summary>
/// <param name="network">The name of the network in error messages.</param>
/// <param name="source">The name of the tensors in error messages.</param>
internal sealed class StateDictFit(string network, string source)
{
    // Batch normalisation counts its batches since PyTorch 0.4.1. Older files do not have the count, and evaluation does not use it.
    private const string BatchCounter = "num_batches_tracked";

    /// <summary>Checks that no name is missing and none is unexpected.</summary>
    public void CheckNames(IReadOnlyCollection<string> needed, IReadOnlyDictionary<string, Tensor> tensors)
    {
        var missing = needed.Where(name => !tensors.ContainsKey(name) && !IsBatchCounter(name)).ToList();
        var unexpected = tensors.Keys.Except(needed, StringComparer.Ordinal).ToList();
        if (missing.Count + unexpected.Count > 0)
        {
            var lacks = missing.Count > 0 ? $"it lacks {Excerpt.List(missing)}" : null;
            var adds = unexpected.Count > 0 ? $"the network has no {Excerpt.List(unexpected)}" : null;
            throw Refuse(string.Join(" and ", new[] { lacks, adds }.OfType<string>()));
        }
    }

    /// <summary>Converts a weight to the type and the device of the network's tensor, and checks its shape and values.</summary>
    public Tensor Convert(string name, Tensor slot, Tensor weight)
    {
        if (!slot.shape.SequenceEqual(weight.shape))
        {
            throw Refuse($"{Excerpt.Quote(name)} has the shape {Excerpt.Shape(weight.shape)} where the network needs {Excerpt.Shape(slot.shape)}");
        }

        if (slot.dtype != weight.dtype && !(slot.is_floating_point() && weight.is_floating_point()))
        {
            throw Refuse($"{Excerpt.Quote(name)} is of type {weight.dtype} where the network needs {slot.dtype}");
        }

        var converted = weight.to(slot.dtype, slot.device);
        if (converted.is_floating_point() && !converted.isfinite().all().item<bool>())
        {
            throw Refuse($"{Excerpt.Quote(name)} has a value that is not a finite number in {slot.dtype}");
        }

        return converted;
    }

    private static bool IsBatchCounter(string name) =>
        name.EndsWith("." + BatchCounter, StringComparison.Ordinal) || string.Equals(name, BatchCounter, StringComparison.Ordinal);

    private BadInputException Refuse(string reason) => new(
        $"The weights in {source} do not fit {network}: {reason}; give weights of the same architecture with the same number of classes.");
}
