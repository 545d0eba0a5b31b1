using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>The named and checked tensors of a pickled state dict, before their storages are read.</summary>
internal sealed class PickledStateDict
{
    // torch.nn.DataParallel wraps a network and adds this prefix to every name.
    private const string DataParallelPrefix = "module.";

    private readonly List<TensorView> _views;

    private PickledStateDict(List<TensorView> views, IReadOnlyDictionary<string, PickledStorage> storages)
    {
        _views = views;
        Storages = storages;
    }

    /// <summary>The storages of these tensors, by key. A checkpoint may contain others, such as those of an optimiser.</summary>
    public IReadOnlyDictionary<string, PickledStorage> Storages { get; }

    /// <summary>Finds the state dict in an unpickled object: the dictionary itself, or the only dictionary in it, that has tensors as values.</summary>
    /// <param name="root">The unpickled object.</param>
    /// <param name="source">The file, for error messages.</param>
    /// <param name="budget">The limit on the memory of all tensors.</param>
    /// <returns>The tensors of the state dict.</returns>
    public static PickledStateDict From(object? root, CheckpointSource source, ExpansionBudget budget)
    {
        var views = WithoutPrefix(NamedTensors(Find(root, source), source))
            .Select(named => TensorView.Check(named.Key, named.Value, source))
            .ToList();
        var storages = new Dictionary<string, PickledStorage>(StringComparer.Ordinal);
        foreach (var view in views)
        {
            if (!budget.TrySpend(view.ByteCount))
            {
                throw source.Refuse($"its tensors up to {Excerpt.Quote(view.Name)}, which repeat stored numbers, are too large for a file of this size");
            }

            storages.TryAdd(view.Storage.Key, view.Storage);
        }

        return new PickledStateDict(views, storages);
    }

    /// <summary>Creates the tensors.</summary>
    /// <param name="storages">The contents of <see cref="Storages"/>, by key. The tensors share their memory.</param>
    /// <returns>The tensors by name, in the caller's dispose scope.</returns>
    public IReadOnlyDictionary<string, Tensor> On(IReadOnlyDictionary<string, Tensor> storages)
    {
        var tensors = new OrderedDictionary<string, Tensor>(_views.Count, StringComparer.Ordinal);
        foreach (var view in _views)
        {
            tensors.Add(view.Name, view.On(storages[view.Storage.Key]).MoveToOuterDisposeScope());
        }

        return tensors;
    }

    private static PickledDictionary Find(object? root, CheckpointSource source)
    {
        if (root is not PickledDictionary dictionary)
        {
            throw source.Refuse("it must contain a dictionary from names to tensors, but contains another object");
        }

        // Later entries win, as in Python.
        var nested = new OrderedDictionary<string, PickledDictionary>(StringComparer.Ordinal);
        foreach (var (key, value) in dictionary.Entries)
        {
            var name = key as string ?? "a key that is not a string";
            nested.Remove(name);
            if (value is PickledDictionary inner && inner != dictionary && HasTensors(inner))
            {
                nested.Add(name, inner);
            }
        }

        return (HasTensors(dictionary), nested.Count) switch
        {
            (true, 0) => dictionary,
            (false, 1) => nested.GetAt(0).Value,
            (false, 0) when dictionary.Entries.Count == 0 => throw source.Refuse("it must contain a dictionary from names to tensors, but the dictionary is empty"),
            (false, 0) => throw source.Refuse($"it must contain a dictionary from names to tensors, but has no tensors under its keys {KeysOf(dictionary)}"),
            (false, _) => throw source.Refuse($"it must contain one dictionary of tensors, but has several, under the keys {Excerpt.List(nested.Keys)}"),
            (true, _) => throw source.Refuse($"it must contain one dictionary of tensors, but has tensors at its top level and under the keys {Excerpt.List(nested.Keys)}"),
        };
    }

    private static bool HasTensors(PickledDictionary dictionary) => dictionary.Entries.Exists(entry => entry.Value is PickledTensor);

    private static string KeysOf(PickledDictionary dictionary) =>
        Excerpt.List([.. dictionary.Entries.Select(entry => entry.Key).OfType<string>().Distinct(StringComparer.Ordinal)]);

