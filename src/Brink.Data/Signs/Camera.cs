namespace Brink.Data;

/// <summary>The effects of light and camera: haze, exposure, a gradient of light, blur and noise.</summary>
internal sealed class Camera
{
    private readonly int _side;
    private readonly Color _haze;
    private readonly double _hazeShare;
    private readonly Color _light;
    private readonly double _slopeX;
    private readonly double _slopeY;
    private readonly double _blurX;
    private readonly double _blurY;
    private readonly int _blurPasses;
    private readonly double _noise;

    /// <summary>Draws the random parameters of the effects.</summary>
    /// <param name="random">The random numbers of the image.</param>
    /// <param name="side">The width and height of the picture in pixels.</param>
    public Camera(RandomStream random, int side)
    {
        _side = side;
        _haze = new Color(.7, .72, .74).Near(random, .1);
        _hazeShare = random.Between(0, .45);
        _light = new Color(.92, .92, .92).Near(random, .08) * random.Between(.35, 1.15);
        _slopeX = random.Between(-.3, .3);
        _slopeY = random.Between(-.3, .3);
        _blurX = random.Between(0, .33);
        _blurY = random.Between(0, .33);
        _blurPasses = 1 + random.Below(3);
        _noise = random.Between(.01, .05);
    }

    /// <summary>Applies haze and light to the colour of a pixel.</summary>
    public Color Expose(Color scene, int column, int row)
    {
        var slope = 1 + (_slopeX * ((column + .5) / _side - .5)) + (_slopeY * ((row + .5) / _side - .5));
        return scene.Toward(_haze, _hazeShare).Under(_light) * slope;
    }

    /// <summary>Blurs the picture, adds the noise of the sensor and rounds to bytes.</summary>
    /// <param name="picture">The colours, row by row.</param>
    /// <param name="random">The random numbers of the noise.</param>
    /// <param name="pixels">The span that receives the bytes, [channel, row, column].</param>
    public void Develop(Color[] picture, RandomStream random, Span<byte> pixels)
    {
        for (var pass = 0; pass < _blurPasses; pass++)
        {
            picture = Blur(Blur(picture, 1, 0, _blurX), 0, 1, _blurY);
        }

        for (var i = 0; i < picture.Length; i++)
        {
            pixels[i] = Byte(picture[i].Red, random);
            pixels[i + picture.Length] = Byte(picture[i].Green, random);
            pixels[i + (2 * picture.Length)] = Byte(picture[i].Blue, random);
        }
    }

    private byte Byte(double value, RandomStream random) => (byte)Math.Round(255 * Math.Clamp(value + (_noise * random.Noise()), 0, 1));

    /// <summary>Mixes each pixel with its two neighbours in one direction, each with the given share.</summary>
    private Color[] Blur(Color[] picture, int right, int down, double share)
    {
        var blurred = new Color[picture.Length];
        for (var row = 0; row < _side; row++)
        {
            for (var column = 0; column < _side; column++)
            {
                var before = picture[(Math.Max(row - down, 0) * _side) + Math.Max(column - right, 0)];
                var after = picture[(Math.Min(row + down, _side - 1) * _side) + Math.Min(column + right, _side - 1)];
                var here = (row * _side) + column;
                blurred[here] = (picture[here] * (1 - (2 * share))) + ((before + after) * share);
            }
        }

        return blurred;
    }
}
