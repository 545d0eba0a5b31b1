using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace Brink.Reports.Figures;

/// <summary>The common size, font and colours of the plots of a report. The style sheet replaces the colours in dark mode.</summary>
internal static class ReportPlot
{
    /// <summary>The width of a plot in pixels: half of a page, or a phone, on which the text is still legible.</summary>
    public const int Width = 440;

    /// <summary>The height of a plot in pixels.</summary>
    public const int Height = 280;

    /// <summary>The colour of data, the blue of Okabe and Ito (2008).</summary>
    public static Color Ink { get; } = Color.FromHex("#0072B2");

    /// <summary>The colour of marked points, the vermilion of Okabe and Ito (2008).</summary>
    public static Color Mark { get; } = Color.FromHex("#D55E00");

    /// <summary>Creates an empty plot.</summary>
    /// <param name="x">The label of the horizontal axis, with its unit.</param>
    /// <param name="y">The label of the vertical axis, with its unit.</param>
    /// <returns>The plot, which the caller disposes.</returns>
    public static Plot Create(string x, string y)
    {
        const float labels = 14;
        FigureFont.Register();
        var plot = new Plot();
        plot.FigureBackground.Color = plot.DataBackground.Color = Colors.Transparent;
        plot.XLabel(x, labels);
        plot.YLabel(y, labels);
        plot.Axes.Bottom.Label.Bold = plot.Axes.Left.Label.Bold = false;
        plot.Axes.Bottom.TickLabelStyle.FontSize = plot.Axes.Left.TickLabelStyle.FontSize = labels - 1;
        plot.Axes.Right.FrameLineStyle.IsVisible = plot.Axes.Top.FrameLineStyle.IsVisible = false;
        plot.Axes.Bottom.TickGenerator = Numbers();
        plot.Axes.Left.TickGenerator = Numbers();
        return plot;
    }

    /// <summary>Draws a plot as part of a page.</summary>
    /// <param name="plot">The plot.</param>
    /// <param name="name">A name that is unique on the page.</param>
    /// <param name="description">The description for screen readers.</param>
    /// <returns>The SVG element.</returns>
    public static string ToSvg(Plot plot, string name, string description)
    {
        plot.Font.Set(FigureFont.Name);
        return PortableSvg.Inline(plot, Width, Height, name, description);
    }

    private static NumericAutomatic Numbers() => new() { LabelFormatter = value => value.ToString("#,0.######", CultureInfo.InvariantCulture) };
}

/// <summary>Draws plots as reproducible SVG with text elements. Viewers without DejaVu Sans use Verdana, which has the same width.</summary>
internal static partial class PortableSvg
{
    /// <summary>Draws a plot as the content of an SVG file.</summary>
    public static string File(Plot plot, int width, int height) => Draw(plot, width, height, "");

    /// <summary>Draws a plot as part of a page, as wide as the page allows. Background and colour of text are those of the page.</summary>
    /// <param name="plot">The plot.</param>
    /// <param name="width">The width of the drawing in pixels.</param>
    /// <param name="height">The height of the drawing in pixels.</param>
    /// <param name="name">A name that is unique on the page.</param>
    /// <param name="description">The description for screen readers.</param>
    /// <returns>The SVG element.</returns>
    public static string Inline(Plot plot, int width, int height, string name, string description)
    {
        var svg = Draw(plot, width, height, name);
        var content = svg[(svg.IndexOf('>', svg.IndexOf("<svg", StringComparison.Ordinal)) + 1)..];
        return FormattableString.Invariant($"<svg class=\"plot\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{WebUtility.HtmlEncode(description)}\">{Indentation().Replace(content.Trim(), "")}");
    }

    private static string Draw(Plot plot, int width, int height, string name) => Portable(plot.GetSvgXml(width, height), name);

    /// <summary>Makes the SVG of the drawing library reproducible and adds fallback fonts.</summary>
    /// <param name="svg">The SVG text.</param>
    /// <param name="name">The prefix of the names of its parts.</param>
    /// <returns>The changed SVG text.</returns>
    public static string Portable(string svg, string name)
    {
        // The library numbers clip paths consecutively over all drawings of a process.
        var numbers = new Dictionary<string, string>(StringComparer.Ordinal);
        var numbered = ClipPath().Replace(svg, match =>
        {
            numbers.TryAdd(match.Value, FormattableString.Invariant($"{name}clip{numbers.Count}"));
            return numbers[match.Value];
        });
        return numbered.Replace($"font-family=\"{FigureFont.Name}\"", $"font-family=\"{FigureFont.Name}, Verdana, sans-serif\"", StringComparison.Ordinal);
    }

    [GeneratedRegex(@"\bcl_[0-9a-f]+\b", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ClipPath();

    [GeneratedRegex(@"\s*\n\s*", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Indentation();
}
