using ScottPlot;
using SkiaSharp;

namespace Brink.Reports.Figures;

/// <summary>The font of figures, which comes with this assembly: where no font is installed, text would silently be missing.</summary>
internal sealed class FigureFont : IFontResolver
{
    /// <summary>What plots call the font, which is also what an SVG asks its viewer for.</summary>
    public const string Name = "DejaVu Sans";

    private const string Resource = "Brink.Reports.Figures.DejaVuSans.ttf";

    private static readonly Lazy<IFontResolver> Registered = new(() =>
    {
        // Before the system's fonts, which may have another version of it.
        var font = new FigureFont();
        Fonts.FontResolvers.Insert(0, font);
        return font;
    });

    private FigureFont()
    {
    }

    /// <summary>Makes the font known to the plotting library, once.</summary>
    public static void Register() => _ = Registered.Value;

    /// <inheritdoc/>
    public SKTypeface? CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing)
    {
        if (!string.Equals(fontName, Name, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        return Typeface();
    }

    /// <summary>The font itself, for those who draw text without the plotting library.</summary>
    public static SKTypeface Typeface()
    {
        using var stream = typeof(FigureFont).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The assembly Brink.Reports needs the resource {Resource}, but was built without it; build it again.");
        return SKTypeface.FromStream(stream);
    }

    /// <inheritdoc/>
    public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic) => CreateTypeface(fontName, FontWeight.Normal, FontSlant.Upright, FontSpacing.Normal);
}
