using System.Globalization;
using Brink.Evaluation.Results;

namespace Brink.Reports.Figures;

/// <summary>A scatter plot of the local optimality of attacks against their passes per image. Upper left is better.</summary>
/// <remarks>Attacks of envelope files have hollow markers. Attacks without a local optimality are not drawn.</remarks>
internal sealed class OptimalityAgainstPasses
{
    private readonly Comparison _comparison;
    private readonly Point[] _points;

    private OptimalityAgainstPasses(Comparison comparison, Point[] points) => (_comparison, _points) = (comparison, points);

    /// <summary>Creates the figure of a comparison.</summary>
    /// <param name="comparison">The comparison.</param>
    /// <returns>The figure, or null if no attack has a local optimality.</returns>
    public static OptimalityAgainstPasses? Of(Comparison comparison)
    {
        ArgumentNullException.ThrowIfNull(comparison);
        Point[] points =
        [
            .. comparison.Attacks.Select(attack => new Point(attack.Attack, "", attack.ForwardsPerImage + attack.BackwardsPerImage, attack.LocalOptimality)),
            .. (comparison.Envelope?.Files ?? []).Select(attack => new Point(attack.Attack, attack.File, attack.ForwardsPerImage + attack.BackwardsPerImage, attack.LocalOptimality)),
        ];
        points = [.. points.Where(point => point is { Passes: > 0, Optimality: not null })];
        return points.Length == 0 ? null : new(comparison, points);
    }

    /// <summary>Draws the figure as PNG.</summary>
    /// <returns>The bytes of the PNG file.</returns>
    public byte[] ToPng()
    {
        using var plot = Draw();
        return AttackPlot.ToPng(plot, _points.Length);
    }

    /// <summary>Draws the figure as SVG.</summary>
    /// <returns>The text of the SVG file.</returns>
    public string ToSvg()
    {
        using var plot = Draw();
        return AttackPlot.ToSvg(plot, _points.Length);
    }

    private ScottPlot.Plot Draw()
    {
        FigureFont.Register();
        var plot = new ScottPlot.Plot();
        foreach (var (number, point) in _points.Index())
        {
            // The end of a path tells files apart.
            const int longestPath = 40;
            var suffix = point.File.Length == 0 ? "" : point.File.Length <= longestPath ? $" ({point.File})" : $" (…{point.File[^(longestPath - 1)..]})";
            AttackPlot.Mark(plot, number, Math.Log10(point.Passes), point.Optimality!.Value, AttackPlot.Shorten(point.Attack, AttackPlot.LongestLabel - suffix.Length) + suffix, hollow: point.File.Length > 0);
        }

        AttackPlot.Label(
            plot,
            string.Create(CultureInfo.InvariantCulture, $"{_comparison.Model}, {Norm.Parse(_comparison.Norm).DisplayName}: local optimality over {_comparison.Envelope!.Images} images"),
            "passes per image, forward and backward",
            "local optimality (LO)");
        AttackPlot.SetDecades(plot, [.. _points.Select(point => point.Passes)]);
        // A range of at least 0.02 keeps rounding errors invisible.
        var lowest = Math.Min(_points.Min(point => point.Optimality!.Value), 0.98);
        var margin = 0.1 * (1 - lowest);
        plot.Axes.SetLimitsY(lowest - margin, 1 + margin);
        return plot;
    }

    private sealed record Point(string Attack, string File, double Passes, double? Optimality);
}
