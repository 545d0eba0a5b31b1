using System.Globalization;
using Brink.Evaluation.Figures;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace Brink.Training.Output;

/// <summary>The history of a training as a figure: accuracies on the left axis, the loss on the right.</summary>
public static class HistoryFigure
{
    private const int Width = 720;
    private const int Height = 480;

    // The PNG has twice as many dots, for sharp text on today's screens.
    private const int Scale = 2;

    /// <summary>The figure as PNG.</summary>
    /// <param name="history">The finished epochs, at least one.</param>
    public static byte[] Of(IReadOnlyCollection<EpochRecord> history)
    {
        ArgumentNullException.ThrowIfNull(history);
        FigureFont.Register();
        using var plot = new Plot { ScaleFactor = Scale };
        // Okabe and Ito (2008): told apart by colour-blind readers, too.
        Add(plot, history.Any(epoch => epoch.AdversarialShare > 0) ? "training images, as perturbed" : "training images", "#0072B2", history, epoch => 100 * epoch.TrainAccuracy);
        Add(plot, "held-out images", "#009E73", history, epoch => 100 * epoch.HeldOutAccuracy);
        Add(plot, "test images", "#D55E00", history, epoch => 100 * epoch.TestAccuracy);
        if (Add(plot, "loss", "#7F7F7F", history, epoch => epoch.Loss) is { } loss)
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

    private static ScottPlot.Plottables.Scatter? Add(Plot plot, string name, string color, IEnumerable<EpochRecord> history, Func<EpochRecord, double?> value)
    {
        var points = history.Where(epoch => value(epoch) is not null).Select(epoch => new Coordinates(epoch.Epoch, value(epoch)!.Value)).ToArray();
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
