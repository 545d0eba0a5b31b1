using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>A pickled tensor whose claims have been checked: sizes and strides that stay within the storage.</summary>
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

    /// <summary>Where its elements lie.</summary>
    public PickledStorage Storage { get; }

    /// <summary>The bytes a dense copy would take.</summary>
    public long ByteCount { get; }

    /// <summary>Checks a tensor's claims.</summary>
    public static TensorView Check(string name, PickledTensor tensor, CheckpointSource source)
    {
        if (Integers(tensor.Shape) is not { } shape || Integers(tensor.Strides) is not { } strides || shape.Length != strides.Length)
        {
            throw source.Refuse($"each size of a tensor needs a stride, both whole numbers, but those of {Excerpt.Quote(name)} are not");
        }

        if (shape.Length > TensorShape.MaximumRank)
        {
            throw source.Refuse($"a tensor may have {TensorShape.MaximumRank} dimensions, but {Excerpt.Quote(name)} has {shape.Length}");
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

    /// <summary>The tensor. It shares memory with the storage, as in PyTorch, so that tied weights stay tied.</summary>
    public Tensor On(Tensor storage) =>
        // An empty tensor's strides mean nothing, and libtorch may yet multiply them.
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
