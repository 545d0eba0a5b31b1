using static TorchSharp.torch;

namespace Brink.Tensors;

/// <summary>Operations on a batch that give or use one number per image.</summary>
internal static class PerSample
{
    /// <summary>Reshapes [batch] to [batch, 1, …, 1], which broadcasts against images.</summary>
    /// <param name="values">One number per image, shape [batch].</param>
    /// <param name="images">The images, shape [batch, …].</param>
    public static Tensor Broadcast(Tensor values, Tensor images) =>
        values.reshape([values.shape[0], .. Enumerable.Repeat(1L, (int)images.dim() - 1)]);

    /// <summary>Returns the positions 0, 1, …, count − 1 as an int64 tensor.</summary>
    /// <param name="count">The number of positions.</param>
    /// <param name="device">The device of the tensor.</param>
    public static Tensor Positions(long count, Device device)
    {
        using var end = Scalars.Of(count);
        return arange(Scalars.Zero, end, Scalars.One, ScalarType.Int64, device);
    }

    /// <summary>Computes the inner product of each image, shape [batch], also where the products of entries underflow or overflow.</summary>
    /// <param name="first">The first factors, shape [batch, …].</param>
    /// <param name="second">The second factors, shape [batch, …].</param>
    public static Tensor Dot(Tensor first, Tensor second)
    {
        using var scope = NewDisposeScope();
        var ((one, oneScale), (other, otherScale)) = (Scaled(first), Scaled(second));
        return one.mul(other).sum(1).mul(oneScale).mul(otherScale).MoveToOuterDisposeScope();
    }

    /// <summary>Divides each image by its largest absolute entry if that is so small or so large that squares of entries would underflow or overflow.</summary>
    /// <param name="batch">The images, shape [batch, …].</param>
    /// <returns>The images as rows, shape [batch, entries], and their divisors, shape [batch]. The divisor is 1 for entries of ordinary size.</returns>
    public static (Tensor Rows, Tensor Scales) Scaled(Tensor batch)
    {
        using var scope = NewDisposeScope();
        var flat = batch.flatten(1);
        var largest = flat.abs().amax([1], keepdim: true);
        var isOrdinary = largest.ge(Scalars.SmallestOrdinary).logical_and(largest.le(Scalars.LargestOrdinary));
        // An image of zeros, infinity or NaN is left as it is.
        var scales = largest.masked_fill(isOrdinary.logical_or(largest.gt(Scalars.Zero).logical_and(largest.isfinite()).logical_not()), Scalars.One);
        return (flat.div(scales).MoveToOuterDisposeScope(), scales.squeeze(1).MoveToOuterDisposeScope());
    }

    /// <summary>Determines for each image whether all entries are finite, bool, shape [batch].</summary>
    /// <param name="batch">The images, shape [batch, …].</param>
    public static Tensor IsFinite(Tensor batch)
    {
        using var scope = NewDisposeScope();
        // 0·∞ and 0·NaN are NaN, every other product is 0. In libtorch, arithmetic is several times faster than masks.
        return batch.reshape(batch.shape[0], -1).mul(Scalars.Zero).sum(1).eq(Scalars.Zero).MoveToOuterDisposeScope();
    }
}
