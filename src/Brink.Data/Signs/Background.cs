namespace Brink.Data;

/// <summary>What the sign stands in front of: a gradient from top to bottom with blobs of the same mood.</summary>
internal sealed class Background
{
    private static readonly (Color Top, Color Bottom, Color Blobs, double Spread)[] Moods =
    [
        (new(.45, .62, .85), new(.75, .82, .9), new(.88, .9, .93), .08), // sky and clouds
        (new(.25, .4, .18), new(.15, .25, .1), new(.35, .5, .2), .18), // foliage
        (new(.6, .52, .45), new(.5, .45, .4), new(.4, .38, .38), .15), // a wall with windows
        (new(.6, .68, .78), new(.35, .35, .36), new(.4, .4, .42), .25), // a street
        (new(.12, .13, .18), new(.08, .08, .1), new(.6, .5, .3), .2), // night and lamps
        (new(.5, .5, .5), new(.5, .5, .5), new(.5, .5, .5), .4), // anything: posters, cars, shop fronts
    ];

    private readonly int _side;
    private readonly Color _top;
    private readonly Color _bottom;
    private readonly Blob[] _blobs;

    /// <summary>Draws a background for a square picture of that side.</summary>
    public Background(RandomStream random, int side)
    {
        _side = side;
        var mood = Moods[random.Below(Moods.Length)];
        _top = mood.Top.Near(random, mood.Spread);
        _bottom = mood.Bottom.Near(random, mood.Spread);
        _blobs = new Blob[4 + random.Below(9)];
        for (var i = 0; i < _blobs.Length; i++)
        {
            _blobs[i] = new Blob(
                random.Between(0, side),
                random.Between(0, side),
                side * random.Between(.06, .3),
                side * random.Between(.06, .3),
                mood.Blobs.Near(random, mood.Spread));
        }

        BlobColor = mood.Blobs.Near(random, mood.Spread);
    }

    /// <summary>A colour that belongs here: what hides part of the sign has it.</summary>
    public Color BlobColor { get; }

    /// <summary>The colour at a point of the picture.</summary>
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
