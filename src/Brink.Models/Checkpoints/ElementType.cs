using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>A type of number that checkpoints hold, and what each format calls it.</summary>
/// <param name="Scalar">The type in TorchSharp.</param>
/// <param name="SafetensorsName">The name in a safetensors header.</param>
/// <param name="StorageName">The class in Python's <c>torch</c> that stores it.</param>
/// <param name="Size">Bytes an element.</param>
internal sealed record ElementType(ScalarType Scalar, string SafetensorsName, string StorageName, int Size)
{
    /// <summary>All of them, in the order by which the reference implementation of safetensors lays tensors out (its enum <c>Dtype</c>), last first.</summary>
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

    public static ElementType? Of(ScalarType scalar) => All.FirstOrDefault(type => type.Scalar == scalar);
}
