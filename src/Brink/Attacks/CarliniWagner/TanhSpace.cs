using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The tanh substitution that keeps every point within the bounds: x = centre + half width · tanh(w) (Carlini and Wagner 2017, §V.B).</summary>
internal sealed class TanhSpace
{
    // At a bound w would be infinite, so points are moved inward by a millionth of the half width.
    private const double Shrink = 0.999999;

    private readonly Bounds _bounds;
    private readonly Tensor _centre;
    private readonly Tensor _halfWidth;

    /// <summary>Initializes the substitution for images of a type and device.</summary>
    /// <param name="bounds">The bounds of the classifier.</param>
    /// <param name="images">The images, which determine type and device.</param>
    public TanhSpace(Bounds bounds, Tensor images)
    {
        _bounds = bounds;
        var (lower, upper) = (bounds.Lower(images), bounds.Upper(images));
        _centre = Scoped(() => lower.Plus(upper).Times(0.5));
        _halfWidth = Scoped(() => upper.sub(lower).Times(0.5));
    }

    /// <summary>Computes w for the given points.</summary>
    /// <param name="points">The points x, within the bounds.</param>
    public Tensor FromPoints(Tensor points) => Scoped(() => points.sub(_centre).div(_halfWidth).clamp(Scalars.MinusOne, Scalars.One).Times(Shrink).atanh());

    /// <summary>Computes x and dx/dw for the given w.</summary>
    /// <param name="variables">The variables w.</param>
    public (Tensor Points, Tensor Slopes) ToPoints(Tensor variables)
    {
        using var scope = NewDisposeScope();
        var tanh = variables.tanh();
        // The sum may exceed a bound by a rounding error.
        var points = _bounds.Clamp(_centre.Plus(_halfWidth.mul(tanh)));
        var slopes = _halfWidth.mul(tanh.pow(Scalars.Two).neg().Plus(1));
        return (points.MoveToOuterDisposeScope(), slopes.MoveToOuterDisposeScope());
    }
}
