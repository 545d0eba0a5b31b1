namespace Brink.Data;

/// <summary>The paints of one sign: no two are printed or have faded alike.</summary>
internal sealed record Palette(Color Red, Color Blue, Color Yellow, Color White, Color Black, Color Metal)
{
    /// <summary>Draws the paints of a sign that has faded by 0 to 45 %.</summary>
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
