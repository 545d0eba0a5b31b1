namespace Brink.Data;

/// <summary>Resizes images with PIL's <c>BILINEAR</c> filter, which torchvision's <c>Resize</c> of PIL images uses; the resulting bytes are equal.</summary>
/// <remarks>
/// The axes are resized separately, first along the rows. A new pixel is a mean of old pixels with triangular weights. When the image is
/// reduced, the triangle is widened by the scale, which avoids aliasing. Weights are fixed-point numbers with 22 fractional bits, and the
/// result of the first axis is rounded to bytes.
/// </remarks>
internal static class BilinearResize
{
    // As in PIL (PRECISION_BITS in libImaging/Resample.c).
    private const int FractionBits = 22;

    /// <summary>Computes a window of a resized image.</summary>
    /// <param name="image">The image, four bytes per pixel.</param>
    /// <param name="size">The size of the image.</param>
    /// <param name="places">The byte of a pixel that each channel of the window is computed from.</param>
    /// <param name="newSize">The size after resizing.</param>
    /// <param name="window">The window in the resized image. Pixels outside the image are 0.</param>
    /// <param name="planes">The span that receives the window, [channel, row, column].</param>
    public static void Window(ReadOnlySpan<byte> image, (int Width, int Height) size, ReadOnlySpan<byte> places, (int Width, int Height) newSize, Window window, Span<byte> planes)
    {
        var (left, top, right, bottom) = (Math.Max(window.Left, 0), Math.Max(window.Top, 0), Math.Min(window.Left + window.Width, newSize.Width), Math.Min(window.Top + window.Height, newSize.Height));
        var (width, height) = (right - left, bottom - top);
        var columns = Weights(size.Width, newSize.Width, left, width);
        var rows = Weights(size.Height, newSize.Height, top, height);
        // Only the rows that the window depends on.
        var firstRow = rows[0].First;
        var narrow = new byte[(rows[^1].First + rows[^1].Values.Length - firstRow) * width];
        var plane = window.Width * window.Height;
        planes[..(places.Length * plane)].Clear();
        for (var channel = 0; channel < places.Length; channel++)
        {
            for (var row = 0; row < narrow.Length / width; row++)
            {
                var line = image.Slice((firstRow + row) * size.Width * DecodedImage.BytesPerPixel, size.Width * DecodedImage.BytesPerPixel)[places[channel]..];
                for (var column = 0; column < width; column++)
                {
                    narrow[(row * width) + column] = Mean(line, columns[column], DecodedImage.BytesPerPixel, columns[column].First);
                }
            }

            for (var row = 0; row < height; row++)
            {
                var start = (channel * plane) + ((top - window.Top + row) * window.Width) + left - window.Left;
                for (var column = 0; column < width; column++)
                {
                    planes[start + column] = Mean(narrow.AsSpan(column), rows[row], width, rows[row].First - firstRow);
                }
            }
        }
    }

    private static byte Mean(ReadOnlySpan<byte> values, (int First, int[] Values) weights, int stride, int first)
    {
        var sum = 1 << (FractionBits - 1);
        for (var index = 0; index < weights.Values.Length; index++)
        {
            sum += values[(first + index) * stride] * weights.Values[index];
        }

        return (byte)Math.Clamp(sum >> FractionBits, 0, byte.MaxValue);
    }

    /// <summary>Computes, for each new pixel, the index of the first old pixel with a weight, and the weights from there on.</summary>
    private static (int First, int[] Values)[] Weights(int length, int newLength, int start, int count)
    {
        // PIL does not resize an axis whose length is unchanged; here the triangle then covers one pixel, with weight one.
        var scale = (double)length / newLength;
        var reach = Math.Max(scale, 1);
        return [.. Enumerable.Range(start, count).Select(pixel =>
        {
            var centre = (pixel + 0.5) * scale;
            var first = Math.Max((int)(centre - reach + 0.5), 0);
            var end = Math.Min((int)(centre + reach + 0.5), length);
            var heights = Enumerable.Range(first, end - first).Select(old => Math.Max(1 - Math.Abs((old - centre + 0.5) / reach), 0)).ToArray();
            var total = heights.Sum();
            return (first, Array.ConvertAll(heights, height => (int)((height / total * (1 << FractionBits)) + 0.5)));
        })];
    }
}

/// <summary>A rectangle of pixels, which may extend beyond an image.</summary>
/// <param name="Left">The first column.</param>
/// <param name="Top">The first row.</param>
/// <param name="Width">The number of columns.</param>
/// <param name="Height">The number of rows.</param>
internal readonly record struct Window(int Left, int Top, int Width, int Height);
