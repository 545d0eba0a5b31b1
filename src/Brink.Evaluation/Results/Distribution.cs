namespace Brink.Evaluation.Results;

/// <summary>The mean, the median and the largest of some numbers; all null where there are none.</summary>
/// <param name="Mean">The arithmetic mean.</param>
/// <param name="Median">The middle one, or the mean of the two in the middle.</param>
/// <param name="Worst">The largest: the image that needed the most.</param>
public sealed record Distribution(double? Mean, double? Median, double? Worst)
{
    /// <summary>Of the given numbers, those that are not finite left out.</summary>
    public static Distribution Of(IEnumerable<double> values)
    {
        var sorted = values.Where(double.IsFinite).Order().ToArray();
        return sorted.Length == 0
            ? new(null, null, null)
            : new(sorted.Average(), MedianOf(sorted), sorted[^1]);
    }

    /// <summary>The middle one of numbers in ascending order, infinite ones included, or the mean of the two in the middle.</summary>
    internal static double MedianOf(double[] sorted) => (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
}
