using System.Formats.Tar;
using Microsoft.Win32.SafeHandles;

namespace Brink.Data;

/// <summary>A set of named files, in a folder or in an archive. Several threads may read at once.</summary>
internal interface IFileStore : IDisposable
{
    /// <summary>The maximum length of a file in bytes: 256 MB. The largest image that is decoded has 100 million pixels, and photographs need less than two bytes per pixel.</summary>
    const int LongestFile = 256 << 20;

    /// <summary>The path of each file relative to the root, with <c>/</c> as separator, in any order and without duplicates. Hidden files are excluded.</summary>
    IReadOnlyCollection<string> Names { get; }

    /// <summary>The path of each folder, in the same form, also of folders without files. Hidden folders are excluded.</summary>
    IReadOnlyCollection<string> Folders { get; }

    /// <summary>The number of hidden files and hidden folders. The content of a hidden folder is not counted.</summary>
    int HiddenCount { get; }

    /// <summary>Reads a file.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <returns>The whole content.</returns>
    /// <exception cref="UnreadableImageException">Thrown when the file is empty, incomplete or too long, or no regular file.</exception>
    /// <exception cref="IOException">Thrown when the file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Thrown when the user has no permission to read the file.</exception>
    byte[] Read(string name);
}

/// <summary>The files in a folder and its subfolders.</summary>
internal sealed class FolderStore : IFileStore
{
    // Without a limit, a link to a parent folder would be followed until the path is too long.
    private const int DeepestFolder = 8;

    private static readonly EnumerationOptions Everything = new()
    {
        AttributesToSkip = FileAttributes.None,
        // A class folder without read permission must be reported, not skipped.
        IgnoreInaccessible = false,
    };

    private readonly Dictionary<string, FileInfo> _files = new(StringComparer.Ordinal);
    private readonly HashSet<string> _folders = new(StringComparer.Ordinal);
    // The paths of the folders that contain each other, without links.
    private readonly Stack<string> _path = new();

    public FolderStore(string folder) => List(new(folder), "", depth: 0);

    public IReadOnlyCollection<string> Names => _files.Keys;

    public IReadOnlyCollection<string> Folders => _folders;

    public int HiddenCount { get; private set; }

    public byte[] Read(string name) => RegularFile.Read(_files[name].FullName, IFileStore.LongestFile) is { Length: > 0 } content
        ? content
        : throw new UnreadableImageException("it is empty or no regular file");

    public void Dispose()
    {
        // No file is kept open.
    }

    private void List(DirectoryInfo folder, string prefix, int depth)
    {
        var target = (folder.LinkTarget is null ? folder : folder.ResolveLinkTarget(returnFinalTarget: true) ?? folder).FullName;
        // A link to a folder around it would list the same files again and again.
        if (folder.LinkTarget is not null && _path.Any(outer => IsInside(outer, target)))
        {
            return;
        }

        _path.Push(target);
        foreach (var entry in folder.EnumerateFileSystemInfos("*", Everything))
        {
            var name = prefix + entry.Name;
            // Attributes are not read elsewhere, because they cost a call of the system for each file.
            if (HiddenName.Is(entry.Name) || (OperatingSystem.IsWindows() && entry.Attributes.HasFlag(FileAttributes.Hidden)))
            {
                HiddenCount++;
            }
            else if (entry is FileInfo file)
            {
                _files.Add(name, file);
            }
            else
            {
                _folders.Add(name);
                if (depth < DeepestFolder)
                {
                    List((DirectoryInfo)entry, $"{name}/", depth + 1);
                }
            }
        }

        _path.Pop();
    }

    private static bool IsInside(string path, string folder) =>
        path == folder || path.StartsWith(Path.EndsInDirectorySeparator(folder) ? folder : folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}

/// <summary>The files in a tar archive, which is not unpacked: its headers are read once, then each file at its position.</summary>
internal sealed class TarStore : IFileStore
{
    private readonly FileStream _stream;
    private readonly SafeFileHandle _archive;
    private readonly Dictionary<string, (long Offset, long Length)> _places = new(StringComparer.Ordinal);
    private readonly HashSet<string> _folders = new(StringComparer.Ordinal);
    private readonly HashSet<string> _hidden = new(StringComparer.Ordinal);

    // Longer archives hardly fit in memory once they are decoded, and an endless pipe must not fill the disk.
    private const long LongestPipe = 8L << 30;

