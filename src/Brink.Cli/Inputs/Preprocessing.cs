using Brink.Evaluation.Catalog;

namespace Brink.Cli.Inputs;

/// <summary>The preprocessing that is given by <c>--mean</c> and <c>--std</c>.</summary>
internal static class Preprocessing
{
    // Pixels range from 0 to 1, or to 255 in old networks: values outside these limits are mistakes, and would overflow in float32.
    private const double Smallest = 1e-6;
    private const double Largest = 1e6;

    // Pixels range from 0 to 1, so their mean and their standard deviation do too.
    private const double LargestOfPixels = 1;

    /// <summary>Parses the normalisation; null if neither flag is given.</summary>
    /// <param name="mean">The value of <c>--mean</c>: one number per channel, separated by commas.</param>
    /// <param name="deviation">The value of <c>--std</c>, in the same form.</param>
    /// <exception cref="BadInputException">Only one flag is given, or the values are not numbers, out of range, or not equally many.</exception>
    public static Normalization? Parse(string? mean, string? deviation)
    {
        if (mean is null && deviation is null)
        {
            return null;
        }

        if (mean is null || deviation is null)
        {
            throw new BadInputException($"The preprocessing needs both --mean and --std, but only {(mean is null ? "--std" : "--mean")} was given; add the other.");
        }

        var (means, deviations) = (Numbers("--mean", mean), Numbers("--std", deviation));
        if (means.Length != deviations.Length)
        {
            throw new BadInputException($"The preprocessing needs as many means as standard deviations, but --mean {mean} has {means.Length} and --std {deviation} has {deviations.Length}; give one of each per channel.");
        }

        if (!means.All(value => Math.Abs(value) <= Largest))
        {
            throw new BadInputException(FormattableString.Invariant($"Every mean must lie between {-Largest} and {Largest}, but --mean {mean} was given; pixels range from 0 to 1."));
        }

        return deviations.All(value => value is >= Smallest and <= Largest)
            ? new(means, deviations)
            : throw new BadInputException(FormattableString.Invariant($"Every standard deviation must lie between {Smallest} and {Largest}, but --std {deviation} was given; pixels range from 0 to 1."));
    }

    /// <summary>Returns a warning about constants that cannot be those of pixels in [0, 1].</summary>
    /// <param name="normalization">The preprocessing.</param>
    public static IEnumerable<string> Warnings(Normalization normalization)
    {
        foreach (var (flag, values) in new[] { ("--mean", normalization.Mean), ("--std", normalization.StandardDeviation) })
        {
            if (values.FirstOrDefault(value => Math.Abs(value) > LargestOfPixels, double.NaN) is var first && !double.IsNaN(first))
            {
                yield return FormattableString.Invariant($"The preprocessing is applied to pixels from 0 to 1, but {flag} has {first}, so the network receives other values than those it was trained on; constants for pixels from 0 to 255 are given as shares, such as {flag} {first}/255.");
            }
        }
    }

    private static double[] Numbers(string flag, string list) =>
        [.. list.Split(',').Select(text => RealNumber.TryParse(text, out var number)
            ? number
            : throw new BadInputException($"The flag {flag} takes numbers separated by commas, such as 0.49,0.48,0.45 or 125.3/255,123/255,114/255, but '{list}' was given."))];
}
