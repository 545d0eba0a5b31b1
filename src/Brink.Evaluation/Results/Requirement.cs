using System.Globalization;
using System.Text.RegularExpressions;
using Brink.Evaluation.Catalog;

namespace Brink.Evaluation.Results;

/// <summary>A threshold that a run must meet, for build pipelines: <c>accuracy@0.5>=0.6</c> or <c>median>=0.1</c>.</summary>
/// <param name="text">The text of the threshold.</param>
/// <param name="length">The length of the perturbations for a threshold of the accuracy, or null for a threshold of the median.</param>
/// <param name="least">The smallest acceptable value.</param>
/// <param name="orEqual">True if the smallest value itself is accepted.</param>
internal sealed partial class Requirement(string text, double? length, double least, bool orEqual)
{
    /// <summary>Parses a threshold.</summary>
    /// <param name="text">The text: <c>accuracy@LENGTH>=SHARE</c> or <c>median>=LENGTH</c>, or either with <c>></c>.</param>
    /// <returns>The threshold.</returns>
    /// <exception cref="BadInputException">The text has another form, or a value is impossible.</exception>
    public static Requirement Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var match = Form().Match(text);
        if (!match.Success)
        {
            throw new BadInputException($"A threshold is written accuracy@LENGTH>=SHARE or median>=LENGTH, for instance accuracy@0.5>=0.6, but '{text}' was given.");
        }

        double? length = match.Groups["length"].Success ? Number(match.Groups["length"], text) : null;
        var least = Number(match.Groups["least"], text);
        if (length < 0 || least < 0)
        {
            throw new BadInputException($"Lengths and shares are at least 0, but the threshold '{text}' has a negative one; give a number of at least 0.");
        }

        return length is not null && least > 1
            ? throw new BadInputException($"An accuracy is a share between 0 and 1, but '{text}' requires more than 1; write 0.6 for 60 %.")
            : new(text, length, least, match.Groups["sign"].Value == ">=");
    }

    /// <summary>Checks a run against the threshold.</summary>
    /// <param name="robustness">The robustness that the run measured.</param>
    /// <returns>A sentence that states the measured value, or null if the threshold is met.</returns>
    public string? Unmet(Robustness robustness)
    {
        ArgumentNullException.ThrowIfNull(robustness);
        var value = length is { } most ? robustness.AccuracyAt(most) : robustness.MedianLength;
        if (orEqual ? value >= least : value > least)
        {
            return null;
        }

        var norm = Norm.Parse(robustness.Norm).DisplayName;
        return double.IsNaN(value)
            ? $"The threshold {text} was not met: no image was attacked, because {(robustness.AnyCorrect ? "the label of every correctly classified image already is the target class" : "every image is misclassified")}."
            : length is not null
                ? string.Create(CultureInfo.InvariantCulture, $"The threshold {text} was not met: with perturbations of {norm} length up to {length} the accuracy is at most {Print(value)}.")
                : string.Create(CultureInfo.InvariantCulture, $"The threshold {text} was not met: half of the attacked images are fooled by perturbations of {norm} length {Print(value)} or less.");
    }

    /// <summary>Formats a value to four digits, or exactly if rounding would make it meet the threshold.</summary>
    private string Print(double value)
    {
        var rounded = value.ToString("G4", CultureInfo.InvariantCulture);
        return value < least && double.Parse(rounded, CultureInfo.InvariantCulture) >= least ? value.ToString("R", CultureInfo.InvariantCulture) : rounded;
    }

    private static double Number(Group group, string text) => RealNumber.TryParse(group.Value, out var number)
        ? number
        : throw new BadInputException($"The threshold '{text}' needs numbers such as 0.5 or 8/255, but has '{group.Value}'.");

    [GeneratedRegex(@"^\s*(?:accuracy@(?<length>[0-9.eE+/-]+)|median)\s*(?<sign>>=|>)\s*(?<least>[0-9.eE+/-]+)\s*$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Form();
}

/// <summary>The robustness that a run measured: upper bounds of the accuracy and of the median length, from the perturbation found for each image.</summary>
internal sealed class Robustness
{
    private readonly int _images;

    // The length of the perturbation of each image that was classified correctly before the attack; infinite if it was not fooled.
    private readonly double[] _lengths;
    private readonly double[] _attacked;

    /// <summary>Collects the lengths of a run.</summary>
    /// <param name="norm">The norm of the attack, <c>l2</c> or <c>linf</c>.</param>
    /// <param name="images">For each image: whether it was classified correctly before the attack, whether it was attacked and fooled, and the length of its perturbation in both norms.</param>
    internal Robustness(string norm, (bool Correct, bool Attacked, bool Fooled, double L2, double LInf)[] images)
    {
        (Norm, _images) = (norm, images.Length);
        double Length((bool Correct, bool Attacked, bool Fooled, double L2, double LInf) image) => !image.Fooled ? double.PositiveInfinity : norm == "linf" ? image.LInf : image.L2;
        _lengths = [.. images.Where(image => image.Correct).Select(Length)];
        _attacked = [.. images.Where(image => image.Attacked).Select(Length).Order()];
    }

    /// <summary>The norm of the lengths: <c>l2</c> or <c>linf</c>.</summary>
    public string Norm { get; }

    /// <summary>The median length over the attacked images, those not fooled counted as infinite. It is NaN if no image was attacked.</summary>
    public double MedianLength => _attacked.Length == 0 ? double.NaN : Distribution.MedianOf(_attacked);

    /// <summary>Indicates whether any image was classified correctly before the attack.</summary>
    public bool AnyCorrect => _lengths.Length > 0;

    /// <summary>Computes the robustness from the images of a run in memory.</summary>
    /// <param name="norm">The norm of the attack, <c>l2</c> or <c>linf</c>.</param>
    /// <param name="images">The images.</param>
    /// <returns>The robustness.</returns>
    public static Robustness Of(string norm, IEnumerable<EvaluatedImage> images) =>
        new(norm, [.. images.Select(image => image.Outcome).Select(image => (image.PredictionBefore == image.Label, image.Attacked, image.Fooled, image.L2, image.LInf))]);

    /// <summary>Computes the share of all images that are still classified correctly after every perturbation found up to a length. It is an upper bound, since a better attack finds shorter perturbations.</summary>
    /// <param name="length">The length, in the norm and the space of the attack.</param>
    /// <returns>The share, between 0 and 1.</returns>
    public double AccuracyAt(double length) => _images == 0 ? 0 : (double)_lengths.Count(found => found > length) / _images;

    /// <summary>Computes the upper bounds of the accuracy at several lengths.</summary>
    /// <param name="lengths">The lengths, in any order.</param>
    /// <returns>One bound per distinct length, the shortest first.</returns>
    public IReadOnlyList<RobustAccuracy> AccuraciesAt(IEnumerable<double> lengths) => [.. lengths.Distinct().Order().Select(length => new RobustAccuracy(length, AccuracyAt(length)))];
}
