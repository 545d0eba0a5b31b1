namespace Brink.Data;

/// <summary>Brings decoded images to the channels and the size of a set, as torchvision's <c>Resize</c> and <c>CenterCrop</c> do with PIL images of these channels.</summary>
/// <param name="options">The lengths and the channels.</param>
internal sealed class ImagePreparation(ImageOptions options)
{
    // A side becomes at most this many times longer than the other, so that the length after resizing fits in 32 bits.
    private const int MostElongated = 100_000;

    private readonly PixelChannels _channels = options.Channels ?? PixelChannels.Rgb;

    /// <summary>The number of channels.</summary>
    public int ChannelCount => _channels.Places().Length;

    /// <summary>Indicates whether grey images become colours.</summary>
    public bool AddsColour => _channels != PixelChannels.Grey;

    /// <summary>Indicates whether the alpha channel is kept.</summary>
    public bool KeepsAlpha => _channels == PixelChannels.Rgba;

    /// <summary>Indicates whether the size of the result does not depend on the size of the image.</summary>
    public bool HasFixedSize => options.Crop is not null;

    /// <summary>Computes the size of the result.</summary>
    /// <param name="size">The size of the image in its file.</param>
    /// <exception cref="UnreadableImageException">Thrown when the image is too elongated to be resized.</exception>
    public (int Width, int Height) SizeOf((int Width, int Height) size) => options.Crop is { } side ? (side, side) : Resized(size);

    /// <summary>Prepares an image.</summary>
    /// <param name="image">The image, whose pixels are changed.</param>
    /// <param name="planes">The span that receives the image, [channel, row, column].</param>
    /// <exception cref="UnreadableImageException">Thrown when the image is too elongated to be resized.</exception>
    public void Prepare(DecodedImage image, Span<byte> planes)
    {
        var size = (image.Width, image.Height);
        var (resized, (width, height)) = (Resized(size), SizeOf(size));
        var pixels = image.Pixels;
        if (_channels == PixelChannels.Grey)
        {
            for (var start = 0; start < pixels.Length; start += DecodedImage.BytesPerPixel)
            {
                pixels[start] = ChannelConversion.Grey(pixels[start], pixels[start + 1], pixels[start + 2]);
            }
        }

        // As PIL does, so that the colour of transparent pixels does not reach their neighbours.
        var premultiply = KeepsAlpha && image.HasAlpha && resized != size;
        if (premultiply)
        {
            Premultiply(pixels);
        }

        BilinearResize.Window(pixels, size, _channels.Places(), resized, new(Margin(resized.Width, width), Margin(resized.Height, height), width, height), planes);
        if (premultiply)
        {
            Divide(planes, width * height);
        }
    }

    // torchvision rounds the margin to even; where the image is smaller than the window, the padding before it is rounded down.
    private static int Margin(int length, int side) => length >= side ? (int)Math.Round((length - side) / 2.0, MidpointRounding.ToEven) : -((side - length) / 2);

    // MULDIV255 in libImaging.
    private static void Premultiply(Span<byte> pixels)
    {
        for (var start = 0; start < pixels.Length; start += DecodedImage.BytesPerPixel)
        {
            for (var channel = 0; channel < DecodedImage.BytesPerPixel - 1; channel++)
            {
                var product = (pixels[start + channel] * pixels[start + DecodedImage.BytesPerPixel - 1]) + 128;
                pixels[start + channel] = (byte)(((product >> 8) + product) >> 8);
            }
        }
    }

    private static void Divide(Span<byte> planes, int plane)
    {
        for (var position = 0; position < plane; position++)
        {
            if (planes[(3 * plane) + position] is > 0 and < byte.MaxValue and var alpha)
            {
                for (var channel = 0; channel < DecodedImage.BytesPerPixel - 1; channel++)
                {
                    ref var value = ref planes[(channel * plane) + position];
                    value = (byte)Math.Min(byte.MaxValue * value / alpha, byte.MaxValue);
                }
            }
        }
    }

    private (int Width, int Height) Resized((int Width, int Height) size)
    {
        if (options.Resize is not { } side)
        {
            return size;
        }

        if (Math.Max(size.Width, size.Height) / Math.Min(size.Width, size.Height) > MostElongated)
        {
            throw new UnreadableImageException(FormattableString.Invariant($"its {size.Width}×{size.Height} pixels are too elongated"));
        }

        // torchvision truncates the length of the longer side to an integer.
        return size.Width <= size.Height
            ? (side, (int)((long)side * size.Height / size.Width))
            : ((int)((long)side * size.Width / size.Height), side);
    }
}
