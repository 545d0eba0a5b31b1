using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Testing;

/// <summary>A classifier with an ellipsoid as boundary between two classes: the logit gap is quadratic, and the exact distance is known.</summary>
/// <param name="semiAxes">The semi-axes of the ellipsoid.</param>
/// <param name="outside">Whether class 1 is outside the ellipsoid instead of inside.</param>
public sealed class Ellipsoid(double[] semiAxes, bool outside) : IClassifier
{
    public string Name => "ellipsoid";

    public int ClassCount => 2;

    public Bounds Bounds { get; } = new(-100, 100);

    public Derivatives Derivatives => Derivatives.Second;

    public Tensor Logits(Tensor images)
    {
        using var scope = NewDisposeScope();
        var level = images.flatten(1).div(tensor(semiAxes, dtype: images.dtype)).pow(Scalars.Two).sum(1).sub(Scalars.One);
        var gap = outside ? level : level.neg();
        return stack([zeros_like(gap), gap], 1).MoveToOuterDisposeScope();
    }

    public IDisposable EnterEvaluation() => NewDisposeScope();

    /// <summary>Computes the exact distance from a point to the ellipsoid.</summary>
    /// <remarks>
    /// The nearest point is y_i = a_i² x_i / (a_i² + t), with the t &gt; −min a² for which y is on the ellipsoid (Eberly, Distance from a point to an
    /// ellipse, §2.9). The level decreases with t, so bisection finds it.
    /// </remarks>
    /// <param name="point">The point.</param>
    public double Distance(double[] point)
    {
        double Nearest(int i, double t) => semiAxes[i] * semiAxes[i] * point[i] / ((semiAxes[i] * semiAxes[i]) + t);
        double Level(double t) => Enumerable.Range(0, point.Length).Sum(i => Math.Pow(Nearest(i, t) / semiAxes[i], 2)) - 1;
        var (low, high) = (-semiAxes.Min(axis => axis * axis), 1e6);
        for (var halving = 0; halving < 200; halving++)
        {
            var middle = (low + high) / 2;
            (low, high) = Level(middle) > 0 ? (middle, high) : (low, middle);
        }

        return Math.Sqrt(Enumerable.Range(0, point.Length).Sum(i => Math.Pow(Nearest(i, high) - point[i], 2)));
    }
}
