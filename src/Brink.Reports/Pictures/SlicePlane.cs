namespace Brink.Reports.Pictures;

/// <summary>A plane through input space: an image, and two directions of length 1 at right angles.</summary>
/// <remarks>
/// The first leads to the nearest adversarial image that was found. The second is what is left, after the first is taken out, of the way to
/// another attack's adversarial image; else of the point of a path that leaves the line farthest; else of a random direction.
/// </remarks>
public sealed class SlicePlane
{
    /// <summary>1e-3: a smaller part of a perturbation beside the line is rounding more than direction.</summary>
    private const double LeastPart = 1e-3;

    private readonly double[] _origin;
    private readonly double[] _first;
    private readonly double[] _second;

    private SlicePlane(double[] origin, double[] first, double[] second) => (_origin, _first, _second) = (origin, first, second);

    /// <summary>The plane in which paths from one image are seen best.</summary>
    /// <param name="paths">At least one path.</param>
    /// <param name="seed">Of the random direction, where one is needed.</param>
    /// <exception cref="BadInputException">No attack left the image.</exception>
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
            throw new BadInputException("A slice needs an attack that leaves the image, but none did; give another image, or another attack.");
        }

        var first = Scale(nearest, 1 / length);
        var random = new Random(seed);
        var second = Farthest(ends) ?? Farthest(visited) ?? Without(first, [.. origin.Select(_ => random.NextDouble() - 0.5)]);
        return new(origin, first, Scale(second, 1 / Length(second)));

        double[]? Farthest(double[][] ways) => ways.Select(way => Without(first, way)).MaxBy(Length) is { } farthest && Length(farthest) > LeastPart * length ? farthest : null;
    }

    /// <summary>Where a point lies in the plane, and how far from it.</summary>
    /// <param name="point">Flattened.</param>
    public (double X, double Y, double Away) Project(float[] point)
    {
        ArgumentNullException.ThrowIfNull(point);
        double[] way = [.. point.Zip(_origin, (value, start) => value - start)];
        var (x, y) = (Dot(way, _first), Dot(way, _second));
        return (x, y, Math.Sqrt(Math.Max(0, Dot(way, way) - (x * x) - (y * y))));
    }

    /// <summary>The point at given places along the two directions, flattened; it may lie outside the bounds.</summary>
    public float[] At(double x, double y) => [.. _origin.Select((start, entry) => (float)(start + (x * _first[entry]) + (y * _second[entry])))];

    private static double[] Without(double[] direction, double[] way)
    {
        var part = Dot(direction, way);
        return [.. way.Zip(direction, (value, unit) => value - (part * unit))];
    }

    private static double[] Scale(double[] way, double factor) => [.. way.Select(value => value * factor)];

    private static double Length(double[] way) => Math.Sqrt(Dot(way, way));

    private static double Dot(double[] left, double[] right) => left.Zip(right, (a, b) => a * b).Sum();
}
