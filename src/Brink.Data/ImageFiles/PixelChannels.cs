namespace Brink.Data;

/// <summary>The channels of an image and their order.</summary>
internal enum PixelChannels
{
    /// <summary>One channel of grey values.</summary>
    Grey,

    /// <summary>Red, green and blue.</summary>
    Rgb,

    /// <summary>Red, green, blue and alpha, which is 255 where an image is opaque.</summary>
    Rgba,

    /// <summary>Blue, green and red, as OpenCV and Caffe order them.</summary>
    Bgr,
}

/// <summary>Conversions between channels.</summary>
internal static class ChannelConversion
{
    /// <summary>Parses the name of the channels.</summary>
    /// <param name="name"><c>grey</c>, <c>rgb</c>, <c>rgba</c> or <c>bgr</c>.</param>
    /// <exception cref="BadInputException">Thrown when there are no such channels.</exception>
    public static PixelChannels Parse(string name) => name switch
    {
        "grey" or "gray" => PixelChannels.Grey,
        "rgb" => PixelChannels.Rgb,
        "rgba" => PixelChannels.Rgba,
        "bgr" => PixelChannels.Bgr,
        _ => throw new BadInputException($"The channels must be grey, rgb, rgba or bgr, but '{name}' was given."),
    };

    /// <summary>Returns the place of each channel in a pixel of red, green, blue and alpha; grey values are in the place of red.</summary>
    public static ReadOnlySpan<byte> Places(this PixelChannels channels) => channels switch
    {
        PixelChannels.Grey => [0],
        PixelChannels.Rgb => [0, 1, 2],
        PixelChannels.Rgba => [0, 1, 2, 3],
        _ => [2, 1, 0],
    };

    /// <summary>Computes the grey value of a colour as PIL's <c>convert("L")</c> does (L24 in libImaging/Convert.c).</summary>
    public static byte Grey(byte red, byte green, byte blue) => (byte)(((red * 19595) + (green * 38470) + (blue * 7471) + 0x8000) >> 16);

    /// <summary>Converts images that are grey, or red, green and blue.</summary>
    /// <param name="images">The images, with one or three channels.</param>
    /// <param name="channels">The channels of the result.</param>
    /// <returns>The images with these channels.</returns>
    public static ImageSet To(this ImageSet images, PixelChannels channels)
    {
        var places = channels.Places();
        var plane = images.Height * images.Width;
        if ((long)images.Count * places.Length * plane > Array.MaxLength)
        {
            throw new BadInputException($"The images of {images.Name} do not fit in memory with {places.Length} channels; use --limit.");
        }

        var pixels = new byte[images.Count * places.Length * plane];
        Span<byte> pixel = stackalloc byte[DecodedImage.BytesPerPixel];
        for (var index = 0; index < images.Count; index++)
        {
            var source = images.Pixels(index);
            var target = pixels.AsSpan(index * places.Length * plane);
            // A grey value is that of all three colours.
            var (green, blue) = images.Channels == 1 ? (0, 0) : (plane, 2 * plane);
            for (var position = 0; position < plane; position++)
            {
                (pixel[0], pixel[1], pixel[2], pixel[3]) = (source[position], source[green + position], source[blue + position], byte.MaxValue);
                pixel[0] = channels == PixelChannels.Grey ? Grey(pixel[0], pixel[1], pixel[2]) : pixel[0];
                for (var channel = 0; channel < places.Length; channel++)
                {
                    target[(channel * plane) + position] = pixel[places[channel]];
                }
            }
        }

        return images.WithPixels(places.Length, pixels);
    }
}
