using System.Runtime.InteropServices;
using Brink.Tensors;
using SkiaSharp;
using static TorchSharp.torch;

namespace Brink.Reports.Pictures;

/// <summary>Images of a run as pictures.</summary>
internal static class PixelPicture
{
    private const int Levels = 255;

    /// <summary>An image as people see it.</summary>
    /// <param name="pixels">[channels, height, width] in [0, 1]: grey, or red, green and blue; of any other number of channels the first is shown.</param>
    public static SKBitmap Of(Tensor pixels)
    {
        var (height, width, values) = ((int)pixels.shape[1], (int)pixels.shape[2], Values(pixels));
        var plane = height * width;
        var (green, blue) = pixels.shape[0] == 3 ? (plane, 2 * plane) : (0, 0);
        return Fill(width, height, entry => new(Level(values[entry]), Level(values[green + entry]), Level(values[blue + entry])));
    }

    /// <summary>The strength of a perturbation in each pixel, brighter where it is stronger.</summary>
    /// <param name="strengths">[height, width], at least 0.</param>
    /// <param name="scale">The strength that has the brightest colour; 0 where there is none.</param>
    public static SKBitmap OfStrengths(Tensor strengths, double scale)
    {
        var (height, width, values) = ((int)strengths.shape[0], (int)strengths.shape[1], Values(strengths));
        return Fill(width, height, entry => HeatColors.At(scale > 0 ? values[entry] / scale : 0));
    }

    /// <summary>The length of a perturbation in each pixel over its channels: the root of the sum of squares, or the largest.</summary>
    /// <param name="perturbation">[channels, height, width].</param>
    /// <param name="largest">Whether the largest is meant, as in L∞.</param>
    /// <returns>[height, width].</returns>
    public static Tensor Strengths(Tensor perturbation, bool largest)
    {
        using var scope = NewDisposeScope();
        var magnitudes = perturbation.abs();
        return (largest ? magnitudes.amax([0]) : magnitudes.pow(Scalars.Two).sum([0L]).sqrt()).MoveToOuterDisposeScope();
    }

    /// <summary>Rounds pixels to the levels of an 8-bit picture.</summary>
    /// <param name="pixels">Pixels in [0, 1], of any shape.</param>
    /// <returns>Multiples of 1/255, of the same shape.</returns>
    public static Tensor Rounded(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        using var largest = Scalars.Of(Levels);
        return pixels.mul(largest).round().div(largest).MoveToOuterDisposeScope();
    }

    /// <summary>A picture as PNG.</summary>
    public static byte[] ToPng(SKBitmap picture)
    {
        using var data = picture.Encode(SKEncodedImageFormat.Png, quality: 100);
        return data.ToArray();
    }

    /// <summary>A picture made smaller until no side is longer than a limit; as it is where none was.</summary>
    /// <returns>A picture of its own.</returns>
    public static SKBitmap Shrink(SKBitmap picture, int longest)
    {
        var share = Math.Min(1, (double)longest / Math.Max(picture.Width, picture.Height));
        var size = new SKImageInfo(Math.Max(1, (int)Math.Round(picture.Width * share)), Math.Max(1, (int)Math.Round(picture.Height * share)), picture.ColorType, picture.AlphaType);
        return share == 1 ? picture.Copy() : picture.Resize(size, new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
    }

    /// <summary>A picture with every pixel a square of so many.</summary>
    /// <returns>A picture of its own.</returns>
    public static SKBitmap Enlarge(SKBitmap picture, int times) => Stretch(picture, picture.Width * times, picture.Height * times);

    /// <summary>A picture stretched to a size, every pixel repeated.</summary>
    /// <returns>A picture of its own.</returns>
    public static SKBitmap Stretch(SKBitmap picture, int width, int height)
    {
        var pixels = picture.Pixels;
        return Fill(width, height, entry => pixels[(entry / width * picture.Height / height * picture.Width) + (entry % width * picture.Width / width)]);
    }

    private static double[] Values(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return tensor.to(ScalarType.Float64).contiguous().data<double>().ToArray();
    }

    private static byte Level(double value) => (byte)Math.Round(Math.Clamp(double.IsNaN(value) ? 0 : value, 0, 1) * Levels);

    /// <summary>A picture of given colours, row by row.</summary>
    public static SKBitmap Fill(int width, int height, Func<int, SKColor> color)
    {
        var bitmap = new SKBitmap(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        var bytes = new byte[width * height * 4];
        for (var entry = 0; entry < width * height; entry++)
        {
            var at = color(entry);
            (bytes[4 * entry], bytes[(4 * entry) + 1], bytes[(4 * entry) + 2], bytes[(4 * entry) + 3]) = (at.Red, at.Green, at.Blue, byte.MaxValue);
        }

        Marshal.Copy(bytes, 0, bitmap.GetPixels(), bytes.Length);
        return bitmap;
    }
}
