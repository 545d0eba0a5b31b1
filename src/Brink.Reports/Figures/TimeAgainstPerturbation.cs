using System.Globalization;
using Brink.Evaluation.Results;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace Brink.Reports.Figures;

/// <summary>The scatter of the paper's Figures 4 and 5: what an attack costs against what it finds. One point an attack; the lower left corner is where an attack wants to be.</summary>
/// <remarks>An attack that fooled fewer than <see cref="Comparison.Bar"/> of the attacked images is drawn hollow, and the legend says how many it fooled: its mean is only over images that all attacks fooled.</remarks>
public sealed class TimeAgainstPerturbation
{
    private const int Width = 720;
    private const int Height = 480;
    private const int LegendRow = 22;
    private const int LongestLabel = 80;

    // The PNG has twice as many dots, for sharp text on today's screens.
    private const int Scale = 2;

    // Okabe and Ito (2008): told apart by colour-blind readers, too; the shapes help in print.
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

    /// <summary>The figure of a comparison; null where no image was fooled by all its attacks, so that there is no point to draw.</summary>
    public static TimeAgainstPerturbation? Of(Comparison comparison)
    {
        ArgumentNullException.ThrowIfNull(comparison);
        var drawn = comparison.Attacks.Where(attack => attack is { RelativePerturbation.Mean: not null, SecondsPerImage: > 0 }).ToArray();
        return drawn.Length == 0 ? null : new(comparison, drawn);
    }

    /// <summary>The figure as PNG.</summary>
    public byte[] ToPng()
    {
        using var plot = Draw();
        plot.ScaleFactor = Scale;
        return plot.GetImage(Width * Scale, TotalHeight * Scale).GetImageBytes(ImageFormat.Png);
    }

    /// <summary>The figure as SVG. Its text is text: a viewer without DejaVu Sans takes Verdana, which is as wide.</summary>
    public string ToSvg()
    {
        using var plot = Draw();
        return PortableSvg.File(plot, Width, TotalHeight);
    }

    /// <summary>The figure as a part of a page, in the page's own colours, small enough for a phone. What the title and the axis no longer say the page does.</summary>
    internal string ToInlineSvg(string name)
    {
        const int longestLabel = 46;
        using var plot = Draw(longestLabel);
        plot.Axes.Title.IsVisible = false;
        plot.YLabel($"relative {(Norm.Parse(_comparison.Norm).DisplayName)} change, in %", 14);
        plot.Axes.Left.Label.Bold = false;
        plot.Font.Set(FigureFont.Name);
        plot.FigureBackground.Color = plot.DataBackground.Color = plot.Legend.BackgroundColor = ScottPlot.Colors.Transparent;
        var points = _drawn.Select(attack => string.Create(CultureInfo.InvariantCulture, $"{attack.Attack} {attack.SecondsPerImage:G3} s, {attack.RelativePerturbation.Mean * 100:G3} %"));
        return PortableSvg.Inline(plot, ReportPlot.Width, ReportPlot.Height + (LegendRow * (_drawn.Length + 1)), name, $"Time an image against mean perturbation: {string.Join("; ", points)}.");
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
            var marker = plot.Add.Marker(Math.Log10(attack.SecondsPerImage), attack.RelativePerturbation.Mean!.Value * 100, attack.BelowBar ? hollow : filled, 13, color);
            marker.LineWidth = 2.5f;
            marker.LegendText = Label(attack, longestLabel);
        }

        var norm = Norm.Parse(_comparison.Norm).DisplayName;
        plot.Title(string.Create(CultureInfo.InvariantCulture, $"{_comparison.Model}, {norm}: mean over the {_comparison.FooledByAll} images that all attacks fooled"), 14);
        plot.XLabel("time an image, in seconds", 14);
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
        var suffix = attack.BelowBar ? string.Create(CultureInfo.InvariantCulture, $" (fooled {attack.Fooled} of {_comparison.Attacked})") : "";
        var room = longest - suffix.Length;
        return (attack.Attack.Length <= room ? attack.Attack : $"{attack.Attack[..(room - 1)]}…") + suffix;
    }

    /// <summary>Time in whole decades, lengths from 0.</summary>
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
        // Room for a marker that lies on the frame.
        var margin = 0.03 * (last - first);
        plot.Axes.SetLimitsX(first - margin, last + margin);
        plot.Axes.SetLimitsY(0, 1.15 * 100 * _drawn.Max(attack => attack.RelativePerturbation.Mean!.Value));
    }

    private static string Seconds(int decade, int digit) => (digit * Math.Pow(10, decade)).ToString("0.############", CultureInfo.InvariantCulture);
}
