using static TorchSharp.torch;

namespace Brink.Testing;

/// <summary>Two classes with an ellipsoid between them, so that the logit gap is quadratic and the distance to the other class known.</summary>
/// <param name="semiAxes">Its half axes.</param>
/// <param name="outside">Whether class 1 is outside rather than inside.</param>
public sealed class Ellipsoid(double[] semiAxes, bool outside) : IClassifier
{
    public string Name => "ellipsoid";

    public int ClassCount => 2;

    public Bounds Bounds { get; } = new(-100, 100);

    public Derivatives Derivatives => Derivatives.Second;

    public Tensor Logits(Tensor images)
    {
        using var scope = NewDisposeScope();
        var level = images.flatten(1).div(tensor(semiAxes, dtype: images.dtype)).square().sum(1).sub(1);
        var gap = outside ? level : level.neg();
        return stack([zeros_like(gap), gap], 1).MoveToOuterDisposeScope();
    }

    public IDisposable EnterEvaluation() => NewDisposeScope();

    /// <summary>The exact distance from a point to the ellipsoid.</summary>
    /// <remarks>The nearest point is y_i = a_i² x_i / (a_i² + t), with the t above −min a² that puts it on the ellipsoid (Eberly, Distance from a point to an ellipse, §2.9): the left side below falls with t.</remarks>
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
