using System.Globalization;
using Brink.Evaluation.Runs;
using Brink.Reports.Figures;
using ScottPlot;
using ScottPlot.TickGenerators;
using SkiaSharp;
using static TorchSharp.torch;

namespace Brink.Reports.Pictures;

/// <summary>A picture of a plane through input space around an image, as in Figure 3 of Yao et al. (CVPR 2019): the predictions and the paths of attacks.</summary>
/// <remarks>Paths are projected onto the plane. The legend gives the share of each perturbation that lies in it.</remarks>
internal sealed class InputSlice
{
    private const int Width = 720;
    private const int PlotHeight = 560;
    private const int LegendRow = 22;
    private const int Scale = 2;
    private const double Margin = 0.12;

    // Pale colours, on which paths are visible. The first is for the label.
    private static readonly string[] ClassColors = ["#E9EDF1", "#F7D9A8", "#BFE3D0", "#F3C9DC", "#C9DDF5", "#F5EFA6", "#D9CFEE", "#D8D2C4"];

    private static readonly string[] PathColors = ["#C24F00", "#0072B2", "#1B2127", "#7A3E9D", "#00735C"];

    private static readonly MarkerShape[] PathMarkers = [MarkerShape.FilledSquare, MarkerShape.FilledTriangleUp, MarkerShape.FilledCircle, MarkerShape.FilledDiamond, MarkerShape.FilledTriangleDown];

    private readonly IReadOnlyList<AttackPath> _paths;
    private readonly SlicePlane _plane;
    private readonly SliceMap _map;
    private readonly CoordinateRect _window;
    private readonly Func<long, string> _className;
    private readonly string _title;

    private InputSlice(IReadOnlyList<AttackPath> paths, SlicePlane plane, SliceMap map, CoordinateRect window, Func<long, string> className, string title) =>
        (_paths, _plane, _map, _window, _className, _title) = (paths, plane, map, window, className, title);

