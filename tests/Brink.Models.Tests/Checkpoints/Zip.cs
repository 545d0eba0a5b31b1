using System.IO.Compression;

namespace Brink.Models.Tests.Checkpoints;

/// <summary>Makes zip archives that PyTorch would not.</summary>
internal static class Zip
{
    /// <summary>An archive with these entries.</summary>
    public static byte[] Of(CompressionLevel level, params IEnumerable<(string Name, byte[] Content)> entries)
    {
        using var stream = new MemoryStream();
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in entries)
            {
                using var entry = archive.CreateEntry(name, level).Open();
                entry.Write(content);
            }
        }

        return stream.ToArray();
    }

    /// <summary>The same entries, compressed anew, with some contents replaced or added.</summary>
    public static byte[] Rewrite(byte[] bytes, CompressionLevel level, params IEnumerable<(string Name, byte[] Content)> replacements)
    {
        var contents = new OrderedDictionary<string, byte[]>(StringComparer.Ordinal);
        using (var archive = new ZipArchive(new MemoryStream(bytes)))
        {
            foreach (var entry in archive.Entries)
            {
                using var stream = entry.Open();
                var content = new byte[entry.Length];
                stream.ReadExactly(content);
                contents[entry.FullName] = content;
            }
        }

        foreach (var (name, content) in replacements)
        {
            contents[name] = content;
        }

        return Of(level, contents.Select(entry => (entry.Key, entry.Value)));
    }
}
