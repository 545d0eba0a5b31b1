using System.Formats.Tar;
using SkiaSharp;

namespace Brink.Data.Tests.ImageFiles;

/// <summary>Creates pictures for tests, and folders and archives of them.</summary>
internal static class Pictures
{
    /// <summary>Creates a PNG whose pixel in row y and column x is <paramref name="color"/> of (x, y).</summary>
    public static byte[] Png(int width, int height, Func<int, int, SKColor> color)
    {
        using var bitmap = Bitmap(width, height, color);
        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }

    /// <summary>Creates a JPEG of one colour.</summary>
    public static byte[] Jpeg(int width, int height, SKColor color)
    {
        using var bitmap = Bitmap(width, height, (_, _) => color);
        using var data = bitmap.Encode(SKEncodedImageFormat.Jpeg, 90);
        return data.ToArray();
    }

    /// <summary>Creates a PNG of one grey value, by which a test identifies it.</summary>
    public static byte[] Grey(byte value, int side = 4) => Png(side, side, (_, _) => new(value, value, value));

    /// <summary>Writes files into a folder.</summary>
    public static string Folder(string folder, params (string Name, byte[] Content)[] files)
    {
        foreach (var (name, content) in files)
        {
            var path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, content);
        }

        return folder;
    }

    /// <summary>Writes files into an archive.</summary>
    public static string Tar(string path, params (string Name, byte[] Content)[] files) => Tar(path, TarEntryFormat.Pax, files);

    /// <summary>Writes files into an archive of a given format.</summary>
    public static string Tar(string path, TarEntryFormat format, params (string Name, byte[] Content)[] files)
    {
        using var writer = new TarWriter(File.Create(path), format);
        foreach (var (name, content) in files)
        {
            var type = format == TarEntryFormat.V7 ? TarEntryType.V7RegularFile : TarEntryType.RegularFile;
            TarEntry entry = format switch
            {
                TarEntryFormat.V7 => new V7TarEntry(type, name),
                TarEntryFormat.Ustar => new UstarTarEntry(type, name),
                TarEntryFormat.Gnu => new GnuTarEntry(type, name),
                _ => new PaxTarEntry(type, name),
            };
            entry.DataStream = new MemoryStream(content);
            writer.WriteEntry(entry);
        }

        return path;
    }

    private static SKBitmap Bitmap(int width, int height, Func<int, int, SKColor> color)
    {
        var bitmap = new SKBitmap(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
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
