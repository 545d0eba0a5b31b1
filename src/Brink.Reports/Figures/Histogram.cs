using System.Globalization;

namespace Brink.Reports.Figures;

/// <summary>Draws histograms with bins of a round width.</summary>
internal static class Histogram
{
    // About 15 pixels per bin at the width of a plot.
    private const int MostBins = 24;

    /// <summary>Draws a histogram as part of a page.</summary>
    /// <param name="values">The numbers, at least 0. Those that are not finite are left out.</param>
    /// <param name="whole">True if the numbers are counts, so that the width of a bin is a whole number.</param>
    /// <param name="axis">The label of the horizontal axis.</param>
    /// <param name="name">A name that is unique on the page.</param>
    /// <returns>The SVG element, or null if there is no finite number.</returns>
    public static string? Draw(IEnumerable<double> values, bool whole, string axis, string name)
    {
        var finite = values.Where(double.IsFinite).ToArray();
        if (finite.Length == 0)
        {
            return null;
        }

        var (first, width, counts) = Bins(finite, whole);
        using var plot = ReportPlot.Create(axis, "images");
        // The column of a single whole number is centred on it.
        var shift = whole && width <= 1 ? 0 : width / 2;
        for (var bin = 0; bin < counts.Length; bin++)
        {
            if (counts[bin] > 0)
            {
                var bar = plot.Add.Bar(position: first + (bin * width) + shift, value: counts[bin]);
                (bar.Bars[0].Size, bar.Bars[0].FillColor, bar.Bars[0].LineWidth) = (width * 0.92, ReportPlot.Ink, 0);
            }
        }

        plot.Axes.SetLimits(first + shift - width, first + (counts.Length * width) + shift, 0, counts.Max() * 1.06);
        if (whole && counts.Length * width <= 1)
        {
            plot.Axes.SetLimitsX(first - 5, first + 5);
        }

        return ReportPlot.ToSvg(plot, name, string.Create(CultureInfo.InvariantCulture, $"Histogram of {axis}: {finite.Length} images from {finite.Min():G3} to {finite.Max():G3}, with the most frequent bin at {first + (Array.IndexOf(counts, counts.Max()) * width) + shift:G3}."));
    }

    /// <summary>Computes the start of the first bin, the width of the bins and the number of values in each.</summary>
    internal static (double First, double Width, int[] Counts) Bins(double[] values, bool whole)
    {
        var (smallest, largest) = (values.Min(), values.Max());
        var width = Round((largest - smallest) / MostBins);
        width = whole ? Math.Max(1, Math.Ceiling(width)) : width > 0 ? width : largest > 0 ? largest / MostBins : 1;
        var first = Math.Floor(smallest / width) * width;
        var counts = new int[Math.Max(1, (int)Math.Floor((largest - first) / width) + 1)];
        foreach (var value in values)
        {
            counts[Math.Min((int)((value - first) / width), counts.Length - 1)]++;
        }

        return (first, width, counts);
    }

    /// <summary>Rounds a width up to 1, 2 or 5 times a power of 10.</summary>
    private static double Round(double width)
    {
        if (width <= 0)
        {
            return 0;
        }

        var decade = Math.Pow(10, Math.Floor(Math.Log10(width)));
        return (width / decade) switch
        {
            <= 1 => decade,
            <= 2 => 2 * decade,
            <= 5 => 5 * decade,
            _ => 10 * decade,
        };
    }
}
