namespace Brink.Data;

/// <summary>Where the sign stands in the picture and how it is turned.</summary>
internal sealed class Pose
{
    private readonly double _centerX;
    private readonly double _centerY;
    private readonly double _radius;
    private readonly double _cosine;
    private readonly double _sine;
    private readonly double _narrowing;
    private readonly double _shear;

    /// <summary>Draws a pose inside a square picture of that side.</summary>
    public Pose(RandomStream random, int side)
    {
        _radius = side * random.Between(.16, .42);
        var play = Math.Max(0, (side / 2.0) - (.9 * _radius));
        _centerX = (side / 2.0) + random.Between(-play, play);
        _centerY = (side / 2.0) + random.Between(-play, play);

        // Tangent of half the angle, up to about 23° to each side: gives sine and cosine by division alone.
        var tangent = random.Between(-.2, .2);
        _cosine = (1 - (tangent * tangent)) / (1 + (tangent * tangent));
        _sine = 2 * tangent / (1 + (tangent * tangent));

        // A sign seen from the side looks narrower.
        _narrowing = random.Between(.65, 1.05);
        _shear = random.Between(-.15, .15);
    }

    /// <summary>The sign's radius in pixels.</summary>
    public double Radius => _radius;

    /// <summary>From a point of the picture to the sign's own coordinates.</summary>
    public (double X, double Y) ToSign(double pictureX, double pictureY)
    {
        var (x, y) = ((pictureX - _centerX) / _radius, (pictureY - _centerY) / _radius);
        var (turnedX, turnedY) = ((x * _cosine) + (y * _sine), (y * _cosine) - (x * _sine));
        return ((turnedX / _narrowing) - (_shear * turnedY), turnedY);
    }
}
