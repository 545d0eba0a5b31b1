using System.Globalization;
using Brink.Evaluation.Results;
using ScottPlot;

namespace Brink.Reports.Figures;

/// <summary>A scatter plot of the time per image and the mean perturbation of attacks, as in Figures 4 and 5 of Yao et al. (CVPR 2019). Lower left is better.</summary>
/// <remarks>An attack that fooled fewer than <see cref="Comparison.FooledThreshold"/> of the attacked images has a hollow marker, and the legend gives the number of images that it fooled, since the mean covers only images that all attacks fooled. Budgeted attacks have no mean and are not drawn.</remarks>
internal sealed class TimeAgainstPerturbation
{
    private readonly Comparison _comparison;
    private readonly ComparedAttack[] _drawn;

    private TimeAgainstPerturbation(Comparison comparison, ComparedAttack[] drawn) => (_comparison, _drawn) = (comparison, drawn);

    /// <summary>Creates the figure of a comparison.</summary>
    /// <param name="comparison">The comparison.</param>
    /// <returns>The figure, or null if no image was fooled by all attacks, so that there is no point to draw.</returns>
    public static TimeAgainstPerturbation? Of(Comparison comparison)
    {
        ArgumentNullException.ThrowIfNull(comparison);
        var drawn = comparison.Attacks.Where(attack => attack is { RelativePerturbation.Mean: not null, SecondsPerImage: > 0 }).ToArray();
        return drawn.Length == 0 ? null : new(comparison, drawn);
    }

    /// <summary>Draws the figure as PNG.</summary>
    /// <returns>The bytes of the PNG file.</returns>
    public byte[] ToPng()
    {
        using var plot = Draw();
        return AttackPlot.ToPng(plot, _drawn.Length);
    }

    /// <summary>Draws the figure as SVG.</summary>
    /// <returns>The text of the SVG file.</returns>
    public string ToSvg()
    {
        using var plot = Draw();
        return AttackPlot.ToSvg(plot, _drawn.Length);
    }

    /// <summary>Draws the figure as part of a page, in the colours of the page and without a title.</summary>
    /// <param name="name">A name that is unique on the page.</param>
    /// <returns>The SVG element.</returns>
    public string ToInlineSvg(string name)
    {
        const int longestLabel = 46;
        using var plot = Draw(longestLabel);
        plot.Axes.Title.IsVisible = false;
        plot.YLabel($"relative {Norm.Parse(_comparison.Norm).DisplayName} perturbation, in %", 14);
        plot.Axes.Left.Label.Bold = false;
        plot.Font.Set(FigureFont.Name);
        plot.FigureBackground.Color = plot.DataBackground.Color = plot.Legend.BackgroundColor = ScottPlot.Colors.Transparent;
        var points = _drawn.Select(attack => string.Create(CultureInfo.InvariantCulture, $"{attack.Attack} {attack.SecondsPerImage:G3} s, {attack.RelativePerturbation.Mean * 100:G3} %"));
        return PortableSvg.Inline(plot, ReportPlot.Width, ReportPlot.Height + (AttackPlot.LegendRow * (_drawn.Length + 1)), name, $"Time per image against mean perturbation: {string.Join("; ", points)}.");
    }

    private Plot Draw(int longestLabel = AttackPlot.LongestLabel)
    {
        FigureFont.Register();
        var plot = new Plot();
        for (var number = 0; number < _drawn.Length; number++)
        {
            var attack = _drawn[number];
            AttackPlot.Mark(plot, number, Math.Log10(attack.SecondsPerImage), attack.RelativePerturbation.Mean!.Value * 100, Label(attack, longestLabel), hollow: attack.BelowThreshold);
        }

        var norm = Norm.Parse(_comparison.Norm).DisplayName;
        AttackPlot.Label(
            plot,
            string.Create(CultureInfo.InvariantCulture, $"{_comparison.Model}, {norm}: mean over the {_comparison.FooledByAll} images that all {_comparison.ComparedKind}attacks fooled"),
            "time per image, in seconds",
            $"relative {norm} perturbation, in % ({(_comparison.Space == "pixel" ? "pixels" : "normalised input")})");
        AttackPlot.SetDecades(plot, [.. _drawn.Select(attack => attack.SecondsPerImage)]);
        plot.Axes.SetLimitsY(0, 1.15 * 100 * _drawn.Max(attack => attack.RelativePerturbation.Mean!.Value));
        return plot;
    }

    private string Label(ComparedAttack attack, int longest)
    {
        var suffix = attack.BelowThreshold ? string.Create(CultureInfo.InvariantCulture, $" (fooled {attack.Fooled} of {_comparison.Attacked})") : "";
        return AttackPlot.Shorten(attack.Attack, longest - suffix.Length) + suffix;
    }
}
