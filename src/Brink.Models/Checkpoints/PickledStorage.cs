namespace Brink.Models;

/// <summary>A run of numbers that a pickle refers to and that lies elsewhere in the file.</summary>
/// <param name="Key">The name under which the file keeps it.</param>
/// <param name="Type">The type of its elements.</param>
/// <param name="Count">How many elements the pickle says it has; to be checked against the file.</param>
/// <param name="ViewStart">The first element that may be seen, other than 0 only for the storage views of PyTorch before 0.4.</param>
/// <param name="ViewCount">How many may be seen from there.</param>
internal sealed record PickledStorage(string Key, ElementType Type, long Count, long ViewStart, long ViewCount)
{
    /// <summary>Its length; null if that does not fit in 63 bits.</summary>
    public long? ByteCount => TensorShape.ByteCount([Count], Type.Size);
}
