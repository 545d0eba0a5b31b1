using System.Globalization;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace Brink.Reports.Figures;

/// <summary>The share of the attacked images that perturbations up to a length fool, against that length.</summary>
internal static class RobustnessCurve
{
    // A step a pixel of the figure is all that can be seen of a large run.
    private const int MostSteps = 480;

    /// <summary>Draws the curve as a part of a page; null where nothing was fooled.</summary>
    /// <param name="lengths">The perturbation's length of each image that was fooled.</param>
    /// <param name="attacked">The images that were attacked.</param>
    /// <param name="median">The median of <paramref name="lengths"/>, which is marked.</param>
    /// <param name="label">The median in words.</param>
    /// <param name="axis">What the lengths are.</param>
    /// <param name="name">A name of its own on the page.</param>
    public static string? Draw(IEnumerable<double> lengths, int attacked, double? median, string label, string axis, string name)
    {
        var sorted = lengths.Where(double.IsFinite).Order().ToArray();
        if (sorted.Length == 0 || median is not { } middle)
        {
            return null;
        }

        using var plot = ReportPlot.Create(axis, "attacked images fooled");
        var end = sorted[^1] > 0 ? sorted[^1] * 1.04 : 1;
        var (xs, ys) = Steps(sorted, attacked, end);
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
        // On whichever side there is more room; below the curve on the right, above it on the left.
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

    /// <summary>The corners of the staircase.</summary>
    private static (double[] Xs, double[] Ys) Steps(double[] sorted, int attacked, double end)
    {
        var (xs, ys) = (new List<double> { 0 }, new List<double> { 0 });
        var steps = Math.Min(sorted.Length, MostSteps);
        for (var step = 1; step <= steps; step++)
        {
            var count = (int)((long)step * sorted.Length / steps);
            xs.AddRange([sorted[count - 1], sorted[count - 1]]);
            ys.AddRange([ys[^1], 100.0 * count / attacked]);
        }

        xs.Add(end);
        ys.Add(ys[^1]);
        return ([.. xs], [.. ys]);
    }
}
