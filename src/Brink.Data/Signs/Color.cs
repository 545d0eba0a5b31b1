namespace Brink.Data;

/// <summary>Red, green and blue; 0 is black and 1 is full light.</summary>
internal readonly record struct Color(double Red, double Green, double Blue)
{
    public static Color operator +(Color one, Color other) => new(one.Red + other.Red, one.Green + other.Green, one.Blue + other.Blue);

    public static Color operator *(Color color, double factor) => new(color.Red * factor, color.Green * factor, color.Blue * factor);

    /// <summary>This colour at 0, the other at 1, and the straight line between.</summary>
    public Color Toward(Color other, double share) => (this * (1 - share)) + (other * share);

    /// <summary>Channel by channel: what is left of this colour under that light.</summary>
    public Color Under(Color light) => new(Red * light.Red, Green * light.Green, Blue * light.Blue);

    /// <summary>A colour near this one: every channel moved by up to <paramref name="range"/>.</summary>
    public Color Near(RandomStream random, double range) => new(
        Math.Clamp(Red + random.Between(-range, range), 0, 1),
        Math.Clamp(Green + random.Between(-range, range), 0, 1),
        Math.Clamp(Blue + random.Between(-range, range), 0, 1));
}
