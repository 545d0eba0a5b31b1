using System.Globalization;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace Brink.Reports.Figures;

/// <summary>A plot of the mean perturbation of attacks against their passes per image. An attack with increasing numbers of steps is a line; lower left is better.</summary>
/// <param name="title">The title of the figure.</param>
internal sealed class PassesAgainstPerturbation(string title)
{
    private const int Width = 720;
    private const int Height = 480;
    private const double Margin = 1.15;

    private readonly List<(string Name, double Passes, double Mean)> _points = [];
    private readonly List<(string Name, double Passes, double Mean)> _line = [];

    /// <summary>Adds an attack.</summary>
    /// <param name="name">The label of the point.</param>
    /// <param name="passes">The number of forward and backward passes per image.</param>
    /// <param name="mean">The mean relative perturbation, as a fraction.</param>
    /// <param name="onLine">True if the point is connected with the others of the attack with increasing numbers of steps.</param>
    public void Add(string name, double passes, double mean, bool onLine) => (onLine ? _line : _points).Add((name, passes, mean * 100));

    /// <summary>Draws the figure as SVG.</summary>
    /// <returns>The text of the SVG file.</returns>
    /// <exception cref="InvalidOperationException">There is no attack to draw.</exception>
    public string ToSvg()
    {
        var all = _points.Concat(_line).ToArray();
        if (all.Length == 0)
        {
            throw new InvalidOperationException("A figure needs at least one attack.");
        }

        FigureFont.Register();
        using var plot = new Plot();
        if (_line.Count > 1)
        {
            var line = plot.Add.ScatterLine(_line.Select(point => Math.Log10(point.Passes)).ToArray(), _line.Select(point => point.Mean).ToArray(), ReportPlot.Ink);
            line.LineWidth = 2;
        }

        Mark(plot, _line, ReportPlot.Ink, MarkerShape.FilledCircle);
        Mark(plot, _points, ReportPlot.Mark, MarkerShape.FilledDiamond);
        plot.Title(title, 14);
        plot.XLabel("passes per image", 14);
        plot.YLabel("mean relative perturbation, in %", 14);
        plot.Axes.Title.Label.Bold = plot.Axes.Bottom.Label.Bold = plot.Axes.Left.Label.Bold = false;
        var ticks = new NumericManual();
        foreach (var passes in new[] { 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000 })
        {
            ticks.AddMajor(Math.Log10(passes), passes.ToString("#,0", CultureInfo.InvariantCulture));
        }

        plot.Axes.Bottom.TickGenerator = ticks;
        plot.Axes.Left.TickGenerator = new NumericAutomatic { LabelFormatter = value => value.ToString("0.######", CultureInfo.InvariantCulture) };
        // The margin on the right holds the label of the last point.
        plot.Axes.SetLimitsX(Math.Log10(all.Min(point => point.Passes)) - 0.15, Math.Log10(all.Max(point => point.Passes)) + 0.45);
        var (lowest, highest) = (all.Min(point => point.Mean), all.Max(point => point.Mean));
        plot.Axes.SetLimitsY(lowest / Margin, highest * Margin);
        plot.Font.Set(FigureFont.Name);
        return PortableSvg.File(plot, Width, Height);
    }

    private static void Mark(Plot plot, List<(string Name, double Passes, double Mean)> points, Color color, MarkerShape shape)
    {
        foreach (var (name, passes, mean) in points)
        {
            plot.Add.Marker(Math.Log10(passes), mean, shape, 10, color);
            var text = plot.Add.Text(name, Math.Log10(passes), mean);
            (text.LabelFontSize, text.LabelFontColor, text.LabelAlignment, text.LabelFontName) = (13, Colors.Black, Alignment.LowerLeft, FigureFont.Name);
            (text.OffsetX, text.OffsetY) = (7, -5);
        }
    }
}
