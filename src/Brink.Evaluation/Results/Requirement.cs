using System.Globalization;
using System.Text.RegularExpressions;
using Brink.Evaluation.Catalog;

namespace Brink.Evaluation.Results;

/// <summary>A bar that a run must meet, for build pipelines: <c>accuracy@0.5>=0.6</c> or <c>median>=0.1</c>.</summary>
/// <param name="text">As the user wrote it.</param>
/// <param name="length">The length of the perturbations at which accuracy is asked for; null for the median.</param>
/// <param name="least">The least value.</param>
/// <param name="orEqual">Whether that value itself suffices.</param>
public sealed partial class Requirement(string text, double? length, double least, bool orEqual)
{
    /// <summary>Reads a bar.</summary>
    /// <param name="text"><c>accuracy@LENGTH>=SHARE</c> or <c>median>=LENGTH</c>, also with <c>></c>.</param>
    /// <exception cref="BadInputException">It is written otherwise, or asks for what cannot be.</exception>
    public static Requirement Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var match = Form().Match(text);
        if (!match.Success)
        {
            throw new BadInputException($"A bar is written accuracy@LENGTH>=SHARE or median>=LENGTH, for instance accuracy@0.5>=0.6, but '{text}' was given.");
        }

        double? length = match.Groups["length"].Success ? Number(match.Groups["length"], text) : null;
        var least = Number(match.Groups["least"], text);
        if (length < 0 || least < 0)
        {
            throw new BadInputException($"Lengths and shares are never negative, but the bar '{text}' asks for one that is; every run would meet it, or none.");
        }

        return length is not null && least > 1
            ? throw new BadInputException($"An accuracy is a share between 0 and 1, but '{text}' asks for more than all; write 0.6 for 60 %.")
            : new(text, length, least, match.Groups["sign"].Value == ">=");
    }

    /// <summary>What is wrong with a run, as a sentence; null where it meets the bar.</summary>
    /// <param name="robustness">The run.</param>
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
            ? $"The bar {text} was not met: no image was attacked, because {(robustness.AnyRight ? "those that the network gets right are of the class to reach already" : "the network gets none right")}."
            : length is not null
                ? string.Create(CultureInfo.InvariantCulture, $"The bar {text} was not met: with perturbations of {norm} length up to {length} the accuracy is at most {Print(value)}.")
                : string.Create(CultureInfo.InvariantCulture, $"The bar {text} was not met: half of the attacked images are fooled by perturbations of {norm} length {Print(value)} or less.");
    }

    /// <summary>Four digits, or as many as it takes to stay below the bar.</summary>
    private string Print(double value)
    {
        var rounded = value.ToString("G4", CultureInfo.InvariantCulture);
        return value < least && double.Parse(rounded, CultureInfo.InvariantCulture) >= least ? value.ToString("R", CultureInfo.InvariantCulture) : rounded;
    }

    private static double Number(Group group, string text) => RealNumber.TryParse(group.Value, out var number)
        ? number
        : throw new BadInputException($"The bar '{text}' needs numbers such as 0.5 or 8/255, but has '{group.Value}'.");

    [GeneratedRegex(@"^\s*(?:accuracy@(?<length>[0-9.eE+/-]+)|median)\s*(?<sign>>=|>)\s*(?<least>[0-9.eE+/-]+)\s*$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Form();
}
