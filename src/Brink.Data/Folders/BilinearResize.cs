namespace Brink.Data;

/// <summary>Resizes as PIL does it with <c>BILINEAR</c>, and torchvision's <c>Resize</c> of PIL images with it: the same bytes come out.</summary>
/// <remarks>
/// Each axis on its own, the rows first. A new pixel is the mean of the old ones under a triangle: two pixels wide where the picture
/// grows, as many as become one on either side where it shrinks, so that fine patterns do not alias. Weights are fixed-point numbers of
/// 22 bits, and the result of the first axis is rounded to bytes.
/// </remarks>
internal static class BilinearResize
{
    private const int FractionBits = 22;

    /// <summary>A window of a resized image.</summary>
    /// <param name="image">The image, four bytes a pixel, of which the first three count.</param>
    /// <param name="size">Its size.</param>
    /// <param name="newSize">The size to which it is resized.</param>
    /// <param name="left">Where the window begins in the resized image.</param>
    /// <param name="top">Where the window begins in the resized image.</param>
    /// <param name="side">The window's width and height.</param>
    /// <param name="planes">Takes the window: [red, green, blue; row; column].</param>
    public static void Window(ReadOnlySpan<byte> image, (int Width, int Height) size, (int Width, int Height) newSize, int left, int top, int side, Span<byte> planes)
    {
        var columns = Weights(size.Width, newSize.Width, left, side);
        var rows = Weights(size.Height, newSize.Height, top, side);
        // Only the rows that the window sees.
        var firstRow = rows[0].First;
        var narrow = new byte[(rows[^1].First + rows[^1].Values.Length - firstRow) * side];
        for (var channel = 0; channel < 3; channel++)
        {
            for (var row = 0; row < narrow.Length / side; row++)
            {
                var line = image.Slice((firstRow + row) * size.Width * DecodedImage.BytesPerPixel, size.Width * DecodedImage.BytesPerPixel)[channel..];
                for (var column = 0; column < side; column++)
                {
                    narrow[(row * side) + column] = Mean(line, columns[column], DecodedImage.BytesPerPixel, columns[column].First);
                }
            }

            for (var row = 0; row < side; row++)
            {
                for (var column = 0; column < side; column++)
                {
                    planes[(((channel * side) + row) * side) + column] = Mean(narrow.AsSpan(column), rows[row], side, rows[row].First - firstRow);
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

    /// <summary>For each new pixel the first old one under its triangle, and the weights of that one and those after it.</summary>
    private static (int First, int[] Values)[] Weights(int length, int newLength, int start, int count)
    {
        // PIL leaves an axis alone that keeps its length; the triangle then covers one pixel, with weight one.
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
