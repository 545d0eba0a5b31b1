using ScottPlot.Colormaps;
using SkiaSharp;

namespace Brink.Reports.Pictures;

/// <summary>The colours of heat maps: Inferno (van der Walt and Smith 2015), from black over red to pale yellow, even to the eye and to colour-blind eyes.</summary>
internal static class HeatColors
{
    private static readonly Inferno Map = new();

    /// <summary>The colour of a value in [0, 1]; values outside have the nearest.</summary>
    public static SKColor At(double value)
    {
        var color = Map.GetColor(Math.Clamp(double.IsNaN(value) ? 0 : value, 0, 1));
        return new(color.Red, color.Green, color.Blue);
    }
}
