using static TorchSharp.torch;

namespace Brink.Tensors;

/// <summary>Arithmetic with one number an image.</summary>
internal static class PerSample
{
    /// <summary>Shapes [batch] as [batch, 1, …, 1], so that it multiplies a batch of images.</summary>
    public static Tensor Broadcast(Tensor values, Tensor images) =>
        values.reshape([values.shape[0], .. Enumerable.Repeat(1L, (int)images.dim() - 1)]);

    /// <summary>0, 1, …, count − 1, int64.</summary>
    public static Tensor Positions(long count, Device device)
    {
        using var end = Scalars.Of(count);
        return arange(Scalars.Zero, end, Scalars.One, ScalarType.Int64, device);
    }

    /// <summary>⟨a, b⟩ of each image, [batch].</summary>
    public static Tensor Dot(Tensor first, Tensor second)
    {
        using var scope = NewDisposeScope();
        return first.mul(second).flatten(1).sum(1).MoveToOuterDisposeScope();
    }

    /// <summary>Whether every entry of an image is a finite number, [batch] of bool.</summary>
    public static Tensor IsFinite(Tensor batch)
    {
        using var scope = NewDisposeScope();
        // 0·∞ and 0·NaN are NaN, all else is 0: arithmetic is several times faster in libtorch than masks are.
        return batch.reshape(batch.shape[0], -1).mul(Scalars.Zero).sum(1).eq(Scalars.Zero).MoveToOuterDisposeScope();
    }
}
