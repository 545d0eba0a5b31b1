using ScottPlot;
using SkiaSharp;

namespace Brink.Reports.Figures;

/// <summary>The font of figures, DejaVu Sans, which is embedded in this assembly. Without an installed font, text would be missing without an error.</summary>
internal sealed class FigureFont : IFontResolver
{
    /// <summary>The name of the font in plots and in SVG files.</summary>
    public const string Name = "DejaVu Sans";

    private const string Resource = "Brink.Reports.Figures.DejaVuSans.ttf";

    private static readonly Lazy<IFontResolver> Registered = new(() =>
    {
        // Before the fonts of the system, which may include another version of this font.
        var font = new FigureFont();
        Fonts.FontResolvers.Insert(0, font);
        return font;
    });

    private FigureFont()
    {
    }

    /// <summary>Registers the font with the plotting library, once per process.</summary>
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

    /// <summary>Loads the font, for text that is drawn without the plotting library.</summary>
    /// <returns>The typeface, which the caller disposes.</returns>
    public static SKTypeface Typeface()
    {
        using var stream = typeof(FigureFont).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The assembly Brink.Reports needs the resource {Resource}, but was built without it; build it again.");
        return SKTypeface.FromStream(stream);
    }

    /// <inheritdoc/>
    public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic) => CreateTypeface(fontName, FontWeight.Normal, FontSlant.Upright, FontSpacing.Normal);
}
