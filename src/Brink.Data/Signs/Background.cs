namespace Brink.Data;

/// <summary>The background of a sign: a vertical gradient with ellipses of matching colours.</summary>
internal sealed class Background
{
    private static readonly (Color Top, Color Bottom, Color Blobs, double Spread)[] Scenes =
    [
        (new(.45, .62, .85), new(.75, .82, .9), new(.88, .9, .93), .08), // sky and clouds
        (new(.25, .4, .18), new(.15, .25, .1), new(.35, .5, .2), .18), // foliage
        (new(.6, .52, .45), new(.5, .45, .4), new(.4, .38, .38), .15), // a wall with windows
        (new(.6, .68, .78), new(.35, .35, .36), new(.4, .4, .42), .25), // a street
        (new(.12, .13, .18), new(.08, .08, .1), new(.6, .5, .3), .2), // night and lamps
        (new(.5, .5, .5), new(.5, .5, .5), new(.5, .5, .5), .4), // any colours: posters, cars, shop fronts
    ];

    private readonly int _side;
    private readonly Color _top;
    private readonly Color _bottom;
    private readonly Blob[] _blobs;

    /// <summary>Draws the random parameters of a background.</summary>
    /// <param name="random">The random numbers of the image.</param>
    /// <param name="side">The width and height of the picture in pixels.</param>
    public Background(RandomStream random, int side)
    {
        _side = side;
        var scene = Scenes[random.Below(Scenes.Length)];
        _top = scene.Top.Near(random, scene.Spread);
        _bottom = scene.Bottom.Near(random, scene.Spread);
        _blobs = new Blob[4 + random.Below(9)];
        for (var i = 0; i < _blobs.Length; i++)
        {
            _blobs[i] = new Blob(
                random.Between(0, side),
                random.Between(0, side),
                side * random.Between(.06, .3),
                side * random.Between(.06, .3),
                scene.Blobs.Near(random, scene.Spread));
        }

        BlobColor = scene.Blobs.Near(random, scene.Spread);
    }

    /// <summary>A colour of this background, used for the object that hides part of the sign.</summary>
    public Color BlobColor { get; }

    /// <summary>Computes the colour at a point of the picture.</summary>
    public Color At(double x, double y)
    {
        var color = _top.Toward(_bottom, y / _side);
        foreach (var blob in _blobs)
        {
            color = blob.Over(color, x, y);
        }

        return color;
    }
}

/// <summary>An ellipse of one colour with soft edges: a leaf, a window, a cloud, a car.</summary>
/// <param name="X">The horizontal centre.</param>
/// <param name="Y">The vertical centre.</param>
/// <param name="HalfWidth">Half of the width.</param>
/// <param name="HalfHeight">Half of the height.</param>
/// <param name="Color">The colour.</param>
internal readonly record struct Blob(double X, double Y, double HalfWidth, double HalfHeight, Color Color)
{
    /// <summary>Computes the colour at a point from the colour behind the ellipse.</summary>
    public Color Over(Color behind, double x, double y)
    {
        var (right, down) = ((x - X) / HalfWidth, (y - Y) / HalfHeight);
        var squaredDistance = (right * right) + (down * down);
        // Opaque up to 0.6 of the radius (1 − 0.6² = 0.64), then fading to the edge.
        return squaredDistance >= 1 ? behind : behind.Toward(Color, Math.Min(1, (1 - squaredDistance) / .64));
    }
}
