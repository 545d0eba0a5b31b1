using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The change of variables that keeps every point within the bounds: x = centre + half width · tanh(w) (Carlini and Wagner 2017, §V.B).</summary>
internal sealed class TanhSpace
{
    // At a bound itself w would be infinite.
    private const double Shrink = 0.999999;

    private readonly Bounds _bounds;
    private readonly Tensor _centre;
    private readonly Tensor _halfWidth;

    /// <summary>For images of the given type and device.</summary>
    public TanhSpace(Bounds bounds, Tensor images)
    {
        _bounds = bounds;
        using var scope = NewDisposeScope();
        using var half = Scalars.Of(0.5);
        var (lower, upper) = (bounds.Lower(images), bounds.Upper(images));
        _centre = lower.Plus(upper).mul(half).MoveToOuterDisposeScope();
        _halfWidth = upper.sub(lower).mul(half).MoveToOuterDisposeScope();
    }

    /// <summary>w of the given points, pulled a millionth inward.</summary>
    public Tensor FromPoints(Tensor points)
    {
        using var scope = NewDisposeScope();
        using var shrink = Scalars.Of(Shrink);
        return points.sub(_centre).div(_halfWidth).clamp(Scalars.MinusOne, Scalars.One).mul(shrink).atanh().MoveToOuterDisposeScope();
    }

    /// <summary>x and dx/dw at the given w.</summary>
    public (Tensor Points, Tensor Slopes) ToPoints(Tensor variables)
    {
        using var scope = NewDisposeScope();
        var tanh = variables.tanh();
        // Rounding can carry the sum past the bound by a last digit.
        var points = _bounds.Clamp(_centre.Plus(_halfWidth.mul(tanh)));
        var slopes = _halfWidth.mul(tanh.pow(Scalars.Two).neg().Plus(Scalars.One));
        return (points.MoveToOuterDisposeScope(), slopes.MoveToOuterDisposeScope());
    }
}
