using System.Formats.Tar;
using Microsoft.Win32.SafeHandles;

namespace Brink.Data;

/// <summary>The files inside a tar archive, which stays packed: its headers are read once, then each file from where it stands.</summary>
internal sealed class TarStore : IFileStore
{
    private readonly SafeFileHandle _archive;
    private readonly Dictionary<string, (long Offset, long Length)> _places = new(StringComparer.Ordinal);

    /// <exception cref="BadInputException">It is no tar archive, or a damaged one.</exception>
    public TarStore(string path)
    {
        using (var stream = File.OpenRead(path))
        {
            RefuseCompressed(stream, path);
            try
            {
                Index(stream);
            }
            catch (Exception exception) when (exception is InvalidDataException or FormatException or EndOfStreamException or NotSupportedException or ArgumentException or OverflowException)
            {
                throw new BadInputException($"Images need a folder or a tar archive, but '{path}' is no tar archive or a damaged one ({exception.Message.TrimEnd('.')}); check the path, or fetch it again.", exception);
            }
        }

        _archive = File.OpenHandle(path, options: FileOptions.RandomAccess);
    }

    public IReadOnlyCollection<string> Names => _places.Keys;

    public byte[] Read(string name)
    {
        var (offset, length) = _places[name];
        if (length == 0)
        {
            throw new UnreadableImageException("it is empty");
        }

        // Before memory is set aside: a header may claim any length.
        if (offset > RandomAccess.GetLength(_archive) - length || length > Array.MaxLength)
        {
            throw new UnreadableImageException("the archive ends within it");
        }

        var bytes = new byte[length];
        for (var filled = 0; filled < bytes.Length;)
        {
            var read = RandomAccess.Read(_archive, bytes.AsSpan(filled), offset + filled);
            filled += read > 0 ? read : throw new UnreadableImageException("the archive ends within it");
        }

        return bytes;
    }

    public void Dispose() => _archive.Dispose();

    private static void RefuseCompressed(FileStream stream, string path)
    {
        Span<byte> start = stackalloc byte[4];
        var length = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        stream.Position = 0;
        var method = start[..length] switch
        {
            [0x1f, 0x8b, ..] => "gzip",
            [(byte)'B', (byte)'Z', (byte)'h', ..] => "bzip2",
            [0xfd, (byte)'7', (byte)'z', (byte)'X'] => "xz",
            [0x28, 0xb5, 0x2f, 0xfd] => "zstd",
            _ => null,
        };
        if (method is not null)
        {
            throw new BadInputException($"Images are read from inside a plain tar archive, but '{path}' is compressed with {method}; decompress it first, there is no need to unpack it.");
        }
    }

    private void Index(FileStream stream)
    {
        using var reader = new TarReader(stream);
        while (reader.GetNextEntry() is { } entry)
        {
            if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile))
            {
                continue;
            }

            var parts = entry.Name.Split('/').Where(part => part is not ("" or ".")).ToArray();
            if (!Array.Exists(parts, part => part.StartsWith('.')))
            {
                // Of a file that was packed again the last copy counts, as when it is unpacked.
                _places[string.Join('/', parts)] = (entry.DataOffset, entry.Length);
            }
        }
    }
}
