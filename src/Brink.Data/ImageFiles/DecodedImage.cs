using SkiaSharp;

namespace Brink.Data;

/// <summary>A decoded PNG or JPEG with eight bits each of red, green, blue and alpha.</summary>
/// <remarks>Grey images have three equal colours; colour profiles are ignored, as by PIL's <c>convert("RGBA")</c>.</remarks>
internal sealed class DecodedImage : IDisposable
{
    // 100 megapixels need 400 MB. A header can state any size, so a limit is needed before memory is allocated.
    private const long MostPixels = 100_000_000;

    // Native memory, freed at once: garbage of many large images would fill the memory before it is collected.
    private readonly SKBitmap _bitmap;

    private DecodedImage(SKBitmap bitmap, bool isGrey, bool hasAlpha) => (_bitmap, IsGrey, HasAlpha) = (bitmap, isGrey, hasAlpha);

    /// <summary>The number of bytes per pixel: red, green, blue and alpha.</summary>
    public const int BytesPerPixel = 4;

    /// <summary>The number of columns.</summary>
    public int Width => _bitmap.Width;

    /// <summary>The number of rows.</summary>
    public int Height => _bitmap.Height;

    /// <summary>Indicates whether the file contains grey values instead of colours.</summary>
    public bool IsGrey { get; }

    /// <summary>Indicates whether the file contains an alpha channel or transparent colours.</summary>
    public bool HasAlpha { get; }

    /// <summary>The pixels, [row, column, byte] with <see cref="BytesPerPixel"/> bytes.</summary>
    public Span<byte> Pixels => _bitmap.GetPixelSpan();

    /// <summary>Decodes the content of a file.</summary>
    /// <exception cref="UnreadableImageException">Thrown when the content is not an image, is damaged, or has too many pixels.</exception>
    public static DecodedImage Decode(byte[] file)
    {
        using var codec = Open(file);
        // Without a colour space Skia does not convert colours.
        var info = new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul, colorspace: null);
        var bitmap = new SKBitmap();
        var result = bitmap.TryAllocPixels(info) ? codec.GetPixels(info, bitmap.GetPixels()) : throw new UnreadableImageException("it does not fit in memory");
        if (result == SKCodecResult.Success)
        {
            return new(bitmap, codec.Info.ColorType == SKColorType.Gray8 || IsGreyWithAlpha(file), codec.Info.AlphaType != SKAlphaType.Opaque);
        }

        bitmap.Dispose();
        throw new UnreadableImageException(result == SKCodecResult.IncompleteInput ? "it is incomplete" : "it is damaged");
    }

    /// <inheritdoc/>
    public void Dispose() => _bitmap.Dispose();

    /// <summary>Reads width and height from the header, without decoding the pixels.</summary>
    /// <exception cref="UnreadableImageException">Thrown when the content is not an image.</exception>
    public static (int Width, int Height) SizeOf(byte[] file)
    {
        using var codec = Open(file);
        return (codec.Info.Width, codec.Info.Height);
    }

    /// <summary>Determines whether a file is a PNG of grey values with an alpha channel, which Skia reports as colours. The byte is the colour type of the PNG specification, §11.2.1.</summary>
    private static bool IsGreyWithAlpha(byte[] file) => file is [0x89, (byte)'P', (byte)'N', (byte)'G', ..] && file.Length > 25 && file[25] == 4;

    private static SKCodec Open(byte[] file)
    {
        using var data = SKData.CreateCopy(file);
        var codec = SKCodec.Create(data) ?? throw new UnreadableImageException("it is not an image");
        if ((long)codec.Info.Width * codec.Info.Height <= MostPixels)
        {
            return codec;
        }

        var size = FormattableString.Invariant($"{codec.Info.Width}×{codec.Info.Height}");
        codec.Dispose();
        throw new UnreadableImageException($"it has too many pixels, {size}");
    }
}

/// <summary>The exception for one image that cannot be used; the other images of the set can.</summary>
/// <param name="reason">The reason, as a clause such as "it is incomplete".</param>
internal sealed class UnreadableImageException(string reason) : Exception(reason);
