using System.Formats.Tar;
using Microsoft.Win32.SafeHandles;

namespace Brink.Data;

/// <summary>A set of named files, in a folder or in an archive. Several threads may read at once.</summary>
internal interface IFileStore : IDisposable
{
    /// <summary>The path of each file relative to the root, with <c>/</c> as separator, in any order and without duplicates. Hidden files are excluded.</summary>
    IReadOnlyCollection<string> Names { get; }

    /// <summary>Reads a file.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <returns>The whole content.</returns>
    /// <exception cref="UnreadableImageException">Thrown when the file is empty or incomplete.</exception>
    /// <exception cref="IOException">Thrown when the file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Thrown when the user has no permission to read the file.</exception>
    byte[] Read(string name);
}

/// <summary>The files in a folder and its subfolders.</summary>
internal sealed class FolderStore : IFileStore
{
    // Without a limit, a link to a parent folder would be followed until the path is too long.
    private const int DeepestFolder = 8;

    private readonly Dictionary<string, FileInfo> _files;

    public FolderStore(string folder)
    {
        var options = new EnumerationOptions
        {
            RecurseSubdirectories = true,
            MaxRecursionDepth = DeepestFolder,
            // A class folder without read permission must be reported, not skipped.
            IgnoreInaccessible = false,
        };
        _files = new DirectoryInfo(folder).EnumerateFiles("*", options)
            .ToDictionary(file => Path.GetRelativePath(folder, file.FullName).Replace(Path.DirectorySeparatorChar, '/'), StringComparer.Ordinal);
    }

    public IReadOnlyCollection<string> Names => _files.Keys;

    // Reading a pipe or a device might not end; their length is 0.
    public byte[] Read(string name) => _files[name] is { Length: > 0 } file
        ? File.ReadAllBytes(file.FullName)
        : throw new UnreadableImageException("it is empty");

    public void Dispose()
    {
        // No file is kept open.
    }
}

/// <summary>The files in a tar archive, which is not unpacked: its headers are read once, then each file at its position.</summary>
internal sealed class TarStore : IFileStore
{
    private readonly SafeFileHandle _archive;
    private readonly Dictionary<string, (long Offset, long Length)> _places = new(StringComparer.Ordinal);

    /// <summary>Opens an archive and reads its headers.</summary>
    /// <param name="path">The archive.</param>
    /// <exception cref="BadInputException">Thrown when the file is not a tar archive, or is damaged.</exception>
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
                throw new BadInputException($"Images need a folder or a tar archive, but '{path}' is not a tar archive or is damaged ({exception.Message.TrimEnd('.')}); check the path, or download it again.", exception);
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

        // Checked before memory is allocated, because a header can state any length.
        if (offset > RandomAccess.GetLength(_archive) - length || length > Array.MaxLength)
        {
            throw new UnreadableImageException("the archive ends within the file");
        }

        var bytes = new byte[length];
        for (var filled = 0; filled < bytes.Length;)
        {
            var read = RandomAccess.Read(_archive, bytes.AsSpan(filled), offset + filled);
            filled += read > 0 ? read : throw new UnreadableImageException("the archive ends within the file");
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
            throw new BadInputException($"Images are read from a tar archive without compression, but '{path}' is compressed with {method}; decompress it first, without unpacking it.");
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
                // If a file occurs more than once, the last copy is used, as when the archive is unpacked.
                _places[string.Join('/', parts)] = (entry.DataOffset, entry.Length);
            }
        }
    }
}
