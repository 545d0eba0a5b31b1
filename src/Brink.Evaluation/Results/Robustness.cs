namespace Brink.Evaluation.Results;

/// <summary>How long a perturbation each image of a run took, seen as a bound on what the network withstands.</summary>
public sealed class Robustness
{
    private readonly int _images;

    // Of the images that were right to begin with; infinite where none was found.
    private readonly double[] _lengths;
    private readonly double[] _attacked;

    internal Robustness(string norm, (bool Right, bool Attacked, bool Fooled, double L2, double LInf)[] images)
    {
        (Norm, _images) = (norm, images.Length);
        double Length((bool Right, bool Attacked, bool Fooled, double L2, double LInf) image) => !image.Fooled ? double.PositiveInfinity : norm == "linf" ? image.LInf : image.L2;
        _lengths = [.. images.Where(image => image.Right).Select(Length)];
        _attacked = [.. images.Where(image => image.Attacked).Select(Length).Order()];
    }

    /// <summary><c>l2</c> or <c>linf</c>: in which norm lengths are.</summary>
    public string Norm { get; }

    /// <summary>The length up to which half of the attacked images withstood every perturbation found, those that were not fooled counted as infinite; NaN where none was attacked.</summary>
    public double MedianLength => _attacked.Length == 0 ? double.NaN : Distribution.MedianOf(_attacked);

    /// <summary>Whether the network gets any image right.</summary>
    public bool AnyRight => _lengths.Length > 0;

    /// <summary>Of images that were just attacked.</summary>
    /// <param name="norm">The norm of the attack.</param>
    /// <param name="images">The images.</param>
    public static Robustness Of(string norm, IEnumerable<EvaluatedImage> images) =>
        new(norm, [.. images.Select(image => image.Outcome).Select(image => (image.PredictionBefore == image.Label, image.Attacked, image.Fooled, image.L2, image.LInf))]);

    /// <summary>The share of all images still right after every perturbation found up to a length: an upper bound, since a better attack finds shorter ones.</summary>
    /// <param name="length">The length, in the attack's norm and space.</param>
    public double AccuracyAt(double length) => _images == 0 ? 0 : (double)_lengths.Count(found => found > length) / _images;

    /// <summary>The same for several lengths, the shortest first.</summary>
    /// <param name="lengths">The lengths.</param>
    public IReadOnlyList<RobustAccuracy> AccuraciesAt(IEnumerable<double> lengths) => [.. lengths.Distinct().Order().Select(length => new RobustAccuracy(length, AccuracyAt(length)))];
}
