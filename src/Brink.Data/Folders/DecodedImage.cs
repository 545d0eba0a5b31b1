using SkiaSharp;

namespace Brink.Data;

/// <summary>A decoded PNG or JPEG: eight bits of red, green and blue. Greys become three equal channels, transparency and colour profiles are ignored, as PIL's <c>convert("RGB")</c> does.</summary>
internal sealed class DecodedImage
{
    // A header may claim any size: this is 100 megapixels, and the memory for them 400 MB.
    private const long MostPixels = 100_000_000;

    private readonly byte[] _pixels;

    private DecodedImage(int width, int height, byte[] pixels) => (Width, Height, _pixels) = (width, height, pixels);

    /// <summary>Red, green, blue, and one that does not count.</summary>
    public const int BytesPerPixel = 4;

    public int Width { get; }

    public int Height { get; }

    /// <summary>[row, column, <see cref="BytesPerPixel"/>].</summary>
    public ReadOnlySpan<byte> Pixels => _pixels;

    /// <summary>Decodes a file's content.</summary>
    /// <exception cref="UnreadableImageException">It is no image, a damaged one, or far too large.</exception>
    public static DecodedImage Decode(byte[] file)
    {
        using var codec = Open(file);
        // Without a colour space Skia converts no colours.
        var info = new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul, colorspace: null);
        return codec.GetPixels(info, out var pixels) switch
        {
            SKCodecResult.Success => new(info.Width, info.Height, pixels),
            SKCodecResult.IncompleteInput => throw new UnreadableImageException("it is cut short"),
            _ => throw new UnreadableImageException("it is damaged"),
        };
    }

    /// <summary>Width and height, from the header alone.</summary>
    /// <exception cref="UnreadableImageException">It is no image.</exception>
    public static (int Width, int Height) SizeOf(byte[] file)
    {
        using var codec = Open(file);
        return (codec.Info.Width, codec.Info.Height);
    }

    /// <summary>Writes the image out plane by plane: [red, green, blue; row; column].</summary>
    public void CopyTo(Span<byte> planes)
    {
        var count = Width * Height;
        for (var pixel = 0; pixel < count; pixel++)
        {
            var start = pixel * BytesPerPixel;
            planes[pixel] = _pixels[start];
            planes[count + pixel] = _pixels[start + 1];
            planes[(2 * count) + pixel] = _pixels[start + 2];
        }
    }

    private static SKCodec Open(byte[] file)
    {
        using var data = SKData.CreateCopy(file);
        var codec = SKCodec.Create(data) ?? throw new UnreadableImageException("it is no image");
        if ((long)codec.Info.Width * codec.Info.Height <= MostPixels)
        {
            return codec;
        }

        var size = FormattableString.Invariant($"{codec.Info.Width}×{codec.Info.Height}");
        codec.Dispose();
        throw new UnreadableImageException($"its {size} pixels are too many");
    }
}
