namespace Brink.Models;

/// <summary>A Python dictionary out of a pickle: its entries in the order they were set.</summary>
/// <remarks>A list on purpose. A hash table keyed by what a file says can be made slow with chosen keys; whoever reads the entries lets later ones win.</remarks>
internal sealed class PickledDictionary
{
    public List<KeyValuePair<object?, object?>> Entries { get; } = [];

    public void Set(object? key, object? value) => Entries.Add(new(key, value));
}
