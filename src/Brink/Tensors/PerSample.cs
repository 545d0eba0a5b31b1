using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Tensors;

/// <summary>Operations on a batch that give or use one number per image.</summary>
internal static class PerSample
{
    // Squares of such numbers, and sums of millions of them, neither underflow nor overflow in float32.
    private const double SmallestOrdinary = 1e-12;
    private const double LargestOrdinary = 1e12;

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

    /// <summary>Copies positions to an int64 tensor.</summary>
    /// <param name="positions">The positions.</param>
    /// <param name="device">The device of the tensor.</param>
    public static Tensor Positions(IEnumerable<int> positions, Device device) => tensor(positions.Select(position => (long)position).ToArray(), device: device);

    /// <summary>Computes the inner product of each image, shape [batch], also where the products of entries underflow or overflow.</summary>
    /// <param name="first">The first factors, shape [batch, …].</param>
    /// <param name="second">The second factors, shape [batch, …].</param>
    public static Tensor Dot(Tensor first, Tensor second)
    {
        using var scope = NewDisposeScope();
        var products = OrdinaryDot(first, second);
        if (NotOrdinary(products, first) is not { } rescaled)
        {
            return products.MoveToOuterDisposeScope();
        }

        var ((one, oneScale), (other, otherScale)) = (Scaled(first), Scaled(second));
        return where(rescaled, one.mul(other).sum(1).mul(oneScale).mul(otherScale), products).MoveToOuterDisposeScope();
    }

    /// <summary>Computes the inner product of each image, shape [batch], where no products of entries overflow and those that underflow do not matter, as of unit vectors.</summary>
    /// <param name="first">The first factors, shape [batch, …].</param>
    /// <param name="second">The second factors, shape [batch, …].</param>
    public static Tensor OrdinaryDot(Tensor first, Tensor second)
    {
        using var products = first.mul(second);
        using var rows = products.flatten(1);
        return rows.sum(1);
    }

    /// <summary>Divides each image by its largest absolute entry, so that squares of entries neither underflow nor overflow.</summary>
    /// <param name="batch">The images, shape [batch, …].</param>
    /// <returns>The images as rows, shape [batch, entries], and their divisors, shape [batch]; 1 for an image of zeros or with entries that are not finite.</returns>
    public static (Tensor Rows, Tensor Scales) Scaled(Tensor batch)
    {
        using var scope = NewDisposeScope();
        var flat = batch.flatten(1);
        var largest = flat.abs().amax([1], keepdim: true);
        var scales = largest.masked_fill(largest.gt(Scalars.Zero).logical_and(largest.isfinite()).logical_not(), Scalars.One);
        return (flat.div(scales).MoveToOuterDisposeScope(), scales.squeeze(1).MoveToOuterDisposeScope());
    }

    /// <summary>Flags the images whose sum of products is so small or so large that terms may have underflowed or overflowed; null if there is none.</summary>
    /// <remarks>
    /// Only these are computed again, so that the result for an image does not depend on the others. Terms that underflow are negligible beside a sum
    /// of ordinary size. Where a read would not be cheap, the flags are returned even if none is set.
    /// </remarks>
    /// <param name="values">The sums of products, or norms, shape [batch].</param>
    /// <param name="batch">The images, shape [batch, …], of which they were computed.</param>
    /// <returns>The flags, bool, shape [batch].</returns>
    public static Tensor? NotOrdinary(Tensor values, Tensor batch)
    {
        if (!TensorValues.IsReadCheap(batch))
        {
            using Scalar smallest = Scalars.Of(SmallestOrdinary), largest = Scalars.Of(LargestOrdinary);
            return Scoped(() =>
            {
                var sizes = values.abs();
                return sizes.ge(smallest).logical_and(sizes.le(largest)).logical_not();
            });
        }

        var flags = Array.ConvertAll(values.ToDoubles(), value => Math.Abs(value) is not (>= SmallestOrdinary and <= LargestOrdinary));
        return Array.Exists(flags, flag => flag) ? tensor(flags, device: values.device) : null;
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
