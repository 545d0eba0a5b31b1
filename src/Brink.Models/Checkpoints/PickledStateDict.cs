using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>The tensors of a checkpoint before their storages are read: found, named and checked.</summary>
internal sealed class PickledStateDict
{
    private const string DataParallelPrefix = "module.";

    private readonly List<TensorView> _views;

    private PickledStateDict(List<TensorView> views, IReadOnlyDictionary<string, PickledStorage> storages)
    {
        _views = views;
        Storages = storages;
    }

    /// <summary>The storages that these tensors need, by key. A checkpoint may have others, such as an optimiser's.</summary>
    public IReadOnlyDictionary<string, PickledStorage> Storages { get; }

    /// <summary>Finds the state dict in what was unpickled: the dictionary itself, or the one dictionary in it, that has tensors as values.</summary>
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
                throw source.Refuse($"its tensors, {Excerpt.Quote(view.Name)} among them, show the same stored numbers so often that they are out of all proportion to the file");
            }

            storages.TryAdd(view.Storage.Key, view.Storage);
        }

        return new PickledStateDict(views, storages);
    }

    /// <summary>The tensors by name, moved to the caller's dispose scope.</summary>
    /// <param name="storages">The contents of each of <see cref="Storages"/>; the tensors keep what they need of them alive.</param>
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
            throw source.Refuse("it must hold a dictionary from names to tensors, but holds a single object");
        }

        // Later entries win, as in Python.
        var nested = new OrderedDictionary<string, PickledDictionary>(StringComparer.Ordinal);
        foreach (var (key, value) in dictionary.Entries)
        {
            var name = key as string ?? "a key that is not text";
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
            (false, 0) when dictionary.Entries.Count == 0 => throw source.Refuse("it must hold a dictionary from names to tensors, but the dictionary is empty"),
            (false, 0) => throw source.Refuse($"it must hold a dictionary from names to tensors, but has no tensors under its keys {KeysOf(dictionary)}"),
            (false, _) => throw source.Refuse($"it must hold one dictionary of tensors, but has several, under the keys {Excerpt.List(nested.Keys)}"),
            (true, _) => throw source.Refuse($"it must hold one dictionary of tensors, but has tensors of its own and more under the keys {Excerpt.List(nested.Keys)}"),
        };
    }

    private static bool HasTensors(PickledDictionary dictionary) => dictionary.Entries.Exists(entry => entry.Value is PickledTensor);

    private static string KeysOf(PickledDictionary dictionary) =>
        Excerpt.List([.. dictionary.Entries.Select(entry => entry.Key).OfType<string>().Distinct(StringComparer.Ordinal)]);

    // Numbers and texts beside the tensors are of no use here.
    private static OrderedDictionary<string, PickledTensor> NamedTensors(PickledDictionary dictionary, CheckpointSource source)
    {
        var tensors = new OrderedDictionary<string, PickledTensor>(StringComparer.Ordinal);
        foreach (var (key, value) in dictionary.Entries)
        {
            if (value is PickledTensor tensor)
            {
                tensors[key as string ?? throw source.Refuse("a tensor's name must be text, but one is not")] = tensor;
            }
        }

        return tensors;
    }

    // torch.nn.DataParallel wraps a network and puts this before every name.
    private static IEnumerable<KeyValuePair<string, PickledTensor>> WithoutPrefix(OrderedDictionary<string, PickledTensor> tensors) =>
        tensors.Keys.All(name => name.StartsWith(DataParallelPrefix, StringComparison.Ordinal))
            ? tensors.Select(named => KeyValuePair.Create(named.Key[DataParallelPrefix.Length..], named.Value))
            : tensors;
}
