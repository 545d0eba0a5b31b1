using System.Globalization;

namespace Brink.Cli.Inputs;

/// <summary>The preprocessing that <c>--mean</c> and <c>--std</c> ask for.</summary>
internal static class Preprocessing
{
    // Pixels run from 0 to 1, or to 255 in old networks: what lies beyond these is a slip, and overflows in float32 further on.
    private const double Smallest = 1e-6;
    private const double Largest = 1e6;

    /// <summary>The normalisation; null where neither flag is given.</summary>
    /// <exception cref="BadInputException">Only one is given, or they are not numbers that fit together.</exception>
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
            throw new BadInputException($"The preprocessing needs as many means as standard deviations, but --mean {mean} has {means.Length} and --std {deviation} has {deviations.Length}; give one of each a channel.");
        }

        if (!means.All(value => Math.Abs(value) <= Largest))
        {
            throw new BadInputException(FormattableString.Invariant($"Every mean must lie between {-Largest} and {Largest}, but --mean {mean} was given; pixels run from 0 to 1."));
        }

        return deviations.All(value => value is >= Smallest and <= Largest)
            ? new(means, deviations)
            : throw new BadInputException(FormattableString.Invariant($"Every standard deviation must lie between {Smallest} and {Largest}, but --std {deviation} was given; pixels run from 0 to 1."));
    }

    private static double[] Numbers(string flag, string list) =>
        [.. list.Split(',').Select(text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new BadInputException($"The flag {flag} takes numbers separated by commas, such as 0.49,0.48,0.45, but '{list}' was given."))];
}
