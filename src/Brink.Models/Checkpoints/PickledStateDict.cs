using System.Globalization;
using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>The selected and checked tensors of a pickle, before their storages are read.</summary>
internal sealed class PickledStateDict
{
    // Training programs nest two or three dictionaries.
    private const int MaximumDepth = 8;
    // Dictionaries in the memo of a pickle can occur in many others.
    private const int MaximumEntries = 100_000;

    private readonly List<(StoredTensor Stored, TensorView View)> _views = [];
    private readonly Dictionary<string, PickledStorage> _storages = new(StringComparer.Ordinal);

    private PickledStateDict()
    {
    }

    /// <summary>The storages of these tensors, by key. A checkpoint may contain others, such as those of an optimiser.</summary>
    public IReadOnlyDictionary<string, PickledStorage> Storages => _storages;

    /// <summary>Finds the tensors in an unpickled dictionary and the dictionaries in it, and checks the selected ones.</summary>
    /// <param name="root">The unpickled object.</param>
    /// <param name="source">The file, for error messages.</param>
    /// <param name="budget">The limit on the memory of all tensors.</param>
    /// <param name="select">The selection.</param>
    /// <returns>The selected tensors.</returns>
    public static PickledStateDict From(object? root, CheckpointSource source, ExpansionBudget budget, TensorSelection select)
    {
        var tensors = Find(root, source);
        var selected = new PickledStateDict();
        foreach (var stored in select([.. tensors.Keys]))
        {
            var view = TensorView.Check(stored.Name, tensors[stored], source);
            if (!budget.TrySpend(view.ByteCount))
            {
                throw source.Refuse($"its tensors up to {Excerpt.Quote(view.Name)}, which repeat stored numbers, are too large for a file of this size");
            }

            selected._views.Add((stored, view));
            selected._storages.TryAdd(view.Storage.Key, view.Storage);
        }

        return selected;
    }

    /// <summary>Creates the tensors.</summary>
    /// <param name="storages">The contents of <see cref="Storages"/>, by key. The tensors share their memory.</param>
    /// <returns>The tensors, in the caller's dispose scope.</returns>
    public IReadOnlyDictionary<StoredTensor, Tensor> On(IReadOnlyDictionary<string, Tensor> storages)
    {
        var tensors = new OrderedDictionary<StoredTensor, Tensor>(_views.Count);
        foreach (var (stored, view) in _views)
        {
            tensors.Add(stored, view.On(storages[view.Storage.Key]).MoveToOuterDisposeScope());
        }

        return tensors;
    }

    private static OrderedDictionary<StoredTensor, PickledTensor> Find(object? root, CheckpointSource source)
    {
        if (root is not PickledDictionary dictionary)
        {
            throw source.Refuse("it must contain a dictionary from names to tensors, but contains another object");
        }

        var tensors = new OrderedDictionary<StoredTensor, PickledTensor>();
        var entries = 0;
        Add(dictionary, "", []);
        return (tensors.Count, dictionary.Entries.Count) switch
        {
            (0, 0) => throw source.Refuse("it must contain a dictionary from names to tensors, but the dictionary is empty"),
            (0, _) => throw source.Refuse($"it must contain a dictionary from names to tensors, but has no tensors under its keys {KeysOf(dictionary)}"),
            _ => tensors,
        };

        void Add(PickledDictionary from, string path, List<PickledDictionary> outer)
        {
            entries += from.Entries.Count;
            if (entries > MaximumEntries)
            {
                throw source.Refuse($"its dictionaries may have at most {MaximumEntries} entries, but have more");
            }

            // Later entries win, as in Python.
            var values = new OrderedDictionary<string, object?>(StringComparer.Ordinal);
            foreach (var (key, value) in from.Entries)
            {
                // Optimisers number their parameters.
                if ((key as string ?? (key as long?)?.ToString(CultureInfo.InvariantCulture)) is { } name)
                {
                    values[name] = value;
                }
                else if (value is PickledTensor)
                {
                    throw source.Refuse("a tensor's name must be a string, but one is not");
                }
            }

            if (values.Keys.FirstOrDefault(name => path.Length + name.Length >= StoredTensor.MaximumPath) is { } longest)
            {
                throw source.Refuse($"its keys and names together may have at most {StoredTensor.MaximumPath} characters, but {Excerpt.Quote(longest)} is longer");
            }

            outer.Add(from);
            foreach (var (name, value) in values)
            {
                if (value is PickledTensor tensor)
                {
                    tensors.Add(Describe(path, name, tensor), tensor);
                }
                else if (value is PickledDictionary inner && outer.Count < MaximumDepth && !outer.Contains(inner))
                {
                    Add(inner, path.Length == 0 ? name : $"{path}.{name}", outer);
                }
            }

            outer.RemoveAt(outer.Count - 1);
        }
    }

    private static StoredTensor Describe(string dictionary, string name, PickledTensor tensor)
    {
        var (storage, shape, strides) = (tensor.Storage, Numbers(tensor.Shape), Numbers(tensor.Strides));
        return new(dictionary, name, storage.Type.Scalar, shape, () => string.Create(CultureInfo.InvariantCulture, $"{storage.Key} {storage.ViewStart} {tensor.Offset} {Excerpt.Shape(shape)} {Excerpt.Shape(strides)}"));

        // Anything else is refused if the tensor is selected.
        static long[] Numbers(object?[] items) => items.Length > TensorShape.MaximumRank ? [-1] : Array.ConvertAll(items, item => item is long number ? number : -1);
    }

    private static string KeysOf(PickledDictionary dictionary) =>
        Excerpt.List([.. dictionary.Entries.Select(entry => entry.Key).OfType<string>().Distinct(StringComparer.Ordinal)]);
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