    /// <summary>Chooses the plane for the paths of attacks on one image and evaluates the model on it.</summary>
    /// <param name="paths">The paths, at least one.</param>
    /// <param name="model">The model, in the space of the paths.</param>
    /// <param name="shape">The shape of an image.</param>
    /// <param name="classNames">The name of each class.</param>
    /// <param name="title">The title of the picture.</param>
    /// <param name="seed">The seed of the random direction, if one is needed.</param>
    /// <param name="device">The device of the computation, or null for the CPU.</param>
    /// <param name="cancellationToken">Cancels before the next batch.</param>
    /// <returns>The picture.</returns>
    /// <exception cref="BadInputException">No attack changed the image.</exception>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    public static InputSlice Of(IReadOnlyList<AttackPath> paths, OpenedModel model, long[] shape, IReadOnlyList<string> classNames, string title, int seed = 0, Device? device = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentNullException.ThrowIfNull(model);
        var plane = SlicePlane.Through(paths, seed);
        var window = Window([.. paths.SelectMany(path => path.Points.Append(path.End)).Select(plane.Project)]);
        var area = Area(window);
        float[] Point(int row, int column) => plane.At(
            area.Left + (area.Width * column / (SliceMap.Side - 1)),
            area.Top - (area.Height * row / (SliceMap.Side - 1)));
        var map = SliceMap.Of(model, shape, Point, device ?? CPU, cancellationToken);
        return new(paths, plane, map, window, label => label >= 0 && label < classNames.Count ? classNames[(int)label] : FormattableString.Invariant($"class {label}"), title);
    }

    /// <summary>Draws the picture as PNG.</summary>
    /// <returns>The bytes of the PNG file.</returns>
    public byte[] ToPng()
    {
        using var plot = Draw();
        plot.ScaleFactor = Scale;
        return plot.GetImage(Width * Scale, Height * Scale).GetImageBytes(ImageFormat.Png);
    }

    /// <summary>Draws the picture as SVG.</summary>
    /// <returns>The text of the SVG file.</returns>
    public string ToSvg()
    {
        using var plot = Draw();
        return PortableSvg.File(plot, Width, Height);
    }

    private int Height => PlotHeight + (LegendRow * (_paths.Count + Classes().Count));

    /// <summary>Computes the visible area: all points with a margin, in the proportion 3 to 2.</summary>
    private static CoordinateRect Window((double X, double Y, double Away)[] points)
    {
        double left = points.Min(point => point.X), right = points.Max(point => point.X), bottom = points.Min(point => point.Y), top = points.Max(point => point.Y);
        var width = Math.Max(right - left, 1.5 * (top - bottom)) * (1 + (2 * Margin));
        var (x, y, height) = ((left + right) / 2, (bottom + top) / 2, width / 1.5);
        return new(x - (width / 2), x + (width / 2), y - (height / 2), y + (height / 2));
    }

    /// <summary>Computes the area of the map, which exceeds the visible area, because axes with equal units may show more than was requested.</summary>
    private static CoordinateRect Area(CoordinateRect window)
    {
        const double more = 0.06;
        return new(window.Left - (more * window.Width), window.Right + (more * window.Width), window.Bottom - (more * window.Height), window.Top + (more * window.Height));
    }

    /// <summary>Returns the classes on the map, the label first, the others by their area.</summary>
    private List<int> Classes()
    {
        var areas = Enumerable.Range(0, SliceMap.Side * SliceMap.Side).CountBy(node => _map[node / SliceMap.Side, node % SliceMap.Side]);
        return [.. areas.OrderByDescending(entry => entry.Key == _paths[0].Result.Label).ThenByDescending(entry => entry.Value).Select(entry => entry.Key)];
    }

    private Plot Draw()
    {
        FigureFont.Register();
        var plot = new Plot();
        var classes = Classes();
        using var map = Color(classes);
        plot.Add.ImageRect(new ScottPlot.Image(map), Area(_window));
        for (var number = 0; number < _paths.Count; number++)
        {
            Add(plot, _paths[number], ScottPlot.Color.FromHex(PathColors[number % PathColors.Length]), PathMarkers[number % PathMarkers.Length]);
        }

        var start = plot.Add.Marker(0, 0, MarkerShape.FilledCircle, 11, Colors.White);
        (start.MarkerStyle.OutlineColor, start.MarkerStyle.OutlineWidth) = (Colors.Black, 2);
        for (var number = 0; number < classes.Count; number++)
        {
            plot.Legend.ManualItems.Add(new LegendItem
            {
                LabelFontName = FigureFont.Name,
                LabelText = classes[number] < 0 ? "no prediction" : $"{_className(classes[number])}{(number == 0 && classes[number] == _paths[0].Result.Label ? ", the label" : "")}",
                MarkerShape = MarkerShape.FilledSquare,
                MarkerSize = 14,
                MarkerFillColor = ScottPlot.Color.FromHex(ClassColors[number % ClassColors.Length]),
                MarkerLineColor = Colors.Gray,
                MarkerLineWidth = 1,
            });
        }

        const float size = 14;
        plot.Title(_title, size);
        plot.XLabel("along the shortest perturbation (L2 distance from the image)", size);
        plot.YLabel("orthogonal to it", size);
        plot.Axes.Title.Label.Bold = plot.Axes.Bottom.Label.Bold = plot.Axes.Left.Label.Bold = false;
        plot.HideGrid();
        plot.Axes.Bottom.TickGenerator = Numbers();
        plot.Axes.Left.TickGenerator = Numbers();
        plot.Axes.SetLimits(_window.Left, _window.Right, _window.Bottom, _window.Top);
        plot.Axes.SquareUnits();
        plot.ShowLegend(Edge.Bottom);
        plot.Legend.Orientation = Orientation.Vertical;
        plot.Legend.OutlineWidth = 0;
        plot.Legend.ShadowColor = Colors.Transparent;
        plot.Legend.FontSize = size - 1;
        plot.Font.Set(FigureFont.Name);
        return plot;
    }

    private void Add(Plot plot, AttackPath path, Color color, MarkerShape shape)
    {
        var projections = path.Points.Select(_plane.Project).ToArray();
        var (xs, ys) = (projections.Select(point => point.X).ToArray(), projections.Select(point => point.Y).ToArray());
        var line = plot.Add.ScatterLine(xs, ys, color.WithAlpha(0.75));
        line.LineWidth = 1.5f;
        var points = plot.Add.ScatterPoints(xs[1..], ys[1..], color);
        (points.MarkerShape, points.MarkerSize) = (shape, 6);

        var (x, y, away) = _plane.Project(path.End);
        var length = Math.Sqrt((x * x) + (y * y) + (away * away));
        var end = path.Result.Fooled
            ? string.Create(CultureInfo.InvariantCulture, $"{path.Attack}: L2 {path.Result.L2:G3} in {path.Points.Count - 1} points, {(length > 0 ? Math.Sqrt((x * x) + (y * y)) / length : 1) * 100:F0} % of it in this plane")
            : $"{path.Attack}: not fooled";
        if (path.Result.Fooled)
        {
            var ring = plot.Add.Marker(x, y, MarkerShape.OpenCircle, 17, color);
            ring.LineWidth = 2;
        }

        plot.Legend.ManualItems.Add(new LegendItem { LabelFontName = FigureFont.Name, LabelText = end, MarkerShape = shape, MarkerSize = 8, MarkerFillColor = color, MarkerLineColor = color, LineColor = color, LineWidth = 2 });
    }

    /// <summary>Draws the map in the colours of the classes, with the decision boundaries.</summary>
    private SKBitmap Color(List<int> classes)
    {
        const int pixels = 2;
        var colors = classes.Select((label, number) => (label, Color: SKColor.Parse(ClassColors[number % ClassColors.Length]))).ToDictionary(entry => entry.label, entry => entry.Color);
        var line = SKColor.Parse("#8A949E");
        using var small = PixelPicture.Fill(SliceMap.Side, SliceMap.Side, entry =>
        {
            var (row, column) = (entry / SliceMap.Side, entry % SliceMap.Side);
            var here = _map[row, column];
            var onBoundary = (row + 1 < SliceMap.Side && _map[row + 1, column] != here) || (column + 1 < SliceMap.Side && _map[row, column + 1] != here);
            return onBoundary ? line : colors[here];
        });
        return PixelPicture.Enlarge(small, pixels);
    }

    private static NumericAutomatic Numbers() => new() { LabelFormatter = value => value.ToString("0.######", CultureInfo.InvariantCulture) };
}