    /// <summary>Opens an archive and reads its headers.</summary>
    /// <param name="path">The archive. A pipe is first copied to a temporary file.</param>
    /// <exception cref="BadInputException">Thrown when the file is not a tar archive, or is damaged.</exception>
    public TarStore(string path)
    {
        var given = File.OpenRead(path);
        _stream = given.CanSeek ? given : Copy(given, path);
        _archive = _stream.SafeFileHandle;
        try
        {
            RefuseCompressed(_stream, path);
            try
            {
                Index(_stream);
            }
            catch (Exception exception) when (exception is InvalidDataException or FormatException or EndOfStreamException or NotSupportedException or InvalidOperationException or ArgumentException or OverflowException)
            {
                throw new BadInputException($"Images need a folder or a tar archive, but '{path}' is not a tar archive or is damaged ({Excerpt.Reason(exception)}); check the path, or download it again.", exception);
            }
        }
        catch
        {
            _stream.Dispose();
            throw;
        }
    }

    public IReadOnlyCollection<string> Names => _places.Keys;

    public IReadOnlyCollection<string> Folders => _folders;

    public int HiddenCount => _hidden.Count;

    public byte[] Read(string name)
    {
        var (offset, length) = _places[name];
        if (length == 0)
        {
            throw new UnreadableImageException("it is empty");
        }

        // Checked before memory is allocated, because a header can state any length.
        if (offset > RandomAccess.GetLength(_archive) - length)
        {
            throw new UnreadableImageException("the archive ends within the file");
        }

        if (length > IFileStore.LongestFile)
        {
            throw new UnreadableImageException($"it has more than {IFileStore.LongestFile >> 20} MB");
        }

        var bytes = new byte[length];
        for (var filled = 0; filled < bytes.Length;)
        {
            var read = RandomAccess.Read(_archive, bytes.AsSpan(filled), offset + filled);
            filled += read > 0 ? read : throw new UnreadableImageException("the archive ends within the file");
        }

        return bytes;
    }

    public void Dispose() => _stream.Dispose();

    /// <summary>Copies a pipe to a temporary file, which is deleted when it is closed.</summary>
    private static FileStream Copy(FileStream pipe, string path)
    {
        using (pipe)
        {
            var copy = new FileStream(System.IO.Path.Combine(System.IO.Path.GetTempPath(), System.IO.Path.GetRandomFileName()), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose);
            try
            {
                var buffer = new byte[1 << 16];
                for (int read; (read = pipe.Read(buffer)) > 0;)
                {
                    copy.Write(buffer, 0, read);
                    if (copy.Position > LongestPipe)
                    {
                        throw new BadInputException($"An archive that is read from a pipe may have {LongestPipe >> 30} GB, but '{path}' does not end there; write it to a file and give the file.");
                    }
                }

                copy.Position = 0;
                return copy;
            }
            catch
            {
                copy.Dispose();
                throw;
            }
        }
    }

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
        using var reader = new TarReader(stream, leaveOpen: true);
        while (reader.GetNextEntry() is { } entry)
        {
            var isFolder = entry.EntryType is TarEntryType.Directory;
            if (!isFolder && entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile))
            {
                continue;
            }

            var parts = entry.Name.Split('/').Where(part => part is not ("" or ".")).ToArray();
            var hidden = Array.FindIndex(parts, HiddenName.Is);
            // An archive need not contain entries for the folders of its files.
            var folders = hidden >= 0 ? hidden : isFolder ? parts.Length : parts.Length - 1;
            for (var depth = 1; depth <= folders; depth++)
            {
                _folders.Add(string.Join('/', parts[..depth]));
            }

            if (hidden >= 0)
            {
                _hidden.Add(string.Join('/', parts[..(hidden + 1)]));
            }
            else if (!isFolder)
            {
                // If a file occurs more than once, the last copy is used, as when the archive is unpacked.
                _places[string.Join('/', parts)] = (entry.DataOffset, entry.Length);
            }
        }
    }
}

/// <summary>Names that are hidden: those that begin with a dot, and the folder in which archives of macOS keep metadata.</summary>
internal static class HiddenName
{
    private const string MetadataFolder = "__MACOSX";

    /// <summary>Determines whether a file or folder of this name is hidden.</summary>
    /// <param name="name">The name without its path.</param>
    public static bool Is(string name) => name.StartsWith('.') || name == MetadataFolder;
}
