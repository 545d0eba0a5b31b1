namespace Brink.Data;

/// <summary>The ten kinds of sign; their values are the labels.</summary>
internal enum SignKind
{
    Stop = 0,
    NoEntry = 1,
    Yield = 2,
    Warning = 3,
    PriorityRoad = 4,
    SpeedLimit30 = 5,
    SpeedLimit80 = 6,
    TurnLeft = 7,
    TurnRight = 8,
    StraightAhead = 9,
}

/// <summary>The appearance of each sign from the front, in coordinates with the origin at its centre, a radius of about 1, and y downwards.</summary>
internal static class SignFace
{
    // √3/2 and √2, written out because the arithmetic avoids functions that differ between platforms.
    private const double HalfRootOfThree = 0.8660254037844386;
    private const double RootOfTwo = 1.4142135623730951;

    /// <summary>Computes the colour of a sign at a point.</summary>
    /// <returns>The colour; null outside the sign.</returns>
    public static Color? At(SignKind kind, double x, double y, Palette paint) => kind switch
    {
        SignKind.Stop => Stop(x, y, paint),
        SignKind.NoEntry => NoEntry(x, y, paint),
        SignKind.Yield => Triangle(x, -y, paint),
        SignKind.Warning => ExclamationMark(x, y) ? paint.Black : Triangle(x, y, paint),
        SignKind.PriorityRoad => PriorityRoad(x, y, paint),
        SignKind.SpeedLimit30 => SpeedLimit(Glyph.Three, x, y, paint),
        SignKind.SpeedLimit80 => SpeedLimit(Glyph.Eight, x, y, paint),
        SignKind.TurnLeft => Mandatory(Glyph.ArrowLeft, x, y, paint),
        SignKind.TurnRight => Mandatory(Glyph.ArrowLeft, -x, y, paint),
        SignKind.StraightAhead => Mandatory(Glyph.ArrowUp, x, y, paint),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "There are ten kinds of sign, 0 to 9."),
    };

    private static Color? Stop(double x, double y, Palette paint)
    {
        // The distance from the centre in the norm whose ball is a regular octagon.
        var fromMiddle = Math.Max(Math.Max(Math.Abs(x), Math.Abs(y)), (Math.Abs(x) + Math.Abs(y)) / RootOfTwo);
        return fromMiddle > .95 ? null : fromMiddle > .87 || OnLetters(x, y) ? paint.White : paint.Red;
    }

    private static bool OnLetters(double x, double y) =>
        Written(Glyph.LetterS, x + .6, y, .17, .27) || Written(Glyph.LetterT, x + .2, y, .17, .27)
        || Written(Glyph.Zero, x - .2, y, .17, .27) || Written(Glyph.LetterP, x - .6, y, .17, .27);

    private static Color? NoEntry(double x, double y, Palette paint)
    {
        var onBar = Math.Abs(x) < .68 && Math.Abs(y) < .17;
        return Outside(x, y, 1) ? null : Outside(x, y, .93) || onBar ? paint.White : paint.Red;
    }

    /// <summary>Computes the colour of an upright white triangle with a red border.</summary>
    private static Color? Triangle(double x, double y, Palette paint)
    {
        const double middle = .2;
        var toFoot = y - middle;
        var toFlank = (Math.Abs(x) * HalfRootOfThree) - ((y - middle) / 2);
        var fromMiddle = Math.Max(toFoot, toFlank);
        return fromMiddle > .58 ? null : fromMiddle > .38 ? paint.Red : paint.White;
    }

    private static bool ExclamationMark(double x, double y) =>
        (Math.Abs(x) < .1 && y > -.3 && y < .22) || !Outside(x, y - .38, .1);

    private static Color? PriorityRoad(double x, double y, Palette paint)
    {
        var fromMiddle = Math.Abs(x) + Math.Abs(y);
        return fromMiddle > 1.15 ? null : fromMiddle > 1.08 ? paint.Black : fromMiddle > .75 ? paint.White : paint.Yellow;
    }

    private static Color? SpeedLimit(Glyph firstDigit, double x, double y, Palette paint) =>
        Outside(x, y, 1) ? null : Outside(x, y, .76) ? paint.Red : OnNumber(firstDigit, x, y) ? paint.Black : paint.White;

    private static bool OnNumber(Glyph firstDigit, double x, double y) =>
        Written(firstDigit, x + .31, y, .36, .44) || Written(Glyph.Zero, x - .31, y, .36, .44);

    private static Color? Mandatory(Glyph arrow, double x, double y, Palette paint) =>
        Outside(x, y, 1) ? null : Outside(x, y, .94) || arrow.Covers(x / .6, y / .6, .19) ? paint.White : paint.Blue;

    private static bool Outside(double x, double y, double radius) => (x * x) + (y * y) > radius * radius;

    private static bool Written(Glyph glyph, double x, double y, double halfWidth, double halfHeight) =>
        glyph.Covers(x / halfWidth, y / halfHeight, .2);
}

/// <summary>A letter, a digit or an arrow, drawn as lines with a round pen in a box from −1 to 1, y downwards.</summary>
/// <param name="lines">The lines, each given by the coordinates of its points: x₀, y₀, x₁, y₁ and so on.</param>
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

    /// <summary>An arrow from the bottom that turns to the left.</summary>
    public static readonly Glyph ArrowLeft = new([.45, 1, .45, .1, .25, -.2, -.8, -.2], [-.25, -.75, -.85, -.2, -.25, .35]);

    /// <summary>Determines whether a pen of the given half width covers a point.</summary>
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

    /// <summary>Computes the squared distance of the point (x, y) to the segment from the origin to (endX, endY).</summary>
    private static double SquaredDistance(double x, double y, double endX, double endY)
    {
        var along = Math.Clamp(((x * endX) + (y * endY)) / ((endX * endX) + (endY * endY)), 0, 1);
        var (acrossX, acrossY) = (x - (along * endX), y - (along * endY));
        return (acrossX * acrossX) + (acrossY * acrossY);
    }
}
