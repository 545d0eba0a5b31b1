using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Testing;

/// <summary>A classifier with linear logits, z = Wx + b, for which the smallest perturbation is known.</summary>
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

    /// <summary>First and second derivatives; the second derivatives are exactly zero.</summary>
    public Derivatives Derivatives => Derivatives.Second;

    /// <summary>Creates a classifier with class 0 where ⟨w, x⟩ + b &lt; 0 and class 1 elsewhere. The weights are unequal, otherwise L2 and L∞ would have the same nearest point.</summary>
    /// <param name="size">The number of entries of an image.</param>
    /// <param name="seed">The seed of the weights.</param>
    /// <param name="bounds">The bounds; null for −100 and 100.</param>
    public static Linear HalfSpace(int size, int seed, Bounds? bounds = null)
    {
        var random = new Random(seed);
        var weights = Enumerable.Range(0, size).Select(_ => (random.NextDouble() * 4) - 2).ToArray();
        // Shifted so that the middle of the box is in class 0 and near the boundary.
        var middle = bounds == Bounds.Pixels ? weights.Sum() / 2 : 0;
        return new([new double[size], weights], [0, -middle - (0.1 * weights.Sum(Math.Abs))], bounds);
    }

    /// <summary>Creates a classifier with several classes and random weights.</summary>
    /// <param name="count">The number of classes.</param>
    /// <param name="size">The number of entries of an image.</param>
    /// <param name="seed">The seed of the weights.</param>
    /// <param name="bounds">The bounds; null for −100 and 100.</param>
    public static Linear Classes(int count, int size, int seed, Bounds? bounds = null)
    {
        var random = new Random(seed);
        return new([.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, size).Select(_ => (random.NextDouble() * 2) - 1).ToArray())], [.. Enumerable.Range(0, count).Select(_ => random.NextDouble())], bounds);
    }

    public Tensor Logits(Tensor images)
    {
        using var scope = NewDisposeScope();
        var weights = tensor(_weights.SelectMany(row => row).ToArray(), dtype: images.dtype).reshape(ClassCount, -1);
        return images.flatten(1).matmul(weights.t()).Plus(tensor(_offsets, dtype: images.dtype)).MoveToOuterDisposeScope();
    }

    public IDisposable EnterEvaluation() => NewDisposeScope();

    /// <summary>Returns the predicted class of one image.</summary>
    /// <param name="image">The image.</param>
    public int ClassOf(double[] image)
    {
        var logits = Logits(image);
        return Array.IndexOf(logits, logits.Max());
    }

    /// <summary>Computes the exact distance −f/‖w_t − w_y‖_q to the boundary between two classes, without bounds.</summary>
    /// <param name="image">The image.</param>
    /// <param name="label">The label y.</param>
    /// <param name="target">The target class t.</param>
    /// <param name="norm">The norm of the distance.</param>
    public double DistanceToFace(double[] image, int label, int target, Norm norm)
    {
        var logits = Logits(image);
        var normal = _weights[target].Zip(_weights[label], (a, b) => a - b);
        return (logits[label] - logits[target]) / (norm == Norm.L2 ? Math.Sqrt(normal.Sum(w => w * w)) : normal.Sum(Math.Abs));
    }

    /// <summary>Computes the exact distance to the boundary between two classes within a box.</summary>
    /// <remarks>The nearest point is clip(x + μw) in L2 and clip(x + μ sign w) in L∞ (KKT conditions of a half-space and a box); bisection finds μ.</remarks>
    /// <param name="image">The image.</param>
    /// <param name="label">The label.</param>
    /// <param name="target">The target class.</param>
    /// <param name="norm">The norm of the distance.</param>
    /// <param name="lower">The lower bound of the box.</param>
    /// <param name="upper">The upper bound of the box.</param>
    public double DistanceToFaceInBox(double[] image, int label, int target, Norm norm, double lower, double upper)
    {
        var normal = _weights[target].Zip(_weights[label], (a, b) => a - b).ToArray();
        var order = Enumerable.Range(0, normal.Length).OrderByDescending(entry => Math.Abs(normal[entry])).ToArray();
        double[] Point(double scale) => norm == Norm.L1 ? Filled(scale) : [.. image.Zip(normal, (x, w) => Math.Clamp(x + (scale * (norm == Norm.L2 ? w : Math.Sign(w))), lower, upper))];

        // In L1 the entries with the largest weights are moved to their bounds, one after the other.
        double[] Filled(double budget)
        {
            var point = (double[])image.Clone();
            foreach (var entry in order)
            {
                point[entry] = Math.Clamp(image[entry] + (budget * Math.Sign(normal[entry])), lower, upper);
                budget -= Math.Abs(point[entry] - image[entry]);
            }

            return point;
        }

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
        return norm == Norm.L2 ? Math.Sqrt(differences.Sum(d => d * d)) : norm == Norm.L1 ? differences.Sum(Math.Abs) : differences.Max(Math.Abs);
    }

    private double[] Logits(double[] image) =>
        [.. _weights.Zip(_offsets, (row, offset) => row.Zip(image, (w, x) => w * x).Sum() + offset)];
}
