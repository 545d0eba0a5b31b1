using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>A tensor in a checkpoint, described before its numbers are read.</summary>
/// <param name="dictionary">The keys of the nested dictionaries that contain it, joined by dots; empty at the top level.</param>
/// <param name="name">The name in its dictionary.</param>
/// <param name="type">The type of its elements.</param>
/// <param name="shape">The shape as the file states it.</param>
/// <param name="place">The function that returns <see cref="Place"/>; null if the tensor shares its numbers with no other.</param>
internal sealed class StoredTensor(string dictionary, string name, ScalarType type, IReadOnlyList<long> shape, Func<string>? place = null)
{
    /// <summary>The maximum length of <see cref="Path"/> in a file, far above that of real names, so that a long key cannot be repeated in the names of many tensors.</summary>
    public const int MaximumPath = 500;

    // Beginnings of the keys under which training programs keep what the network does not need.
    private static readonly string[] TrainingParts = ["optim", "scheduler", "lr_scheduler", "scaler", "criterion", "loss", "metric"];

    // Names that torch.optim gives to the tensors of its optimisers.
    private static readonly string[] OptimizerStates = ["momentum_buffer", "exp_avg", "exp_avg_sq", "max_exp_avg_sq", "square_avg", "grad_avg", "acc_delta", "exp_inf"];

    /// <summary>The keys of the nested dictionaries that contain it, joined by dots; empty at the top level.</summary>
    public string Dictionary { get; } = dictionary;

    /// <summary>The name in its dictionary.</summary>
    public string Name { get; } = name;

    /// <summary>The keys of its dictionaries and its name, joined by dots.</summary>
    public string Path => Dictionary.Length == 0 ? Name : $"{Dictionary}.{Name}";

    /// <summary>The type of its elements.</summary>
    public ScalarType Type { get; } = type;

    /// <summary>The shape as the file states it.</summary>
    public IReadOnlyList<long> Shape { get; } = shape;

    /// <summary>The place of its numbers in the file, equal for tensors that share them; null if they are not shared.</summary>
    public string? Place => place?.Invoke();

    /// <summary>True if the elements are real numbers that are not integers.</summary>
    public bool IsFloatingPoint => Type is ScalarType.Float16 or ScalarType.BFloat16 or ScalarType.Float32 or ScalarType.Float64;

    /// <summary>True if the tensor has exactly one element.</summary>
    public bool IsSingle => Shape.All(size => size == 1);

    /// <summary>True if the tensor belongs to an optimiser, a loss or another part of a training program, by its keys or its name.</summary>
    public bool IsTrainingState => Path.Split('.') is var parts
        && (Array.Exists(parts, part => Array.Exists(TrainingParts, beginning => part.StartsWith(beginning, StringComparison.OrdinalIgnoreCase))) || OptimizerStates.Contains(parts[^1], StringComparer.Ordinal));
}

/// <summary>Chooses the tensors of a checkpoint that are read.</summary>
/// <param name="tensors">All tensors of the checkpoint, in the order of the file.</param>
/// <returns>Some of them.</returns>
internal delegate IReadOnlyCollection<StoredTensor> TensorSelection(IReadOnlyList<StoredTensor> tensors);

/// <summary>Reads selected tensors of checkpoints of all formats.</summary>
internal static class Checkpoint
{
    /// <summary>Reads the selected tensors. The format is detected from the content.</summary>
    /// <param name="stream">A stream that can seek, read from its beginning to its end.</param>
    /// <param name="name">The name of the stream in error messages.</param>
    /// <param name="select">The selection.</param>
    /// <returns>The selected tensors, owned by the caller or its dispose scope.</returns>
    public static IReadOnlyDictionary<StoredTensor, Tensor> Read(Stream stream, string name, TensorSelection select) => FormatDetection.Detect(stream) switch
    {
        CheckpointFormat.Safetensors => Safetensors.Read(stream, CheckpointSource.Safetensors(name), select),
        CheckpointFormat.TorchSharp => TorchSharpCheckpoint.Read(stream, CheckpointSource.TorchSharp(name), select),
        _ => PyTorchCheckpoint.Read(stream, name, select),
    };

