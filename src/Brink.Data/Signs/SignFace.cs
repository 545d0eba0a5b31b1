namespace Brink.Data;

/// <summary>What each sign looks like from straight ahead, in coordinates where the sign reaches about 1 from its middle, y downwards.</summary>
internal static class SignFace
{
    private const double HalfRootOfThree = 0.8660254037844386;
    private const double RootOfTwo = 1.4142135623730951;

    /// <summary>The colour of the sign at that point, or null beside it.</summary>
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
        // The larger of the distances to the straight and to the slanted sides of a regular octagon.
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

    /// <summary>Upright, white with a red border.</summary>
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
