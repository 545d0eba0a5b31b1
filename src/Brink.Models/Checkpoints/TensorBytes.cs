using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>Copies raw little-endian bytes directly between streams and tensors.</summary>
internal static class TensorBytes
{
    // Elements per part. A span has at most 2 GiB, and a tensor may be larger.
    private const long MaximumPart = 1L << 27;

    /// <summary>Overwrites a dense CPU tensor with the next bytes of the stream.</summary>
    /// <exception cref="EndOfStreamException">Thrown when the stream ends before the tensor is full.</exception>
    public static void Fill(Tensor tensor, Stream stream, CheckpointSource source)
    {
        var isBool = tensor.dtype == ScalarType.Bool;
        foreach (var part in Parts(tensor))
        {
            using (part)
            {
                var bytes = part.bytes;
                stream.ReadExactly(bytes);
                if (isBool && bytes.ContainsAnyExceptInRange((byte)0, (byte)1))
                {
                    // Any other byte is undefined behaviour in libtorch, where compiled code may assume that a bool is 0 or 1.
                    throw source.Refuse("a Boolean must be the byte 0 or 1, but a Boolean tensor contains another value");
                }
            }
        }
    }

    /// <summary>Writes the elements of a tensor in row-major order.</summary>
    public static void Write(Tensor tensor, Stream stream)
    {
        using var local = tensor.cpu();
        using var dense = local.contiguous();
        foreach (var part in Parts(dense))
        {
            using (part)
            {
                stream.Write(part.bytes);
            }
        }
    }

    private static IEnumerable<Tensor> Parts(Tensor dense)
    {
        var count = dense.numel();
        if (count == 0)
        {
            yield break;
        }

        using var detached = dense.detach();
        using var flat = detached.view(count);
        for (long start = 0; start < count; start += MaximumPart)
        {
            yield return flat.narrow(0, start, Math.Min(MaximumPart, count - start));
        }
    }
}

/// <summary>An element type of checkpoints, with its names in the file formats.</summary>
/// <param name="Scalar">The type in TorchSharp.</param>
/// <param name="SafetensorsName">The name in a safetensors header.</param>
/// <param name="StorageName">The name of the storage class in Python's <c>torch</c>.</param>
/// <param name="Size">The size of an element in bytes.</param>
internal sealed record ElementType(ScalarType Scalar, string SafetensorsName, string StorageName, int Size)
{
    /// <summary>All types, in the order of the enum <c>Dtype</c> of the reference implementation of safetensors, which writes tensors of the last type first.</summary>
    public static IReadOnlyList<ElementType> All { get; } =
    [
        new(ScalarType.Bool, "BOOL", "BoolStorage", 1),
        new(ScalarType.Byte, "U8", "ByteStorage", 1),
        new(ScalarType.Int8, "I8", "CharStorage", 1),
        new(ScalarType.Int16, "I16", "ShortStorage", 2),
        new(ScalarType.Float16, "F16", "HalfStorage", 2),
        new(ScalarType.BFloat16, "BF16", "BFloat16Storage", 2),
        new(ScalarType.Int32, "I32", "IntStorage", 4),
        new(ScalarType.Float32, "F32", "FloatStorage", 4),
        new(ScalarType.Float64, "F64", "DoubleStorage", 8),
        new(ScalarType.Int64, "I64", "LongStorage", 8),
    ];

    /// <summary>The position in <see cref="All"/>.</summary>
    public int Rank => All.TakeWhile(type => type != this).Count();

    /// <summary>Finds the element type of a TorchSharp type.</summary>
    /// <returns>The type; null if no format supports it.</returns>
    public static ElementType? Of(ScalarType scalar) => All.FirstOrDefault(type => type.Scalar == scalar);
}

/// <summary>Arithmetic on shapes from a file, which can contain any numbers.</summary>
internal static class TensorShape
{
    /// <summary>The maximum number of dimensions that most operators of libtorch support.</summary>
    public const int MaximumRank = 64;

    /// <summary>Computes the number of bytes of a dense tensor.</summary>
    /// <remarks>The other sizes are checked even if one size is zero, because libtorch multiplies them to compute strides.</remarks>
    /// <param name="shape">The sizes.</param>
    /// <param name="elementSize">The size of an element in bytes.</param>
    /// <returns>The number of bytes; null if a size is negative, or if the product does not fit in 63 bits.</returns>
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