    /// <summary>Selects the tensors of the only dictionary with weights, or those under a key.</summary>
    /// <param name="tensors">All tensors of the checkpoint.</param>
    /// <param name="name">The name of the checkpoint in error messages.</param>
    /// <param name="key">The key; null for the only dictionary with weights.</param>
    /// <returns>The selected tensors.</returns>
    /// <exception cref="BadInputException">Thrown when several dictionaries contain weights and there is no key, or when no tensor is under the key.</exception>
    public static IReadOnlyList<StoredTensor> OnlyDictionary(IReadOnlyList<StoredTensor> tensors, string name, string? key)
    {
        if (key is not null)
        {
            return Under(tensors, key, name);
        }

        var dictionaries = tensors.GroupBy(tensor => tensor.Dictionary, StringComparer.Ordinal).ToList();
        var candidates = dictionaries.FindAll(dictionary => dictionary.Any(tensor => !tensor.IsSingle && !tensor.IsTrainingState));
        if (candidates.Count == 0)
        {
            candidates = dictionaries.FindAll(dictionary => !dictionary.Any(tensor => tensor.IsTrainingState));
        }

        return candidates.Count switch
        {
            0 => [],
            1 => [.. candidates[0]],
            _ => throw new BadInputException(
                $"{name} should contain one dictionary of tensors, but has {(candidates[0].Key.Length == 0 ? "tensors at its top level and " : "")}several, under the keys "
                + $"{Excerpt.List([.. candidates.Select(dictionary => dictionary.Key).Where(other => other.Length > 0)])}; choose one with FILE:KEY."),
        };
    }

    /// <summary>Selects the tensors under a key.</summary>
    /// <param name="tensors">All tensors of the checkpoint.</param>
    /// <param name="key">The key of a dictionary, or the beginning of names up to a dot; empty for all tensors.</param>
    /// <param name="name">The name of the checkpoint in error messages.</param>
    /// <returns>The selected tensors.</returns>
    /// <exception cref="BadInputException">Thrown when no tensor is under the key.</exception>
    public static IReadOnlyList<StoredTensor> Under(IReadOnlyList<StoredTensor> tensors, string key, string name)
    {
        var beginning = Beginning(key);
        IReadOnlyList<StoredTensor> under = [.. tensors.Where(tensor => tensor.Path.StartsWith(beginning, StringComparison.Ordinal))];
        return under.Count > 0
            ? under
            : throw new BadInputException(
                $"The key of --weights FILE:KEY must be one in the file, but {name} has no tensors under {Excerpt.Quote(key)}; "
                + $"its keys are {Excerpt.List([.. tensors.Select(Key).Distinct(StringComparer.Ordinal)])}.");
    }

    /// <summary>The beginning of the paths of all tensors under a key.</summary>
    public static string Beginning(string key) => key.Length == 0 ? key : key + ".";

    /// <summary>Names tensors, in the same order.</summary>
    /// <param name="tensors">The tensors.</param>
    /// <param name="name">The function that returns the name of a tensor.</param>
    /// <returns>The tensors by name; of equal names the last.</returns>
    public static IReadOnlyDictionary<string, Tensor> ByName(IReadOnlyDictionary<StoredTensor, Tensor> tensors, Func<StoredTensor, string> name)
    {
        var named = new OrderedDictionary<string, Tensor>(tensors.Count, StringComparer.Ordinal);
        foreach (var (stored, tensor) in tensors)
        {
            named[name(stored)] = tensor;
        }

        return named;
    }

    // The dictionary of a tensor, or at the top level the first part of its name.
    private static string Key(StoredTensor tensor) => tensor.Dictionary.Length > 0 ? tensor.Dictionary : tensor.Name.Split('.')[0];
}
