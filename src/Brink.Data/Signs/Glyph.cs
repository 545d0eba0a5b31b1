namespace Brink.Data;

/// <summary>A letter, a digit or an arrow as lines of a round pen, in a box from −1 to 1, y downwards.</summary>
/// <param name="lines">Each line as its points x₀, y₀, x₁, y₁, ….</param>
internal sealed class Glyph(params double[][] lines)
{
    public static readonly Glyph Zero = new([-.6, -.6, -.3, -1, .3, -1, .6, -.6, .6, .6, .3, 1, -.3, 1, -.6, .6, -.6, -.6]);

    public static readonly Glyph Three = new(
        [-.55, -.75, -.25, -1, .25, -1, .5, -.75, .5, -.3, .1, -.02, .6, .35, .6, .75, .3, 1, -.3, 1, -.6, .7],
        [-.15, -.02, .1, -.02]);

    public static readonly Glyph Eight = new(
        [-.1, -.02, -.5, -.3, -.5, -.75, -.25, -1, .25, -1, .5, -.75, .5, -.3, .1, -.02],
        [-.1, -.02, -.6, .35, -.6, .75, -.3, 1, .3, 1, .6, .75, .6, .35, .1, -.02, -.1, -.02]);

    public static readonly Glyph LetterS = new([.5, -.75, .2, -1, -.3, -1, -.5, -.7, -.4, -.2, .4, .2, .5, .7, .3, 1, -.3, 1, -.5, .75]);

    public static readonly Glyph LetterT = new([-.6, -1, .6, -1], [0, -1, 0, 1]);

    public static readonly Glyph LetterP = new([-.5, 1, -.5, -1, .3, -1, .6, -.7, .6, -.3, .3, 0, -.5, 0]);

    public static readonly Glyph ArrowUp = new([0, 1, 0, -.9], [-.55, -.3, 0, -.95, .55, -.3]);

    /// <summary>Up from the foot and round the corner to the left.</summary>
    public static readonly Glyph ArrowLeft = new([.45, 1, .45, .1, .25, -.2, -.8, -.2], [-.25, -.75, -.85, -.2, -.25, .35]);

    /// <summary>Whether the pen, that far to each side of its lines, covers the point.</summary>
    public bool Covers(double x, double y, double halfWidth)
    {
        foreach (var line in lines)
        {
            for (var i = 0; i + 3 < line.Length; i += 2)
            {
                if (SquaredDistance(x - line[i], y - line[i + 1], line[i + 2] - line[i], line[i + 3] - line[i + 1]) <= halfWidth * halfWidth)
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>From the point (x, y) to the segment from the origin to (endX, endY).</summary>
    private static double SquaredDistance(double x, double y, double endX, double endY)
    {
        var along = Math.Clamp(((x * endX) + (y * endY)) / ((endX * endX) + (endY * endY)), 0, 1);
        var (acrossX, acrossY) = (x - (along * endX), y - (along * endY));
        return (acrossX * acrossX) + (acrossY * acrossY);
    }
}
