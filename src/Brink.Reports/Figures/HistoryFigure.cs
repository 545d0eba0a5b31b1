using System.Globalization;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace Brink.Reports.Figures;

/// <summary>Draws the history of a training: accuracies on the left axis and the loss on the right axis, against the epoch.</summary>
internal static class HistoryFigure
{
    private const int Width = 720;
    private const int Height = 480;

    // The PNG has twice as many pixels, for sharp text on high-resolution screens.
    private const int Scale = 2;

    // Okabe and Ito (2008): colours that colour-blind readers can distinguish.
    private static readonly string[] AccuracyColors = ["#0072B2", "#009E73", "#D55E00"];

    /// <summary>Draws the figure as PNG.</summary>
    /// <param name="epochs">The numbers of the finished epochs, at least one.</param>
    /// <param name="accuracies">At most three curves: a name and the accuracy after each epoch, between 0 and 1, or null if it was not measured.</param>
    /// <param name="losses">The loss of each epoch, or null if it was not measured.</param>
    /// <returns>The bytes of the PNG file.</returns>
    public static byte[] Draw(IReadOnlyList<int> epochs, IReadOnlyList<(string Name, IReadOnlyList<double?> Values)> accuracies, IReadOnlyList<double?> losses)
    {
        const double percent = 100;
        FigureFont.Register();
        using var plot = new Plot { ScaleFactor = Scale };
        foreach (var ((name, values), color) in accuracies.Zip(AccuracyColors))
        {
            Add(plot, name, color, epochs, [.. values.Select(value => percent * value)]);
        }

        if (Add(plot, "loss", "#7F7F7F", epochs, losses) is { } loss)
        {
            loss.Axes.YAxis = plot.Axes.Right;
            loss.LinePattern = LinePattern.Dashed;
        }

        plot.XLabel("epoch", 14);
        plot.YLabel("accuracy, in %", 14);
        plot.Axes.Right.Label.Text = "loss";
        plot.Axes.Right.Label.FontSize = 14;
        plot.Axes.Bottom.Label.Bold = plot.Axes.Left.Label.Bold = plot.Axes.Right.Label.Bold = false;
        plot.Axes.Bottom.TickGenerator = new NumericAutomatic { IntegerTicksOnly = true, LabelFormatter = Label };
        plot.Axes.Left.TickGenerator = new NumericAutomatic { LabelFormatter = Label };
        plot.Axes.Right.TickGenerator = new NumericAutomatic { LabelFormatter = Label };
        plot.ShowLegend(Edge.Bottom);
        plot.Legend.OutlineWidth = 0;
        plot.Legend.ShadowColor = Colors.Transparent;
        plot.Legend.FontSize = 13;
        plot.Font.Set(FigureFont.Name);
        return plot.GetImage(Width * Scale, Height * Scale).GetImageBytes(ImageFormat.Png);
    }

    private static ScottPlot.Plottables.Scatter? Add(Plot plot, string name, string color, IReadOnlyList<int> epochs, IReadOnlyList<double?> values)
    {
        var points = epochs.Zip(values).Where(pair => pair.Second is not null).Select(pair => new Coordinates(pair.First, pair.Second!.Value)).ToArray();
        if (points.Length == 0)
        {
            return null;
        }

        var line = plot.Add.Scatter(points, Color.FromHex(color));
        line.LegendText = name;
        line.LineWidth = 2;
        line.MarkerSize = 5;
        return line;
    }

    private static string Label(double value) => value.ToString("0.######", CultureInfo.InvariantCulture);
}
