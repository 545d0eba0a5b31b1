using System.Globalization;
using System.Text.RegularExpressions;
using Brink.Evaluation.Catalog;

namespace Brink.Evaluation.Results;

/// <summary>A threshold that a run or a comparison must meet, for build pipelines: <c>accuracy@0.5>=0.6</c> or <c>median>=0.1</c>.</summary>
/// <param name="text">The text of the threshold.</param>
/// <param name="length">The length of the perturbations for a threshold of the accuracy, or null for a threshold of the median.</param>
/// <param name="least">The smallest acceptable value.</param>
/// <param name="orEqual">True if the smallest value itself is accepted.</param>
internal sealed partial class Requirement(string text, double? length, double least, bool orEqual)
{
    /// <summary>The length of the perturbations for a threshold of the accuracy, or null for a threshold of the median.</summary>
    public double? Length => length;

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

    /// <summary>The smallest acceptable length for a threshold of the median, or null for a threshold of the accuracy.</summary>
    public double? LeastMedian => length is null ? least : null;

    /// <inheritdoc/>
    public override string ToString() => text;

    /// <summary>Checks the measured robustness against the threshold.</summary>
    /// <param name="robustness">The robustness that one or several attacks measured.</param>
    /// <param name="allowUnattacked">True if the threshold may be met although the attack could not work on many images.</param>
    /// <returns>True if the threshold is met, and a sentence: the reason if it is not met, a note if it is met by little, otherwise null.</returns>
    public (bool Met, string? Sentence) Check(Robustness robustness, bool allowUnattacked)
    {
        ArgumentNullException.ThrowIfNull(robustness);
        var (met, unmet, note) = length is { } most ? CheckAccuracy(robustness, most) : CheckMedian(robustness);
        var (unattacked, attacked) = (robustness.UnattackedAt(length), robustness.Attacked);
        return !met ? (false, $"The threshold {text} was not met: {unmet}.")
            : !allowUnattacked && unattacked.AreTooMany(attacked)
                ? (false, $"The threshold {text} cannot be judged: {(robustness.Attacks.Count == 1 ? "the attack could not" : "no attack could")} work on {unattacked.Total} of {attacked} attacked images ({unattacked.Counts}), so {(length is null ? "the median length" : "the accuracy")} is not to be trusted; {unattacked.Advice}; or accept it with --allow-unattacked.")
            : (true, note is null ? null : $"The threshold {text} was met, but {note}.");
    }

    private (bool Met, string Unmet, string? Note) CheckAccuracy(Robustness robustness, double most)
    {
        var accuracy = robustness.AccuracyAt(most);
        var isInside = accuracy.Lower <= least && least <= accuracy.Upper;
        var interval = string.Create(CultureInfo.InvariantCulture, $"{accuracy.Lower:G4} to {accuracy.Upper:G4}");
        return (
            orEqual ? accuracy.Share >= least : accuracy.Share > least,
            string.Create(CultureInfo.InvariantCulture, $"with perturbations of {NormName(robustness)} length up to {most} the accuracy is at most {Print(accuracy.Share)} ({accuracy.Correct} of {accuracy.Images} images, 95 % interval {interval}{(isInside ? ", in which the threshold lies" : "")})"),
            isInside ? $"it lies inside the 95 % interval of the accuracy, {interval} ({accuracy.Correct} of {accuracy.Images} images); more images give a shorter interval" : null);
    }

    private (bool Met, string Unmet, string? Note) CheckMedian(Robustness robustness)
    {
        var median = robustness.MedianLength;
        return (
            !double.IsNaN(median) && robustness.Reaches(median, least, orEqual),
            double.IsNaN(median)
                ? $"no image was attacked, because {(robustness.AccuracyBefore.Correct > 0 ? "the label of every correctly classified image already is the target class" : "every image is misclassified")}"
                : $"half of the attacked images are fooled by perturbations of {NormName(robustness)} length {Print(median)} or less",
            null);
    }

    private static string NormName(Robustness robustness) => Norm.Parse(robustness.Norm).DisplayName;

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
