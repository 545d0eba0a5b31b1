using System.Globalization;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace Brink.Reports.Figures;

/// <summary>What the plots of a report have in common: size, font, grid, and the colours that a page gives another meaning in the dark.</summary>
internal static class ReportPlot
{
    /// <summary>The width at full size. Half of a page, or all of a phone, where the text is still legible.</summary>
    public const int Width = 440;

    /// <summary>The height.</summary>
    public const int Height = 280;

    /// <summary>The colour of the data: Okabe and Ito's blue.</summary>
    public static Color Ink { get; } = Color.FromHex("#0072B2");

    /// <summary>The colour of what is marked: their vermilion.</summary>
    public static Color Mark { get; } = Color.FromHex("#D55E00");

    /// <summary>An empty plot.</summary>
    /// <param name="x">What the horizontal axis measures, and in which unit.</param>
    /// <param name="y">What the vertical axis does.</param>
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

    /// <summary>The plot as a part of a page.</summary>
    public static string ToSvg(Plot plot, string name, string description)
    {
        plot.Font.Set(FigureFont.Name);
        return PortableSvg.Inline(plot, Width, Height, name, description);
    }

    private static NumericAutomatic Numbers() => new() { LabelFormatter = value => value.ToString("#,0.######", CultureInfo.InvariantCulture) };
}
