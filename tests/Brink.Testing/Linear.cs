using static TorchSharp.torch;

namespace Brink.Testing;

/// <summary>Classifiers whose logits are linear in the image, z = Wx + b, so that the smallest perturbation is known.</summary>
public sealed class Linear : IClassifier
{
    private readonly double[][] _weights;
    private readonly double[] _offsets;

    public Linear(double[][] weights, double[] offsets, Bounds? bounds = null)
    {
        (_weights, _offsets) = (weights, offsets);
        Bounds = bounds ?? new Bounds(-100, 100);
    }

    public string Name => "linear";

    public int ClassCount => _offsets.Length;

    public Bounds Bounds { get; }

    /// <summary>The second are zero, and that is all there is to say about them.</summary>
    public Derivatives Derivatives => Derivatives.Second;

    /// <summary>Two classes: class 0 where ⟨w, x⟩ + b &lt; 0, class 1 where it is positive. Unequal weights, or L2 and L∞ share their nearest point.</summary>
    public static Linear HalfSpace(int size, int seed, Bounds? bounds = null)
    {
        var random = new Random(seed);
        var weights = Enumerable.Range(0, size).Select(_ => (random.NextDouble() * 4) - 2).ToArray();
        // Shifted so that the middle of the box lies in class 0, not far from the boundary.
        var middle = bounds == Bounds.Pixels ? weights.Sum() / 2 : 0;
        return new([new double[size], weights], [0, -middle - (0.1 * weights.Sum(Math.Abs))], bounds);
    }

    /// <summary>Several classes with random normals.</summary>
    public static Linear Classes(int count, int size, int seed, Bounds? bounds = null)
    {
        var random = new Random(seed);
        return new([.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, size).Select(_ => (random.NextDouble() * 2) - 1).ToArray())], [.. Enumerable.Range(0, count).Select(_ => random.NextDouble())], bounds);
    }

    public Tensor Logits(Tensor images)
    {
        using var scope = NewDisposeScope();
        var weights = tensor(_weights.SelectMany(row => row).ToArray(), dtype: images.dtype).reshape(ClassCount, -1);
        return images.flatten(1).matmul(weights.t()).add(tensor(_offsets, dtype: images.dtype)).MoveToOuterDisposeScope();
    }

    public IDisposable EnterEvaluation() => NewDisposeScope();

    /// <summary>The class of one image.</summary>
    public int ClassOf(double[] image)
    {
        var logits = Logits(image);
        return Array.IndexOf(logits, logits.Max());
    }

    /// <summary>The length of the smallest perturbation with which <paramref name="target"/> overtakes <paramref name="label"/>, Bounds left aside: −f/‖w_t − w_y‖_q.</summary>
    public double DistanceToFace(double[] image, int label, int target, Norm norm)
    {
        var logits = Logits(image);
        var normal = _weights[target].Zip(_weights[label], (a, b) => a - b);
        return (logits[label] - logits[target]) / (norm == Norm.L2 ? Math.Sqrt(normal.Sum(w => w * w)) : normal.Sum(Math.Abs));
    }

    /// <summary>The same inside a box: the smallest r for which some point of the box within r lies on the boundary, by bisection on the exact solution.</summary>
    /// <remarks>Inside a box [l, u] the best step is clip(x + μw) in L2 and clip(x + r·sign w) in L∞ (KKT conditions of a half-space and a box).</remarks>
    public double DistanceToFaceInBox(double[] image, int label, int target, Norm norm, double lower, double upper)
    {
        var normal = _weights[target].Zip(_weights[label], (a, b) => a - b).ToArray();
        double[] Point(double scale) => [.. image.Zip(normal, (x, w) => Math.Clamp(x + (scale * (norm == Norm.L2 ? w : Math.Sign(w))), lower, upper))];
        double Gap(double scale)
        {
            var logits = Logits(Point(scale));
            return logits[target] - logits[label];
        }

        var (low, high) = (0.0, 1e6);
        if (Gap(high) < 0)
        {
            return double.PositiveInfinity;
        }

        for (var halving = 0; halving < 200; halving++)
        {
            var middle = (low + high) / 2;
            (low, high) = Gap(middle) < 0 ? (middle, high) : (low, middle);
        }

        var differences = Point(high).Zip(image, (a, b) => a - b).ToArray();
        return norm == Norm.L2 ? Math.Sqrt(differences.Sum(d => d * d)) : differences.Max(Math.Abs);
    }

    private double[] Logits(double[] image) =>
        [.. _weights.Zip(_offsets, (row, offset) => row.Zip(image, (w, x) => w * x).Sum() + offset)];
}
