using System.Globalization;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace Brink.Reports.Figures;

/// <summary>The common parts of the scatter plots of a comparison: one marker per attack, a legend below the plot, and a logarithmic horizontal axis.</summary>
internal static class AttackPlot
{
    /// <summary>The height of one row of the legend in pixels.</summary>
    public const int LegendRow = 22;

    /// <summary>The maximum number of characters of a label in the legend.</summary>
    public const int LongestLabel = 80;

    private const int Width = 720;
    private const int Height = 480;

    // The PNG has twice as many pixels, for sharp text on high-resolution screens.
    private const int Scale = 2;

    // Okabe and Ito (2008): colours that colour-blind readers can distinguish. The shapes distinguish attacks in grey prints.
    private static readonly string[] Palette = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"];

    private static readonly (MarkerShape Filled, MarkerShape Hollow)[] Markers =
    [
        (MarkerShape.FilledCircle, MarkerShape.OpenCircle),
        (MarkerShape.FilledSquare, MarkerShape.OpenSquare),
        (MarkerShape.FilledTriangleUp, MarkerShape.OpenTriangleUp),
        (MarkerShape.FilledDiamond, MarkerShape.OpenDiamond),
        (MarkerShape.FilledTriangleDown, MarkerShape.OpenTriangleDown),
    ];

    /// <summary>Adds the marker of an attack and its row of the legend.</summary>
    /// <param name="plot">The plot.</param>
    /// <param name="number">The number of the attack, which determines colour and shape.</param>
    /// <param name="x">The horizontal position.</param>
    /// <param name="y">The vertical position.</param>
    /// <param name="label">The text of the legend.</param>
    /// <param name="hollow">True for a hollow marker.</param>
    public static void Mark(Plot plot, int number, double x, double y, string label, bool hollow)
    {
        var (filled, open) = Markers[number % Markers.Length];
        var marker = plot.Add.Marker(x, y, hollow ? open : filled, 13, Color.FromHex(Palette[number % Palette.Length]));
        marker.LineWidth = 2.5f;
        marker.LegendText = label;
    }

    /// <summary>Sets the texts, and the legend below the plot.</summary>
    /// <param name="plot">The plot.</param>
    /// <param name="title">The title.</param>
    /// <param name="x">The label of the horizontal axis, with its unit.</param>
    /// <param name="y">The label of the vertical axis, with its unit.</param>
    public static void Label(Plot plot, string title, string x, string y)
    {
        const float size = 14;
        plot.Title(title, size);
        plot.XLabel(x, size);
        plot.YLabel(y, size);
        plot.Axes.Title.Label.Bold = plot.Axes.Bottom.Label.Bold = plot.Axes.Left.Label.Bold = false;
        plot.Axes.Left.TickGenerator = new NumericAutomatic { LabelFormatter = value => value.ToString("0.######", CultureInfo.InvariantCulture) };
        plot.ShowLegend(Edge.Bottom);
        plot.Legend.Orientation = Orientation.Vertical;
        plot.Legend.OutlineWidth = 0;
        plot.Legend.ShadowColor = Colors.Transparent;
        plot.Legend.FontSize = 13;
        plot.Font.Set(FigureFont.Name);
    }

    /// <summary>Makes the horizontal axis one of whole decades for the logarithms of values.</summary>
    /// <param name="plot">The plot.</param>
    /// <param name="values">The values, above 0.</param>
    public static void SetDecades(Plot plot, double[] values)
    {
        var logarithms = values.Select(Math.Log10).ToArray();
        var first = (int)Math.Floor(logarithms.Min());
        var last = Math.Max((int)Math.Ceiling(logarithms.Max()), first + 1);
        var ticks = new NumericManual();
        for (var decade = first; decade <= last; decade++)
        {
            ticks.AddMajor(decade, Text(decade, 1));
            for (var digit = 2; digit <= 9 && decade < last; digit++)
            {
                var position = decade + Math.Log10(digit);
                // Within one or two decades, 2 and 5 help to read a point.
                if (last - first <= 2 && digit is 2 or 5)
                {
                    ticks.AddMajor(position, Text(decade, digit));
                }
                else
                {
                    ticks.AddMinor(position);
                }
            }
        }

        plot.Axes.Bottom.TickGenerator = ticks;
        // The margin keeps markers at the ends inside the frame.
        var margin = 0.03 * (last - first);
        plot.Axes.SetLimitsX(first - margin, last + margin);
    }

    /// <summary>Draws a plot as PNG.</summary>
    /// <param name="plot">The plot.</param>
    /// <param name="rows">The number of rows of the legend.</param>
    /// <returns>The bytes of the PNG file.</returns>
    public static byte[] ToPng(Plot plot, int rows)
    {
        plot.ScaleFactor = Scale;
        return plot.GetImage(Width * Scale, TotalHeight(rows) * Scale).GetImageBytes(ImageFormat.Png);
    }

    /// <summary>Draws a plot as SVG.</summary>
    /// <param name="plot">The plot.</param>
    /// <param name="rows">The number of rows of the legend.</param>
    /// <returns>The text of the SVG file.</returns>
    public static string ToSvg(Plot plot, int rows) => PortableSvg.File(plot, Width, TotalHeight(rows));

    /// <summary>Shortens a label.</summary>
    /// <param name="label">The label.</param>
    /// <param name="longest">The maximum number of characters.</param>
    public static string Shorten(string label, int longest) => label.Length <= longest ? label : $"{label[..(longest - 1)]}…";

    private static int TotalHeight(int rows) => Height + (LegendRow * rows);

    private static string Text(int decade, int digit) => (digit * Math.Pow(10, decade)).ToString("#,0.############", CultureInfo.InvariantCulture);
}
