namespace Brink.Data;

/// <summary>A colour; each channel is between 0 (black) and 1 (full light).</summary>
/// <param name="Red">The red channel.</param>
/// <param name="Green">The green channel.</param>
/// <param name="Blue">The blue channel.</param>
internal readonly record struct Color(double Red, double Green, double Blue)
{
    /// <summary>Adds two colours, channel by channel.</summary>
    public static Color operator +(Color one, Color other) => new(one.Red + other.Red, one.Green + other.Green, one.Blue + other.Blue);

    /// <summary>Multiplies each channel by a factor.</summary>
    public static Color operator *(Color color, double factor) => new(color.Red * factor, color.Green * factor, color.Blue * factor);

    /// <summary>Interpolates linearly from this colour (share 0) to another (share 1).</summary>
    public Color Toward(Color other, double share) => (this * (1 - share)) + (other * share);

    /// <summary>Multiplies this colour by the colour of a light, channel by channel.</summary>
    public Color Under(Color light) => new(Red * light.Red, Green * light.Green, Blue * light.Blue);

    /// <summary>Draws a similar colour: each channel is changed by at most <paramref name="range"/>.</summary>
    public Color Near(RandomStream random, double range) => new(
        Math.Clamp(Red + random.Between(-range, range), 0, 1),
        Math.Clamp(Green + random.Between(-range, range), 0, 1),
        Math.Clamp(Blue + random.Between(-range, range), 0, 1));
}

/// <summary>The colours of one sign, which vary with printing and fading.</summary>
internal sealed record Palette(Color Red, Color Blue, Color Yellow, Color White, Color Black, Color Metal)
{
    /// <summary>Draws the colours of a sign that has faded by 0 to 45 %.</summary>
    public static Palette Draw(RandomStream random)
    {
        var faded = new Color(.62, .6, .58).Near(random, .05);
        var fading = random.Between(0, .45);
        Color Paint(double red, double green, double blue) => new Color(red, green, blue).Near(random, .07).Toward(faded, fading);
        return new Palette(
            Red: Paint(.78, .1, .12),
            Blue: Paint(.08, .28, .68),
            Yellow: Paint(.95, .75, .1),
            White: Paint(.93, .93, .92),
            Black: Paint(.08, .08, .09),
            Metal: Paint(.5, .51, .52));
    }
}