    // Values that are not tensors are ignored.
    private static OrderedDictionary<string, PickledTensor> NamedTensors(PickledDictionary dictionary, CheckpointSource source)
    {
        var tensors = new OrderedDictionary<string, PickledTensor>(StringComparer.Ordinal);
        foreach (var (key, value) in dictionary.Entries)
        {
            if (value is PickledTensor tensor)
            {
                tensors[key as string ?? throw source.Refuse("a tensor's name must be a string, but one is not")] = tensor;
            }
        }

        return tensors;
    }

    private static IEnumerable<KeyValuePair<string, PickledTensor>> WithoutPrefix(OrderedDictionary<string, PickledTensor> tensors) =>
        tensors.Keys.All(name => name.StartsWith(DataParallelPrefix, StringComparison.Ordinal))
            ? tensors.Select(named => KeyValuePair.Create(named.Key[DataParallelPrefix.Length..], named.Value))
            : tensors;
}

/// <summary>A pickled tensor whose shape and strides have been checked to stay within its storage.</summary>
internal sealed class TensorView
{
    private readonly long _offset;
    private readonly long[] _shape;
    private readonly long[] _strides;

    private TensorView(string name, PickledStorage storage, long offset, long[] shape, long[] strides, long byteCount)
    {
        Name = name;
        Storage = storage;
        ByteCount = byteCount;
        _offset = offset;
        _shape = shape;
        _strides = strides;
    }

    /// <summary>The tensor's name.</summary>
    public string Name { get; }

    /// <summary>The storage of its elements.</summary>
    public PickledStorage Storage { get; }

    /// <summary>The size of a dense copy in bytes.</summary>
    public long ByteCount { get; }

    /// <summary>Checks the shape, the strides and the offset of a tensor.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="tensor">The tensor as the pickle describes it.</param>
    /// <param name="source">The file, for error messages.</param>
    /// <returns>The checked tensor.</returns>
    public static TensorView Check(string name, PickledTensor tensor, CheckpointSource source)
    {
        if (Integers(tensor.Shape) is not { } shape || Integers(tensor.Strides) is not { } strides || shape.Length != strides.Length)
        {
            throw source.Refuse($"each size of a tensor needs a stride, and both must be integers, but those of {Excerpt.Quote(name)} are not");
        }

        if (shape.Length > TensorShape.MaximumRank)
        {
            throw source.Refuse($"a tensor may have at most {TensorShape.MaximumRank} dimensions, but {Excerpt.Quote(name)} has {shape.Length}");
        }

        var storage = tensor.Storage;
        var byteCount = TensorShape.ByteCount(shape, storage.Type.Size)
            ?? throw source.Refuse($"{Excerpt.Quote(name)} has the impossible shape {Excerpt.Shape(shape)}");
        if (!StaysWithin(storage.ViewCount, tensor.Offset, shape, strides))
        {
            throw source.Refuse($"{Excerpt.Quote(name)} of shape {Excerpt.Shape(shape)} and strides {Excerpt.Shape(strides)} from element {tensor.Offset} does not lie within its storage of {storage.ViewCount} elements");
        }

        return new TensorView(name, storage, storage.ViewStart + tensor.Offset, shape, strides, byteCount);
    }

    /// <summary>Creates the tensor on the memory of a storage, as in PyTorch, so that tied weights stay tied.</summary>
    /// <param name="storage">The content of <see cref="Storage"/>.</param>
    /// <returns>The tensor.</returns>
    public Tensor On(Tensor storage) =>
        // The strides of an empty tensor are meaningless, but libtorch may multiply them.
        ByteCount == 0 ? empty(_shape, Storage.Type.Scalar, CPU) : storage.as_strided(_shape, _strides, _offset);

    private static bool StaysWithin(long count, long offset, long[] shape, long[] strides)
    {
        if (offset < 0 || offset > count || strides.Any(stride => stride < 0))
        {
            return false;
        }

        if (shape.Contains(0))
        {
            return true;
        }

        Int128 last = offset;
        for (var dimension = 0; dimension < shape.Length; dimension++)
        {
            // 64 products below 2^126 could overflow an Int128, hence the check inside the loop.
            last += (Int128)(shape[dimension] - 1) * strides[dimension];
            if (last >= count)
            {
                return false;
            }
        }

        return last < count;
    }

    private static long[]? Integers(object?[] numbers) =>
        numbers.All(number => number is long) ? Array.ConvertAll(numbers, number => (long)number!) : null;
}
