using System.Formats.Tar;
using System.Runtime.InteropServices;
using SkiaSharp;

namespace Brink.Data.Tests.ImageFiles;

/// <summary>Creates pictures for tests, and folders and archives of them.</summary>
internal static class Pictures
{
    /// <summary>Creates a PNG of three channels whose pixel in row y and column x is <paramref name="color"/> of (x, y).</summary>
    public static byte[] Png(int width, int height, Func<int, int, SKColor> color) => Png(width, height, color, SKColorType.Rgba8888, SKAlphaType.Opaque);

    /// <summary>Creates a PNG of four channels, the last of which is alpha.</summary>
    public static byte[] PngWithAlpha(int width, int height, Func<int, int, SKColor> color) => Png(width, height, color, SKColorType.Rgba8888, SKAlphaType.Unpremul);

    /// <summary>Creates a PNG of one channel.</summary>
    public static byte[] PngOfGreyValues(int side, byte value) => Png(side, side, (_, _) => new(value, value, value), SKColorType.Gray8, SKAlphaType.Opaque);

    /// <summary>Creates a JPEG of one colour.</summary>
    public static byte[] Jpeg(int width, int height, SKColor color)
    {
        using var bitmap = Bitmap(width, height, (_, _) => color, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using var data = bitmap.Encode(SKEncodedImageFormat.Jpeg, 90);
        return data.ToArray();
    }

    /// <summary>Creates a PNG of one grey value, by which a test identifies it.</summary>
    public static byte[] Grey(byte value, int side = 4) => Png(side, side, (_, _) => new(value, value, value));

    /// <summary>Writes files into a folder; a name that ends with a slash is that of a folder.</summary>
    public static string Folder(string folder, params (string Name, byte[] Content)[] files)
    {
        foreach (var (name, content) in files)
        {
            var path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            if (!name.EndsWith('/'))
            {
                File.WriteAllBytes(path, content);
            }
        }

        return folder;
    }

    /// <summary>Writes files into an archive; a name that ends with a slash is that of a folder.</summary>
    public static string Tar(string path, params (string Name, byte[] Content)[] files) => Tar(path, TarEntryFormat.Pax, files);

    /// <summary>Writes files into an archive of a given format.</summary>
    public static string Tar(string path, TarEntryFormat format, params (string Name, byte[] Content)[] files)
    {
        using var writer = new TarWriter(File.Create(path), format);
        foreach (var (name, content) in files)
        {
            var isFolder = name.EndsWith('/');
            var type = isFolder ? TarEntryType.Directory : format == TarEntryFormat.V7 ? TarEntryType.V7RegularFile : TarEntryType.RegularFile;
            TarEntry entry = format switch
            {
                TarEntryFormat.V7 => new V7TarEntry(type, name),
                TarEntryFormat.Ustar => new UstarTarEntry(type, name),
                TarEntryFormat.Gnu => new GnuTarEntry(type, name),
                _ => new PaxTarEntry(type, name),
            };
            if (!isFolder)
            {
                entry.DataStream = new MemoryStream(content);
            }

            writer.WriteEntry(entry);
        }

        return path;
    }

    private static byte[] Png(int width, int height, Func<int, int, SKColor> color, SKColorType type, SKAlphaType alpha)
    {
        using var bitmap = Bitmap(width, height, color, type, alpha);
        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }

    private static SKBitmap Bitmap(int width, int height, Func<int, int, SKColor> color, SKColorType type, SKAlphaType alpha)
    {
        var bitmap = new SKBitmap(width, height, type, alpha);
        if (alpha == SKAlphaType.Unpremul)
        {
            // SetPixel would round the colours of transparent pixels.
            var bytes = Enumerable.Range(0, width * height).Select(pixel => color(pixel % width, pixel / width)).SelectMany(pixel => new[] { pixel.Red, pixel.Green, pixel.Blue, pixel.Alpha }).ToArray();
            Marshal.Copy(bytes, 0, bitmap.GetPixels(), bytes.Length);
            return bitmap;
        }

        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                bitmap.SetPixel(x, y, color(x, y));
            }
        }

        return bitmap;
    }
}
