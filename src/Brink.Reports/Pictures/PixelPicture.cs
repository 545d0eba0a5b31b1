using System.Runtime.InteropServices;
using Brink.Tensors;
using ScottPlot.Colormaps;
using SkiaSharp;
using static TorchSharp.torch;

namespace Brink.Reports.Pictures;

/// <summary>Draws images and perturbations as bitmaps.</summary>
internal static class PixelPicture
{
    private const int Levels = 255;

    /// <summary>Draws an image.</summary>
    /// <param name="pixels">Pixels in [0, 1], shape [channels, height, width]. Three channels are red, green and blue; otherwise the first channel is drawn in grey.</param>
    /// <returns>The bitmap, which the caller disposes.</returns>
    public static SKBitmap Of(Tensor pixels)
    {
        var (height, width, values) = ((int)pixels.shape[1], (int)pixels.shape[2], Values(pixels));
        var plane = height * width;
        var (green, blue) = pixels.shape[0] == 3 ? (plane, 2 * plane) : (0, 0);
        return Fill(width, height, entry => new(Level(values[entry]), Level(values[green + entry]), Level(values[blue + entry])));
    }

    /// <summary>Draws a heat map of the strength of a perturbation in each pixel.</summary>
    /// <param name="strengths">The strengths, at least 0, shape [height, width].</param>
    /// <param name="scale">The strength of the brightest colour, or 0 for a perturbation of length 0.</param>
    /// <returns>The bitmap, which the caller disposes.</returns>
    public static SKBitmap OfStrengths(Tensor strengths, double scale)
    {
        var (height, width, values) = ((int)strengths.shape[0], (int)strengths.shape[1], Values(strengths));
        return Fill(width, height, entry => HeatColors.At(scale > 0 ? values[entry] / scale : 0));
    }

    /// <summary>Computes the strength of a perturbation in each pixel: its norm over the channels.</summary>
    /// <param name="perturbation">The perturbation, shape [channels, height, width].</param>
    /// <param name="norm">The norm of the attack.</param>
    /// <returns>The strengths, shape [height, width].</returns>
    public static Tensor Strengths(Tensor perturbation, Norm norm)
    {
        using var scope = NewDisposeScope();
        return norm.Of(perturbation.flatten(1).t()).reshape(perturbation.shape[1..]).MoveToOuterDisposeScope();
    }

    /// <summary>Rounds pixels to the levels of an 8-bit image.</summary>
    /// <param name="pixels">Pixels in [0, 1], of any shape.</param>
    /// <returns>Multiples of 1/255, of the same shape.</returns>
    public static Tensor Rounded(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        using var largest = Scalars.Of(Levels);
        return pixels.mul(largest).round().div(largest).MoveToOuterDisposeScope();
    }

    /// <summary>Encodes a bitmap as PNG.</summary>
    public static byte[] ToPng(SKBitmap picture)
    {
        using var data = picture.Encode(SKEncodedImageFormat.Png, quality: 100);
        return data.ToArray();
    }

    /// <summary>Reduces a bitmap to a largest side length.</summary>
    /// <param name="picture">The bitmap.</param>
    /// <param name="longest">The largest side length in pixels.</param>
    /// <returns>A new bitmap, a copy if the bitmap is small enough.</returns>
    public static SKBitmap Shrink(SKBitmap picture, int longest)
    {
        var share = Math.Min(1, (double)longest / Math.Max(picture.Width, picture.Height));
        var size = new SKImageInfo(Math.Max(1, (int)Math.Round(picture.Width * share)), Math.Max(1, (int)Math.Round(picture.Height * share)), picture.ColorType, picture.AlphaType);
        return share == 1 ? picture.Copy() : picture.Resize(size, new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
    }

    /// <summary>Enlarges a bitmap by a whole number, without smoothing.</summary>
    /// <param name="picture">The bitmap.</param>
    /// <param name="times">The factor.</param>
    /// <returns>A new bitmap.</returns>
    public static SKBitmap Enlarge(SKBitmap picture, int times) => Stretch(picture, picture.Width * times, picture.Height * times);

    /// <summary>Stretches a bitmap to a size by repeating pixels.</summary>
    /// <param name="picture">The bitmap.</param>
    /// <param name="width">The new width in pixels.</param>
    /// <param name="height">The new height in pixels.</param>
    /// <returns>A new bitmap.</returns>
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

    /// <summary>Creates a bitmap from the colour of each pixel.</summary>
    /// <param name="width">The width in pixels.</param>
    /// <param name="height">The height in pixels.</param>
    /// <param name="color">The colour of a pixel by its number, row by row.</param>
    /// <returns>The bitmap, which the caller disposes.</returns>
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

/// <summary>The colours of heat maps: Inferno (van der Walt and Smith, 2015), from black over red to pale yellow, perceptually uniform also for colour-blind readers.</summary>
internal static class HeatColors
{
    private static readonly Inferno Map = new();

    /// <summary>Returns the colour of a value. Values outside [0, 1] are clipped.</summary>
    public static SKColor At(double value)
    {
        var color = Map.GetColor(Math.Clamp(double.IsNaN(value) ? 0 : value, 0, 1));
        return new(color.Red, color.Green, color.Blue);
    }
}
