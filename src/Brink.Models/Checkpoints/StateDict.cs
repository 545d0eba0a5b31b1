using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>Reads weights from files of all supported formats and loads them into a network.</summary>
/// <remarks>
/// Formats: safetensors, PyTorch checkpoints of both formats of <c>torch.save</c>, and files of TorchSharp's <c>module.save</c>. The pickle of
/// a PyTorch checkpoint is parsed, never executed.
/// </remarks>
public static class StateDict
{
    /// <summary>Reads the tensors of one dictionary in a file. The format is detected from the content, not from the extension.</summary>
    /// <param name="path">The file.</param>
    /// <param name="key">The key of the dictionary; null for the only one with weights.</param>
    /// <returns>The tensors by name, in the order of the file, owned by the caller or its dispose scope.</returns>
    /// <exception cref="BadInputException">Thrown when the file cannot be read, has another content, or contains several dictionaries and no key is given.</exception>
    public static IReadOnlyDictionary<string, Tensor> Read(string path, string? key = null) => CheckpointFile.Read(path, stream => Checkpoint.ByName(
        Checkpoint.Read(stream, path, tensors => Checkpoint.OnlyDictionary(tensors, path, key)),
        tensor => key is null ? tensor.Name : tensor.Path[Checkpoint.Beginning(key).Length..]));

    /// <summary>Reads the weights of a network from a file and overwrites all its parameters and buffers. If any tensor does not fit, nothing is changed.</summary>
    /// <remarks>
    /// All dictionaries in the file are searched, and a prefix of the names, such as <c>module.</c>, is removed if the network then finds each of
    /// its tensors with the same shape; only <c>num_batches_tracked</c> may be missing. If several prefixes or dictionaries fit, the file is
    /// refused. Other tensors beside the weights are set aside if they are single numbers, integers, the state of an optimiser, or the mean and
    /// the standard deviation of the input's preprocessing; any others are refused.
    /// </remarks>
    /// <param name="module">The network.</param>
    /// <param name="path">The file.</param>
    /// <param name="key">The key of a dictionary in the file, or the beginning of names up to a dot, where the weights are; null to search the whole file.</param>
    /// <returns>Sentences about removed prefixes and tensors that were not used.</returns>
    /// <exception cref="BadInputException">Thrown when the file cannot be read, or when not exactly one set of its tensors fits.</exception>
    public static IReadOnlyList<string> Load(nn.Module module, string path, string? key = null) => Load(module, path, key, name => name, normalization: null);

    /// <summary>Reads the weights of a network from a file, as the public method does.</summary>
    /// <param name="module">The network.</param>
    /// <param name="path">The file.</param>
    /// <param name="key">The key in the file; null to search the whole file.</param>
    /// <param name="rename">The function that translates old names.</param>
    /// <param name="normalization">The preprocessing in use, which is compared with the one in the file; null if it is not known.</param>
    /// <returns>Sentences about removed prefixes and tensors that were not used.</returns>
    internal static IReadOnlyList<string> Load(nn.Module module, string path, string? key, Func<string, string> rename, Normalization? normalization)
    {
        ArgumentNullException.ThrowIfNull(module);
        using var scope = NewDisposeScope();
        var fit = new StateDictFit(module, path);
        StateDictMatch? match = null;
        var tensors = CheckpointFile.Read(path, stream => Checkpoint.Read(stream, path, stored => (match = fit.Match(stored, key, rename)).Needed));
        return fit.Fill(match!, tensors, normalization);
    }

    /// <summary>Overwrites all parameters and buffers of a network. If any tensor does not fit, nothing is changed.</summary>
    /// <param name="module">The network.</param>
    /// <param name="tensors">The tensors by their names in the network's state dict, in which a prefix is removed and others are set aside as in <see cref="Load(nn.Module, string, string?)"/>.</param>
    /// <param name="source">The name of the tensors in error messages, such as the path of their file.</param>
    /// <returns>Sentences about removed prefixes and tensors that were not used.</returns>
    /// <exception cref="BadInputException">Thrown when a name, a shape or a type does not fit, or a weight is not finite.</exception>
    public static IReadOnlyList<string> LoadInto(nn.Module module, IReadOnlyDictionary<string, Tensor> tensors, string source)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(tensors);
        using var scope = NewDisposeScope();
        var fit = new StateDictFit(module, source);
        var stored = tensors.ToDictionary(named => new StoredTensor("", named.Key, named.Value.dtype, named.Value.shape), named => named.Value);
        return fit.Fill(fit.Match([.. stored.Keys], key: null, name => name), stored, normalization: null);
    }
}
