namespace Brink.Data;

/// <summary>Draws the picture of one sign with a random background, pose and camera.</summary>
/// <remarks>
/// The arithmetic consists of +, −, ×, ÷, √, rounding and comparison of doubles, whose results IEEE 754 determines exactly. It avoids
/// sine, logarithm and power, whose last bits differ between platforms. Therefore the bytes are the same on all platforms.
/// </remarks>
internal sealed class SignPicture
{
    /// <summary>The width and height of a picture in pixels.</summary>
    public const int Side = 32;

    // Sub-pixels per side: edges of the sign are averaged over 16 points per pixel.
    private const int Grid = 4;

    private readonly SignKind _kind;
    private readonly RandomStream _random;
    private readonly Background _background;
    private readonly Pose _pose;
    private readonly Palette _paint;
    private readonly Camera _camera;
    private readonly bool _hasPost;
    private readonly Blob? _obstacle;

    /// <summary>Draws all random parameters of the picture except the noise.</summary>
    public SignPicture(SignKind kind, RandomStream random)
    {
        _kind = kind;
        _random = random;
        _background = new Background(random, Side);
        _pose = new Pose(random, Side);
        _paint = Palette.Draw(random);
        _camera = new Camera(random, Side);
        _hasPost = random.Chance(.7);
        _obstacle = random.Chance(.4) ? Obstacle(random, _background.BlobColor) : null;
    }

    /// <summary>Draws the picture.</summary>
    /// <param name="pixels">The span that receives 3×32×32 bytes.</param>
    public void Draw(Span<byte> pixels)
    {
        var picture = new Color[Side * Side];
        for (var row = 0; row < Side; row++)
        {
            for (var column = 0; column < Side; column++)
            {
                picture[(row * Side) + column] = _camera.Expose(PixelAt(column, row), column, row);
            }
        }

        _camera.Develop(picture, _random, pixels);
    }

    private Color PixelAt(int column, int row)
    {
        var background = _background.At(column + .5, row + .5);
        var sum = default(Color);
        for (var i = 0; i < Grid * Grid; i++)
        {
            var (x, y) = _pose.ToSign(column + (((i % Grid) + .5) / Grid), row + (((i / Grid) + .5) / Grid));
            var color = SignFace.At(_kind, x, y, _paint) ?? (OnPost(x, y) ? _paint.Metal : background);
            sum += _obstacle?.Over(color, x, y) ?? color;
        }

        return sum * (1.0 / (Grid * Grid));
    }

    private bool OnPost(double x, double y) => _hasPost && Math.Abs(x) < .08 && y > 0;

    /// <summary>Draws an object in front of the sign, in the sign's coordinates, that covers part of the rim and not the centre.</summary>
    private static Blob Obstacle(RandomStream random, Color color)
    {
        var (x, y) = (random.Between(-1, 1), random.Between(-1, 1));
        // Moved along its ray to a distance of 0.7 to 1 from the centre.
        var stretch = random.Between(.7, 1) / Math.Max(.01, Math.Sqrt((x * x) + (y * y)));
        return new Blob(x * stretch, y * stretch, random.Between(.3, .65), random.Between(.3, .65), color);
    }
}

/// <summary>The position, size and rotation of the sign in the picture.</summary>
internal sealed class Pose
{
    private readonly double _centerX;
    private readonly double _centerY;
    private readonly double _radius;
    private readonly double _cosine;
    private readonly double _sine;
    private readonly double _narrowing;
    private readonly double _shear;

    /// <summary>Draws a random pose.</summary>
    /// <param name="random">The random numbers of the image.</param>
    /// <param name="side">The width and height of the picture in pixels.</param>
    public Pose(RandomStream random, int side)
    {
        _radius = side * random.Between(.16, .42);
        var play = Math.Max(0, (side / 2.0) - (.9 * _radius));
        _centerX = (side / 2.0) + random.Between(-play, play);
        _centerY = (side / 2.0) + random.Between(-play, play);

        // The tangent of half the angle, up to about 23° to each side, gives sine and cosine with divisions only.
        var tangent = random.Between(-.2, .2);
        _cosine = (1 - (tangent * tangent)) / (1 + (tangent * tangent));
        _sine = 2 * tangent / (1 + (tangent * tangent));

        // A sign seen from the side appears narrower.
        _narrowing = random.Between(.65, 1.05);
        _shear = random.Between(-.15, .15);
    }

    /// <summary>The radius of the sign in pixels.</summary>
    public double Radius => _radius;

    /// <summary>Converts a point of the picture to the sign's coordinates.</summary>
    public (double X, double Y) ToSign(double pictureX, double pictureY)
    {
        var (x, y) = ((pictureX - _centerX) / _radius, (pictureY - _centerY) / _radius);
        var (turnedX, turnedY) = ((x * _cosine) + (y * _sine), (y * _cosine) - (x * _sine));
        return ((turnedX / _narrowing) - (_shear * turnedY), turnedY);
    }
}
