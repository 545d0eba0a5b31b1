namespace Brink.Models;

/// <summary>The Python names that a checkpoint may refer to, and their meaning. Nothing is looked up by reflection, and no Python code is executed.</summary>
internal sealed class TorchObjects(CheckpointSource source)
{
    private static Dictionary<(string Module, string Name), object> Known { get; } = ElementType.All
        .ToDictionary(type => ("torch", type.StorageName), object (type) => type)
        .Concat(new Dictionary<(string, string), object>
        {
            [("collections", "OrderedDict")] = KnownFunction.OrderedDict,
            [("collections", "Counter")] = KnownFunction.Counter,
            [("argparse", "Namespace")] = KnownFunction.Namespace,
            [("torch", "Size")] = KnownFunction.Size,
            [("torch._utils", "_rebuild_tensor")] = KnownFunction.RebuildTensor,
            [("torch._utils", "_rebuild_tensor_v2")] = KnownFunction.RebuildTensorV2,
            [("torch._utils", "_rebuild_parameter")] = KnownFunction.RebuildParameter,
        })
        .ToDictionary();

    private readonly Dictionary<string, PickledStorage> _storages = new(StringComparer.Ordinal);

    /// <summary>The storages that the pickle has referred to so far, by key.</summary>
    public IReadOnlyDictionary<string, PickledStorage> Storages => _storages;

    /// <summary>Finds the meaning of a name.</summary>
    /// <returns>An <see cref="ElementType"/> or a <see cref="KnownFunction"/>.</returns>
    public object Resolve(string module, string name) => Known.TryGetValue((module, name), out var known) ? known : throw Unknown(module, name);

    /// <summary>Creates the exception for a name that is not allowed.</summary>
    public BadInputException Unknown(string module, string name) => new(
        $"{source.Name} refers to {Excerpt.Plain(module)}.{Excerpt.Plain(name)}, which weights do not need; "
        + "Brink never executes the code in a pickle: save only the weights, with torch.save(model.state_dict(), …), or as safetensors.");

    /// <summary>Computes the result of a call.</summary>
    /// <param name="function">The called object.</param>
    /// <param name="arguments">The tuple of arguments.</param>
    /// <param name="charge">A function that counts additional steps of the call.</param>
    /// <returns>A dictionary, a tuple or a tensor.</returns>
    public object Call(object? function, object? arguments, Action<int> charge) => (function, arguments) switch
    {
        (KnownFunction.OrderedDict, object?[] and []) => new PickledDictionary(),
        // Python 2 passes the entries to the constructor.
        (KnownFunction.OrderedDict, object?[] and [List<object?> pairs]) => FromPairs(pairs, charge),
        (KnownFunction.Counter, object?[] and [PickledDictionary counts]) => counts,
        (KnownFunction.Namespace, object?[] and []) => new PickledDictionary(),
        (KnownFunction.Size, object?[] and [object?[] sizes]) => sizes,
        (KnownFunction.RebuildTensor, object?[] and [PickledStorage storage, long offset, object?[] shape, object?[] strides]) =>
            new PickledTensor(storage, offset, shape, strides),
        (KnownFunction.RebuildTensorV2, object?[] and [PickledStorage storage, long offset, object?[] shape, object?[] strides, _, _, .. { Length: <= 1 }]) =>
            new PickledTensor(storage, offset, shape, strides),
        (KnownFunction.RebuildParameter, object?[] and [PickledTensor tensor, _, _]) => tensor,
        (KnownFunction name, _) => throw source.Refuse($"it calls {name} with unexpected arguments"),
        _ => throw source.Refuse("it calls something that is not a function"),
    };

