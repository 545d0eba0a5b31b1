using Brink.Evaluation.Runs;
using static TorchSharp.torch;

namespace Brink.Reports.Pictures;

/// <summary>A plane through input space, given by an image and two orthogonal directions of length 1.</summary>
/// <remarks>
/// The first direction is that of the shortest perturbation. The second is the part orthogonal to it of the perturbation of another attack;
/// if that part is negligible, of the point of a path that is farthest from the line; otherwise of a random direction.
/// </remarks>
internal sealed class SlicePlane
{
    /// <summary>The smallest usable orthogonal part, as a share of the shortest perturbation.</summary>
    /// <value>1e-3; smaller parts are dominated by rounding.</value>
    private const double LeastPart = 1e-3;

    private readonly double[] _origin;
    private readonly double[] _first;
    private readonly double[] _second;

    private SlicePlane(double[] origin, double[] first, double[] second) => (_origin, _first, _second) = (origin, first, second);

    /// <summary>Chooses the plane for the paths of attacks on one image.</summary>
    /// <param name="paths">The paths, at least one.</param>
    /// <param name="seed">The seed of the random direction, if one is needed.</param>
    /// <returns>The plane.</returns>
    /// <exception cref="BadInputException">All points of all paths are the image itself.</exception>
    public static SlicePlane Through(IReadOnlyList<AttackPath> paths, int seed)
    {
        ArgumentNullException.ThrowIfNull(paths);
        double[] origin = [.. paths[0].Points[0].Select(value => (double)value)];
        double[] From(float[] point) => [.. point.Zip(origin, (value, start) => value - start)];
        var ends = paths.Where(path => path.Result.Fooled).Select(path => From(path.End)).OrderBy(Length).ToArray();
        var visited = paths.SelectMany(path => path.Points).Select(From).ToArray();
        var nearest = ends.Length > 0 ? ends[0] : visited.MaxBy(Length)!;
        var length = Length(nearest);
        if (length == 0)
        {
            throw new BadInputException("A slice needs an attack that changes the image, but none did; give another image or another attack.");
        }

        var first = Scale(nearest, 1 / length);
        var random = new Random(seed);
        var second = Farthest(ends) ?? Farthest(visited) ?? Without(first, [.. origin.Select(_ => random.NextDouble() - 0.5)]);
        return new(origin, first, Scale(second, 1 / Length(second)));

        double[]? Farthest(double[][] differences) => differences.Select(difference => Without(first, difference)).MaxBy(Length) is { } farthest && Length(farthest) > LeastPart * length ? farthest : null;
    }

    /// <summary>Projects a point onto the plane.</summary>
    /// <param name="point">The point, flattened.</param>
    /// <returns>The coordinates in the plane and the distance from it.</returns>
    public (double X, double Y, double Away) Project(float[] point)
    {
        ArgumentNullException.ThrowIfNull(point);
        double[] difference = [.. point.Zip(_origin, (value, start) => value - start)];
        var (x, y) = (Dot(difference, _first), Dot(difference, _second));
        return (x, y, Math.Sqrt(Math.Max(0, Dot(difference, difference) - (x * x) - (y * y))));
    }

    /// <summary>Returns the point with given coordinates in the plane, which may lie outside the bounds.</summary>
    /// <param name="x">The coordinate along the first direction.</param>
    /// <param name="y">The coordinate along the second direction.</param>
    /// <returns>The point, flattened.</returns>
    public float[] At(double x, double y) => [.. _origin.Select((start, entry) => (float)(start + (x * _first[entry]) + (y * _second[entry])))];

    private static double[] Without(double[] direction, double[] vector)
    {
        var part = Dot(direction, vector);
        return [.. vector.Zip(direction, (value, unit) => value - (part * unit))];
    }

    private static double[] Scale(double[] vector, double factor) => [.. vector.Select(value => value * factor)];

    private static double Length(double[] vector) => Math.Sqrt(Dot(vector, vector));

    private static double Dot(double[] left, double[] right) => left.Zip(right, (a, b) => a * b).Sum();
}

/// <summary>The predictions of a model on a grid in a plane.</summary>
internal sealed class SliceMap
{
    /// <summary>The number of rows and of columns of the grid.</summary>
    /// <value>513: about the resolution of the picture, and 16 · 32 + 1, so that the grid can be refined by halving.</value>
    internal const int Side = 513;

    // Every sixteenth point is evaluated. Finer points are evaluated only if the points around them disagree.
    private const int Coarsest = 16;
    private const int Batch = 128;
    private const int Unknown = int.MinValue;

    private readonly int[] _classes = new int[Side * Side];

    private SliceMap() => Array.Fill(_classes, Unknown);

    /// <summary>The prediction at a grid point, or −1 if a logit is not finite.</summary>
    /// <param name="row">The row, 0 at the top.</param>
    /// <param name="column">The column, 0 on the left.</param>
    public int this[int row, int column] => _classes[(row * Side) + column];

    /// <summary>Evaluates a model on the grid.</summary>
    /// <param name="model">The model.</param>
    /// <param name="shape">The shape of an image.</param>
    /// <param name="point">The point in input space by row and column, flattened.</param>
    /// <param name="device">The device of the computation.</param>
    /// <param name="cancellationToken">Cancels before the next batch.</param>
    /// <returns>The map.</returns>
    public static SliceMap Of(OpenedModel model, long[] shape, Func<int, int, float[]> point, Device device, CancellationToken cancellationToken)
    {
        var map = new SliceMap();
        map.Evaluate(Nodes(Coarsest), model, shape, point, device, cancellationToken);
        for (var step = Coarsest; step > 1; step /= 2)
        {
            var open = Nodes(step / 2).Where(node => !map.Fill(node.Row, node.Column, step)).ToArray();
            map.Evaluate(open, model, shape, point, device, cancellationToken);
        }

        return map;
    }

    private static IEnumerable<(int Row, int Column)> Nodes(int step)
    {
        for (var row = 0; row < Side; row += step)
        {
            for (var column = 0; column < Side; column += step)
            {
                yield return (row, column);
            }
        }
    }

    /// <summary>Sets the prediction at a grid point to that of the corners of its coarse cell, if these agree. Returns whether the prediction is known.</summary>
    private bool Fill(int row, int column, int step)
    {
        if (this[row, column] != Unknown)
        {
            return true;
        }

        int top = row / step * step, left = column / step * step;
        int bottom = Math.Min(top + step, Side - 1), right = Math.Min(left + step, Side - 1);
        var corner = this[top, left];
        if (corner != this[top, right] || corner != this[bottom, left] || corner != this[bottom, right])
        {
            return false;
        }

        _classes[(row * Side) + column] = corner;
        return true;
    }

    private void Evaluate(IEnumerable<(int Row, int Column)> nodes, OpenedModel model, long[] shape, Func<int, int, float[]> point, Device device, CancellationToken cancellationToken)
    {
        using var withoutGradients = no_grad();
        using var evaluation = model.Classifier.EnterEvaluation();
        foreach (var batch in nodes.Chunk(Batch))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var points = tensor(batch.SelectMany(node => point(node.Row, node.Column)).ToArray(), [batch.Length, .. shape]).to(device);
            // Points outside the bounds are not images and are moved to the nearest image.
            var classes = model.Predict(model.Classifier.Bounds.Clamp(points));
            foreach (var (node, found) in batch.Zip(classes))
            {
                _classes[(node.Row * Side) + node.Column] = (int)found;
            }
        }
    }
}
