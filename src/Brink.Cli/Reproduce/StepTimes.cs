using System.Globalization;
using Brink.Reports.Figures;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace Brink.Cli.Reproduce;

/// <summary>Bars of the times of <see cref="ReproducedFigure4"/>: a step of each attack, network by network.</summary>
internal sealed class StepTimes
{
    private const int Width = 720;
    private const int Height = 420;

    // The PNG has twice as many dots, for sharp text on today's screens.
    private const int Scale = 2;

    private static readonly (string Name, string Color, Func<TimedNetwork, double> Seconds)[] Attacks =
    [
        ("a trust-region step", "#0072B2", network => network.TrustRegionStepSeconds),
        ("a step of Carlini–Wagner", "#D55E00", network => network.CarliniWagnerStepSeconds),
    ];

    private readonly IReadOnlyList<TimedNetwork> _networks;

    private StepTimes(IReadOnlyList<TimedNetwork> networks) => _networks = networks;

    /// <summary>The figure; null where nothing was timed.</summary>
    public static StepTimes? Of(ReproducedFigure4 times)
    {
        ArgumentNullException.ThrowIfNull(times);
        return times.Networks.Count == 0 ? null : new(times.Networks);
    }

    /// <summary>The figure as PNG.</summary>
    public byte[] ToPng()
    {
        using var plot = Draw();
        plot.ScaleFactor = Scale;
        return plot.GetImage(Width * Scale, Height * Scale).GetImageBytes(ImageFormat.Png);
    }

    /// <summary>The figure as SVG.</summary>
    public string ToSvg()
    {
        using var plot = Draw();
        return PortableSvg.File(plot, Width, Height);
    }

    private Plot Draw()
    {
        const double width = 0.36;
        FigureFont.Register();
        var plot = new Plot();
        for (var number = 0; number < Attacks.Length; number++)
        {
            var (name, color, seconds) = Attacks[number];
            var bars = plot.Add.Bars((List<Bar>)[.. _networks.Select((network, place) => new Bar
            {
                Position = place + ((number - 0.5) * width),
                Value = seconds(network),
                Size = width,
                FillColor = Color.FromHex(color),
                LineWidth = 0,
            })]);
            bars.LegendText = name;
        }

        plot.Axes.Bottom.TickGenerator = new NumericManual([.. _networks.Select((_, place) => (double)place)], [.. _networks.Select(network => network.Network)]);
        plot.Axes.Left.TickGenerator = new NumericAutomatic { LabelFormatter = value => value.ToString("0.######", CultureInfo.InvariantCulture) };
        plot.YLabel("seconds an image", 14);
        plot.Axes.Left.Label.Bold = false;
        plot.Axes.SetLimits(-0.6, _networks.Count - 0.4, 0, 1.1 * _networks.Max(network => Attacks.Max(attack => attack.Seconds(network))));
        plot.ShowLegend(Edge.Bottom);
        plot.Legend.OutlineWidth = 0;
        plot.Legend.ShadowColor = Colors.Transparent;
        plot.Legend.FontSize = 13;
        plot.Font.Set(FigureFont.Name);
        return plot;
    }
}
