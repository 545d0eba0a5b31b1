using static TorchSharp.torch;

namespace Brink;

/// <summary>The smallest and largest valid value of each entry of an image.</summary>
/// <remarks>Kept in double precision and rounded to the type of the images they are used with, so that a bound of a float32 image is itself a float32 number.</remarks>
public sealed class Bounds
{
    private readonly double[] _lower;
    private readonly double[] _upper;
    private readonly long[] _shape;

    /// <summary>The same bounds for every entry.</summary>
    /// <param name="lower">The smallest valid value.</param>
    /// <param name="upper">The largest valid value.</param>
    /// <exception cref="ArgumentException">A bound is not finite, or the lower is not below the upper.</exception>
    public Bounds(double lower, double upper)
        : this([lower], [upper], [])
    {
    }

    /// <summary>Bounds that broadcast against an image.</summary>
    /// <param name="lower">The smallest valid values, row-major.</param>
    /// <param name="upper">The largest valid values, as many.</param>
    /// <param name="shape">Their shape; it broadcasts against an image without its batch dimension.</param>
    /// <exception cref="ArgumentException">The lengths do not agree, a bound is not finite, or a lower is not below its upper.</exception>
    public Bounds(IReadOnlyList<double> lower, IReadOnlyList<double> upper, IReadOnlyList<long> shape)
    {
        ArgumentNullException.ThrowIfNull(lower);
        ArgumentNullException.ThrowIfNull(upper);
        ArgumentNullException.ThrowIfNull(shape);
        if (lower.Count != upper.Count || lower.Count != shape.Aggregate(1L, (product, length) => product * length))
        {
            throw new ArgumentException($"Bounds need as many lower as upper values, filling their shape, but there are {lower.Count} lower and {upper.Count} upper values for shape [{string.Join(", ", shape)}].", nameof(lower));
        }

        for (var entry = 0; entry < lower.Count; entry++)
        {
            if (!double.IsFinite(lower[entry]) || !double.IsFinite(upper[entry]) || lower[entry] >= upper[entry])
            {
                throw new ArgumentException(FormattableString.Invariant($"Bounds need finite values, the lower below the upper, but entry {entry} runs from {lower[entry]} to {upper[entry]}."), nameof(lower));
            }
        }

        (_lower, _upper, _shape) = ([.. lower], [.. upper], [.. shape]);
    }

    /// <summary>Pixels: 0 to 1.</summary>
    public static Bounds Pixels { get; } = new(0, 1);

    /// <summary>Bounds for each channel of an image [channels, height, width].</summary>
    /// <param name="lower">The smallest valid value of each channel.</param>
    /// <param name="upper">The largest valid value of each channel.</param>
    /// <exception cref="ArgumentException">The lengths do not agree, a bound is not finite, or a lower is not below its upper.</exception>
    public static Bounds PerChannel(IReadOnlyList<double> lower, IReadOnlyList<double> upper)
    {
        ArgumentNullException.ThrowIfNull(lower);
        return new(lower, upper, [lower.Count, 1, 1]);
    }

    /// <summary>The smallest valid values, in the type and on the device of <paramref name="images"/>, broadcasting against them.</summary>
    public Tensor Lower(Tensor images) => Like(_lower, images);

    /// <summary>The largest valid values, in the type and on the device of <paramref name="images"/>, broadcasting against them.</summary>
    public Tensor Upper(Tensor images) => Like(_upper, images);

    /// <summary>The images with every entry moved to the nearest valid value.</summary>
    public Tensor Clamp(Tensor images)
    {
        using var lower = Lower(images);
        using var upper = Upper(images);
        using var raised = maximum(images, lower);
        // The same as clamp with tensors, at a fifth of its time.
        return minimum(raised, upper);
    }

    /// <summary>Whether all entries of each image are valid, [batch] of bool. NaN never is.</summary>
    /// <param name="images">[batch, …].</param>
    /// <param name="slack">By how much an entry may lie outside, as a share of the bound's own size (at least 1).</param>
    public Tensor Contain(Tensor images, double slack = 0)
    {
        using var scope = NewDisposeScope();
        var (lower, upper) = (Lower(images), Upper(images));
        using var share = Scalars.Of(slack);
        var inside = images.ge(lower - lower.abs().clamp_min(Scalars.One).mul(share)).logical_and(images.le(upper.Plus(upper.abs().clamp_min(Scalars.One).mul(share))));
        return inside.reshape(images.shape[0], -1).all(1).MoveToOuterDisposeScope();
    }

    /// <summary>Whether these bounds broadcast against images of the given shape [batch, …].</summary>
    internal bool Fit(long[] shape)
    {
        var missing = shape.Length - 1 - _shape.Length;
        return missing >= 0 && Enumerable.Range(0, _shape.Length).All(dimension => _shape[dimension] == 1 || _shape[dimension] == shape[dimension + 1 + missing]);
    }

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"[{string.Join(", ", _lower.Select(Short))}] to [{string.Join(", ", _upper.Select(Short))}]");

    private static string Short(double value) => value.ToString("0.####", System.Globalization.CultureInfo.InvariantCulture);

    private Tensor Like(double[] values, Tensor images)
    {
        using var scope = NewDisposeScope();
        return tensor(values, dtype: images.dtype, device: images.device).reshape(_shape).MoveToOuterDisposeScope();
    }
}
