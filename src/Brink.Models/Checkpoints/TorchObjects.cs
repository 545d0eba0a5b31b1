namespace Brink.Models;

/// <summary>The only names a checkpoint may mention, and what becomes of them. Nothing here is looked up by reflection and nothing of Python's is run.</summary>
internal sealed class TorchObjects(CheckpointSource source)
{
    private static Dictionary<(string Module, string Name), object> Known { get; } = ElementType.All
        .ToDictionary(type => ("torch", type.StorageName), object (type) => type)
        .Concat(new Dictionary<(string, string), object>
        {
            [("collections", "OrderedDict")] = KnownFunction.OrderedDict,
            [("torch", "Size")] = KnownFunction.Size,
            [("torch._utils", "_rebuild_tensor")] = KnownFunction.RebuildTensor,
            [("torch._utils", "_rebuild_tensor_v2")] = KnownFunction.RebuildTensorV2,
            [("torch._utils", "_rebuild_parameter")] = KnownFunction.RebuildParameter,
        })
        .ToDictionary();

    private readonly Dictionary<string, PickledStorage> _storages = new(StringComparer.Ordinal);

    /// <summary>Every storage asked for so far, by key.</summary>
    public IReadOnlyDictionary<string, PickledStorage> Storages => _storages;

    /// <summary>What a name stands for: an <see cref="ElementType"/> or a <see cref="KnownFunction"/>.</summary>
    public object Resolve(string module, string name) => Known.TryGetValue((module, name), out var known) ? known : throw Unknown(module, name);

    /// <summary>The refusal of any other name.</summary>
    public BadInputException Unknown(string module, string name) => new(
        $"{source.Name} names {Excerpt.Plain(module)}.{Excerpt.Plain(name)}, which a checkpoint of weights has no need of; "
        + "Brink never executes what a pickle names: save the weights alone, with torch.save(model.state_dict(), …), or as safetensors.");

    /// <summary>What calling the function would give.</summary>
    /// <param name="function">What stands where Python expects something to call.</param>
    /// <param name="arguments">What stands where Python expects the tuple of arguments.</param>
    /// <param name="charge">Told how many steps the call takes beyond the instruction itself.</param>
    public object Call(object? function, object? arguments, Action<int> charge) => (function, arguments) switch
    {
        (KnownFunction.OrderedDict, object?[] and []) => new PickledDictionary(),
        // Python 2 hands the entries to the constructor.
        (KnownFunction.OrderedDict, object?[] and [List<object?> pairs]) => FromPairs(pairs, charge),
        (KnownFunction.Size, object?[] and [object?[] sizes]) => sizes,
        (KnownFunction.RebuildTensor, object?[] and [PickledStorage storage, long offset, object?[] shape, object?[] strides]) =>
            new PickledTensor(storage, offset, shape, strides),
        (KnownFunction.RebuildTensorV2, object?[] and [PickledStorage storage, long offset, object?[] shape, object?[] strides, _, _, .. { Length: <= 1 }]) =>
            new PickledTensor(storage, offset, shape, strides),
        (KnownFunction.RebuildParameter, object?[] and [PickledTensor tensor, _, _]) => tensor,
        (KnownFunction name, _) => throw source.Refuse($"it calls {name} with arguments of another kind than PyTorch's"),
        _ => throw source.Refuse("it calls something that is not a function"),
    };

    /// <summary>The storage a persistent id stands for: ('storage', type, key, location, count[, view]).</summary>
    public PickledStorage Storage(object? persistentId)
    {
        if (persistentId is not (object?[] and ["storage", ElementType type, string key, _, long count, .. object?[] and { Length: <= 1 } views]))
        {
            throw source.Refuse("a tensor's storage must be given as its type, key, location and length, but is not");
        }

        var (start, length) = views switch
        {
            [] or [null] => (0L, count),
            [object?[] and [_, long viewStart, long viewLength]] => (viewStart, viewLength),
            _ => throw source.Refuse($"the view of storage {Excerpt.Quote(key)} must be given as a key, a start and a length, but is not"),
        };
        if (count < 0 || start < 0 || length < 0 || start > count || length > count - start)
        {
            throw source.Refuse($"storage {Excerpt.Quote(key)} has the impossible length {count}, or a view from {start} over {length} elements that lies outside");
        }

        var storage = new PickledStorage(key, type, count, start, length);
        if (!_storages.TryAdd(key, storage) && (_storages[key].Type != type || _storages[key].Count != count))
        {
            throw source.Refuse($"storage {Excerpt.Quote(key)} must have one type and length, but is given two");
        }

        return storage;
    }

    private PickledDictionary FromPairs(List<object?> pairs, Action<int> charge)
    {
        // The list may be passed again and again by its memo index, so its length has to be paid for each time.
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
