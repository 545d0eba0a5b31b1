namespace Brink.Data;

/// <summary>Draws the picture of one sign: a random background, a sign in a random pose before it, seen by a random camera.</summary>
/// <remarks>
/// The arithmetic is +, −, ×, ÷, √, rounding and comparison of doubles and nothing else, which IEEE 754 fixes to the last bit:
/// no sine, logarithm or power, whose last bits differ between platforms. So the bytes are the same everywhere.
/// </remarks>
internal sealed class SignPicture
{
    /// <summary>Rows and columns of a picture.</summary>
    public const int Side = 32;

    // Sub-pixels a side: the sign's edges are averaged over 16 points a pixel.
    private const int Grid = 4;

    private readonly SignKind _kind;
    private readonly RandomStream _random;
    private readonly Background _background;
    private readonly Pose _pose;
    private readonly Palette _paint;
    private readonly Camera _camera;
    private readonly bool _hasPost;
    private readonly Blob? _obstacle;

    /// <summary>Decides on everything in the picture but the noise.</summary>
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

    /// <summary>Draws the picture into 3×32×32 bytes.</summary>
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

    /// <summary>Something before the sign, in its coordinates: it bites into the rim and never hides the middle.</summary>
    private static Blob Obstacle(RandomStream random, Color color)
    {
        var (x, y) = (random.Between(-1, 1), random.Between(-1, 1));
        // Moved out along its ray to 0.7 to 1 from the middle.
        var stretch = random.Between(.7, 1) / Math.Max(.01, Math.Sqrt((x * x) + (y * y)));
        return new Blob(x * stretch, y * stretch, random.Between(.3, .65), random.Between(.3, .65), color);
    }
}
