namespace Brink.Models;

/// <summary>Arithmetic on shapes that a file claims, which may be anything.</summary>
internal static class TensorShape
{
    /// <summary>libtorch's own limit (64 dimensions) for most operators; beyond it they throw or worse.</summary>
    public const int MaximumRank = 64;

    /// <summary>The number of bytes of a dense tensor; null if a size is negative, or if the product does not fit in 63 bits.</summary>
    /// <remarks>A size of zero does not excuse the others: libtorch multiplies them into strides.</remarks>
    public static long? ByteCount(IReadOnlyList<long> shape, int elementSize)
    {
        Int128 bytes = elementSize;
        var empty = false;
        foreach (var size in shape)
        {
            bytes *= Math.Max(size, 1);
            empty |= size == 0;
            if (size < 0 || bytes > long.MaxValue)
            {
                return null;
            }
        }

        return empty ? 0 : (long)bytes;
    }
}
