using System.Net;
using System.Text.RegularExpressions;
using ScottPlot;

namespace Brink.Reports.Figures;

/// <summary>Plots as SVG that is the same every time and has text for text: a viewer without DejaVu Sans takes Verdana, which is as wide.</summary>
internal static partial class PortableSvg
{
    /// <summary>A file of its own.</summary>
    public static string File(Plot plot, int width, int height) => Draw(plot, width, height, "");

    /// <summary>A part of a page, as wide as its place there allows. It brings no background and no colour for text: those are the page's.</summary>
    /// <param name="plot">The plot.</param>
    /// <param name="width">Its width at full size.</param>
    /// <param name="height">Its height.</param>
    /// <param name="name">A name of its own on the page.</param>
    /// <param name="description">What it shows, for those who cannot see it.</param>
    public static string Inline(Plot plot, int width, int height, string name, string description)
    {
        var svg = Draw(plot, width, height, name);
        var content = svg[(svg.IndexOf('>', svg.IndexOf("<svg", StringComparison.Ordinal)) + 1)..];
        return FormattableString.Invariant($"<svg class=\"plot\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{WebUtility.HtmlEncode(description)}\">{Indentation().Replace(content.Trim(), "")}");
    }

    private static string Draw(Plot plot, int width, int height, string name) => Portable(plot.GetSvgXml(width, height), name);

    /// <summary>The library's SVG made the same every time, its font one that a viewer can replace.</summary>
    /// <param name="svg">The SVG.</param>
    /// <param name="name">What its parts are called after.</param>
    public static string Portable(string svg, string name)
    {
        // The library numbers clip paths through all drawings of a process.
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
