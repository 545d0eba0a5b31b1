using System.Globalization;
using Brink.Evaluation.Results;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace Brink.Reports.Figures;

/// <summary>Draws the share of the attacked images that are fooled by perturbations up to a length, against that length.</summary>
internal static class RobustnessCurve
{
    // At most about one step per pixel of the figure, which limits the size of the SVG for large runs.
    private const int MostSteps = 480;

    /// <summary>Draws the curve as part of a page.</summary>
    /// <param name="lengths">The length of the perturbation of each fooled image.</param>
    /// <param name="attacked">The number of attacked images.</param>
    /// <param name="tolerance">The tolerance up to which two lengths are equal and share a step of the curve.</param>
    /// <param name="median">The median of <paramref name="lengths"/>, which is marked.</param>
    /// <param name="label">The median as text.</param>
    /// <param name="axis">The label of the horizontal axis.</param>
    /// <param name="name">A name that is unique on the page.</param>
    /// <returns>The SVG element, or null if no image was fooled.</returns>
    public static string? Draw(IEnumerable<double> lengths, int attacked, LengthTolerance tolerance, double? median, string label, string axis, string name)
    {
        var sorted = lengths.Where(double.IsFinite).Order().ToArray();
        if (sorted.Length == 0 || median is not { } middle)
        {
            return null;
        }

        using var plot = ReportPlot.Create(axis, "attacked images fooled");
        var end = sorted[^1] > 0 ? sorted[^1] * 1.04 : 1;
        var (xs, ys) = Steps(sorted, attacked, tolerance, end);
        var area = plot.Add.FillY(xs, new double[xs.Length], ys);
        area.FillColor = ReportPlot.Ink.WithAlpha(0.15);
        area.LineWidth = area.MarkerSize = 0;
        var curve = plot.Add.ScatterLine(xs, ys, ReportPlot.Ink);
        curve.LineWidth = 2.5f;

        var half = 100.0 * sorted.Length / attacked / 2;
        foreach (var line in new[] { plot.Add.Line(middle, 0, middle, half), plot.Add.Line(0, half, middle, half) })
        {
            (line.LineColor, line.LineWidth) = (ReportPlot.Mark, 1);
        }

        plot.Add.Marker(middle, half, MarkerShape.FilledCircle, 9, ReportPlot.Mark);
        // The label is on the wider side of the median: below the curve on the right, or above it on the left.
        var right = middle < end / 2;
        var text = plot.Add.Text($"median {label}", middle, half);
        (text.LabelFontSize, text.LabelFontColor, text.LabelAlignment) = (14, Colors.Black, right ? Alignment.UpperLeft : Alignment.LowerRight);
        text.LabelFontName = FigureFont.Name;
        (text.OffsetX, text.OffsetY) = right ? (9, 4) : (-9, -4);

        var shares = new NumericManual();
        foreach (var share in new[] { 0, 25, 50, 75, 100 })
        {
            shares.AddMajor(share, string.Create(CultureInfo.InvariantCulture, $"{share} %"));
        }

        plot.Axes.Left.TickGenerator = shares;
        plot.Axes.SetLimits(0, end, 0, 104);
        return ReportPlot.ToSvg(plot, name, string.Create(CultureInfo.InvariantCulture, $"Share of attacked images fooled against {axis}: {half:F0} % at {label}, {2 * half:F0} % at the largest."));
    }

    /// <summary>Computes the corners of the step function. At each length it covers all lengths that are equal to it up to rounding.</summary>
    internal static (double[] Xs, double[] Ys) Steps(double[] sorted, int attacked, LengthTolerance tolerance, double end)
    {
        var (xs, ys) = (new List<double> { 0 }, new List<double> { 0 });
        var least = ((sorted.Length - 1) / MostSteps) + 1;
        for (var count = 0; count < sorted.Length;)
        {
            count = Math.Min(count + least, sorted.Length);
            var length = sorted[count - 1];
            while (count < sorted.Length && tolerance.IsAtMost(sorted[count], length))
            {
                count++;
            }

            xs.AddRange([length, length]);
            ys.AddRange([ys[^1], 100.0 * count / attacked]);
        }

        xs.Add(end);
        ys.Add(ys[^1]);
        return ([.. xs], [.. ys]);
    }
}