    /// <summary>Reads a storage from its persistent id: ('storage', type, key, location, count[, view]).</summary>
    public PickledStorage Storage(object? persistentId)
    {
        if (persistentId is not (object?[] and ["storage", ElementType type, string key, _, long count, .. object?[] and { Length: <= 1 } views]))
        {
            throw source.Refuse("a tensor's storage must be given as type, key, location and length, but is not");
        }

        var (start, length) = views switch
        {
            [] or [null] => (0L, count),
            [object?[] and [_, long viewStart, long viewLength]] => (viewStart, viewLength),
            _ => throw source.Refuse($"the view of storage {Excerpt.Quote(key)} must be given as a key, a start and a length, but is not"),
        };
        if (count < 0 || start < 0 || length < 0 || start > count || length > count - start)
        {
            throw source.Refuse($"storage {Excerpt.Quote(key)} has the impossible length {count}, or a view of {length} elements from {start} that is outside it");
        }

        var storage = new PickledStorage(key, type, count, start, length);
        if (!_storages.TryAdd(key, storage) && (_storages[key].Type != type || _storages[key].Count != count))
        {
            throw source.Refuse($"storage {Excerpt.Quote(key)} must have one type and one length, but is given two");
        }

        return storage;
    }

    private PickledDictionary FromPairs(List<object?> pairs, Action<int> charge)
    {
        // A list in the memo can be passed many times, so each use counts its length.
        charge(pairs.Count);
        var dictionary = new PickledDictionary();
        foreach (var pair in pairs)
        {
            var (key, value) = pair switch
            {
                object?[] and [var first, var second] => (first, second),
                List<object?> and [var first, var second] => (first, second),
                _ => throw source.Refuse("an OrderedDict must be made from pairs, but is not"),
            };
            dictionary.Set(key, value);
        }

        return dictionary;
    }
}

/// <summary>The Python functions that the unpickler supports; it computes their results itself.</summary>
internal enum KnownFunction
{
    /// <summary>The constructor <c>collections.OrderedDict</c>.</summary>
    OrderedDict,

    /// <summary>The constructor <c>collections.Counter</c>, which the schedulers of PyTorch use.</summary>
    Counter,

    /// <summary>The constructor <c>argparse.Namespace</c>, the command line of a training program.</summary>
    Namespace,

    /// <summary>The constructor <c>torch.Size</c>, whose result is a tuple.</summary>
    Size,

    /// <summary>The function <c>torch._utils._rebuild_tensor(storage, offset, size, stride)</c> of PyTorch before 0.4.</summary>
    RebuildTensor,

    /// <summary>The function <c>torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks[, metadata])</c>.</summary>
    RebuildTensorV2,

    /// <summary>The function <c>torch._utils._rebuild_parameter(tensor, requires_grad, backward_hooks)</c>.</summary>
    RebuildParameter,
}

/// <summary>A Python dictionary in a pickle: its entries in the order in which they were set.</summary>
/// <remarks>A list, because chosen keys could make a hash table slow. Of entries with the same key the last one is valid.</remarks>
internal sealed class PickledDictionary
{
    /// <summary>The entries in order.</summary>
    public List<KeyValuePair<object?, object?>> Entries { get; } = [];

    /// <summary>Adds an entry.</summary>
    public void Set(object? key, object? value) => Entries.Add(new(key, value));
}

/// <summary>A storage: a sequence of numbers in the file that a pickle refers to.</summary>
/// <param name="Key">The name of the storage in the file.</param>
/// <param name="Type">The type of its elements.</param>
/// <param name="Count">The number of elements according to the pickle, not yet compared with the file.</param>
/// <param name="ViewStart">The first visible element; not 0 only for the storage views of PyTorch before 0.4.</param>
/// <param name="ViewCount">The number of visible elements.</param>
internal sealed record PickledStorage(string Key, ElementType Type, long Count, long ViewStart, long ViewCount)
{
    /// <summary>The length in bytes; null if it does not fit in 63 bits.</summary>
    public long? ByteCount => TensorShape.ByteCount([Count], Type.Size);
}

/// <summary>A tensor as a pickle describes it, unchecked: a view of a storage.</summary>
/// <param name="Storage">The storage of its elements.</param>
/// <param name="Offset">The index of its first element in the storage.</param>
/// <param name="Shape">The tuple of its sizes, of any type.</param>
/// <param name="Strides">The tuple of its strides in elements, of any type.</param>
internal sealed record PickledTensor(PickledStorage Storage, long Offset, object?[] Shape, object?[] Strides);
