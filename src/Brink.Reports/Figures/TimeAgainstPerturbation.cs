using System.Globalization;
using Brink.Evaluation.Results;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace Brink.Reports.Figures;

/// <summary>A scatter plot of the time per image and the mean perturbation of attacks, as in Figures 4 and 5 of Yao et al. (CVPR 2019). Lower left is better.</summary>
/// <remarks>An attack that fooled fewer than <see cref="Comparison.FooledThreshold"/> of the attacked images has a hollow marker, and the legend gives the number of images that it fooled, since the mean covers only images that all attacks fooled. Budgeted attacks have no mean and are not drawn.</remarks>
internal sealed class TimeAgainstPerturbation
{
    private const int Width = 720;
    private const int Height = 480;
    private const int LegendRow = 22;
    private const int LongestLabel = 80;

    // The PNG has twice as many pixels, for sharp text on high-resolution screens.
    private const int Scale = 2;

    // Okabe and Ito (2008): colours that colour-blind readers can distinguish. The shapes distinguish attacks in grey prints.
    private static readonly string[] Colors = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"];

    private static readonly (MarkerShape Filled, MarkerShape Hollow)[] Markers =
    [
        (MarkerShape.FilledCircle, MarkerShape.OpenCircle),
        (MarkerShape.FilledSquare, MarkerShape.OpenSquare),
        (MarkerShape.FilledTriangleUp, MarkerShape.OpenTriangleUp),
        (MarkerShape.FilledDiamond, MarkerShape.OpenDiamond),
        (MarkerShape.FilledTriangleDown, MarkerShape.OpenTriangleDown),
    ];

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
        plot.ScaleFactor = Scale;
        return plot.GetImage(Width * Scale, TotalHeight * Scale).GetImageBytes(ImageFormat.Png);
    }

    /// <summary>Draws the figure as SVG.</summary>
    /// <returns>The text of the SVG file.</returns>
    public string ToSvg()
    {
        using var plot = Draw();
        return PortableSvg.File(plot, Width, TotalHeight);
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
        return PortableSvg.Inline(plot, ReportPlot.Width, ReportPlot.Height + (LegendRow * (_drawn.Length + 1)), name, $"Time per image against mean perturbation: {string.Join("; ", points)}.");
    }

    private int TotalHeight => Height + (LegendRow * _drawn.Length);

    private Plot Draw(int longestLabel = LongestLabel)
    {
        FigureFont.Register();
        var plot = new Plot();
        for (var number = 0; number < _drawn.Length; number++)
        {
            var attack = _drawn[number];
            var (filled, hollow) = Markers[number % Markers.Length];
            var color = Color.FromHex(Colors[number % Colors.Length]);
            var marker = plot.Add.Marker(Math.Log10(attack.SecondsPerImage), attack.RelativePerturbation.Mean!.Value * 100, attack.BelowThreshold ? hollow : filled, 13, color);
            marker.LineWidth = 2.5f;
            marker.LegendText = Label(attack, longestLabel);
        }

        var norm = Norm.Parse(_comparison.Norm).DisplayName;
        plot.Title(string.Create(CultureInfo.InvariantCulture, $"{_comparison.Model}, {norm}: mean over the {_comparison.FooledByAll} images that all {_comparison.ComparedKind}attacks fooled"), 14);
        plot.XLabel("time per image, in seconds", 14);
        plot.YLabel($"relative {norm} perturbation, in % ({(_comparison.Space == "pixel" ? "pixels" : "normalised input")})", 14);
        plot.Axes.Title.Label.Bold = plot.Axes.Bottom.Label.Bold = plot.Axes.Left.Label.Bold = false;
        SetAxes(plot);
        plot.ShowLegend(Edge.Bottom);
        plot.Legend.Orientation = Orientation.Vertical;
        plot.Legend.OutlineWidth = 0;
        plot.Legend.ShadowColor = ScottPlot.Colors.Transparent;
        plot.Legend.FontSize = 13;
        plot.Font.Set(FigureFont.Name);
        return plot;
    }

    private string Label(ComparedAttack attack, int longest)
    {
        var suffix = attack.BelowThreshold ? string.Create(CultureInfo.InvariantCulture, $" (fooled {attack.Fooled} of {_comparison.Attacked})") : "";
        var available = longest - suffix.Length;
        return (attack.Attack.Length <= available ? attack.Attack : $"{attack.Attack[..(available - 1)]}…") + suffix;
    }

    /// <summary>Sets a logarithmic axis of whole decades for the time and an axis from 0 for the perturbation.</summary>
    private void SetAxes(Plot plot)
    {
        var logarithms = _drawn.Select(attack => Math.Log10(attack.SecondsPerImage)).ToArray();
        var first = (int)Math.Floor(logarithms.Min());
        var last = Math.Max((int)Math.Ceiling(logarithms.Max()), first + 1);
        var times = new NumericManual();
        for (var decade = first; decade <= last; decade++)
        {
            times.AddMajor(decade, Seconds(decade, 1));
            for (var digit = 2; digit <= 9 && decade < last; digit++)
            {
                var position = decade + Math.Log10(digit);
                // Within one or two decades, 2 and 5 help to read a point.
                if (last - first <= 2 && digit is 2 or 5)
                {
                    times.AddMajor(position, Seconds(decade, digit));
                }
                else
                {
                    times.AddMinor(position);
                }
            }
        }

        plot.Axes.Bottom.TickGenerator = times;
        plot.Axes.Left.TickGenerator = new NumericAutomatic { LabelFormatter = value => value.ToString("0.######", CultureInfo.InvariantCulture) };
        // The margin keeps markers at the ends inside the frame.
        var margin = 0.03 * (last - first);
        plot.Axes.SetLimitsX(first - margin, last + margin);
        plot.Axes.SetLimitsY(0, 1.15 * 100 * _drawn.Max(attack => attack.RelativePerturbation.Mean!.Value));
    }

    private static string Seconds(int decade, int digit) => (digit * Math.Pow(10, decade)).ToString("0.############", CultureInfo.InvariantCulture);
}
