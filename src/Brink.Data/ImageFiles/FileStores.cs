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

    /// <summary>The numbers of other entries that are left out, by a description in the plural.</summary>
    IReadOnlyDictionary<string, int> LeftOut { get; }

    /// <summary>Reads a file.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <returns>The whole content.</returns>
    /// <exception cref="UnreadableImageException">Thrown when the file is empty, incomplete or too long, or a pipe or a device.</exception>
    /// <exception cref="IOException">Thrown when the file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Thrown when the user has no permission to read the file.</exception>
    byte[] Read(string name);
}

/// <summary>The files in a folder and its subfolders.</summary>
internal sealed class FolderStore : IFileStore
{
    private const int DeepestFolder = 8;
    private static readonly string TooDeep = $"folders more than {DeepestFolder} levels deep";

    // More than ImageNet has. Links between folders can lead to more paths than can be listed.
    private const int MostLinked = 2_000_000;

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
    private readonly Dictionary<string, int> _leftOut = new(StringComparer.Ordinal);
    private readonly int _mostLinked;
    private int _linked;

    /// <summary>Lists a folder and its subfolders.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="mostLinked">The maximum number of files and folders to which links to folders lead.</param>
    /// <exception cref="BadInputException">Thrown when links to folders lead to more files.</exception>
    public FolderStore(string folder, int mostLinked = MostLinked)
    {
        _mostLinked = mostLinked;
        List(new(folder), "", depth: 0, isLinked: false);
    }

    public IReadOnlyCollection<string> Names => _files.Keys;

    public IReadOnlyCollection<string> Folders => _folders;

    public int HiddenCount { get; private set; }

    public IReadOnlyDictionary<string, int> LeftOut => _leftOut;

    public byte[] Read(string name) => RegularFile.Read(_files[name].FullName, IFileStore.LongestFile) is { Length: > 0 } content
        ? content
        : throw new UnreadableImageException("it is empty, or a pipe or a device");

    public void Dispose()
    {
        // No file is kept open.
    }

    private void List(DirectoryInfo folder, string prefix, int depth, bool isLinked)
    {
        var target = RegularFile.Target(folder).FullName;
        // A link to a folder around it would list the same files again and again.
        if (folder.LinkTarget is not null && _path.Any(outer => IsInside(outer, target)))
        {
            return;
        }

        _path.Push(target);
        foreach (var entry in folder.EnumerateFileSystemInfos("*", Everything))
        {
            var name = prefix + entry.Name;
            _linked += isLinked ? 1 : 0;
            if (_linked > _mostLinked)
            {
                throw new BadInputException(FormattableString.Invariant($"Links to folders may lead to {_mostLinked} files and folders, but those around {Excerpt.Quote(name)} lead to more; remove links between folders."));
            }

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
                    List((DirectoryInfo)entry, $"{name}/", depth + 1, isLinked || entry.LinkTarget is not null);
                }
                else
                {
                    _leftOut[TooDeep] = _leftOut.GetValueOrDefault(TooDeep) + 1;
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
    private readonly Dictionary<string, int> _leftOut = new(StringComparer.Ordinal);

    // The longest path of Linux. The folders of a path are stored one by one, so their number is limited too.
    private const int LongestName = 4096;
    private const int DeepestFolder = 64;

    // As Linux follows.
    private const int MostLinks = 40;

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

    public IReadOnlyDictionary<string, int> LeftOut => _leftOut;

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
        var hiddenFiles = new Dictionary<string, (long Offset, long Length)>(StringComparer.Ordinal);
        // The target of each link; null if it is outside the archive.
        var links = new Dictionary<string, string?>(StringComparer.Ordinal);
        using var reader = new TarReader(stream, leaveOpen: true);
        while (reader.GetNextEntry() is { } entry)
        {
            if (entry.EntryType is TarEntryType.GlobalExtendedAttributes)
            {
                continue;
            }

            var (isFolder, isLink) = (entry.EntryType is TarEntryType.Directory, entry.EntryType is TarEntryType.HardLink or TarEntryType.SymbolicLink);
            if (!isFolder && !isLink && entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile))
            {
                LeaveOut("pipes, devices or other special entries");
                continue;
            }

            if (entry.Name.Length > LongestName || entry.LinkName.Length > LongestName)
            {
                LeaveOut($"with paths of more than {LongestName} characters");
                continue;
            }

            if (Resolve([], entry.Name) is not { } parts)
            {
                LeaveOut("outside the archive");
                continue;
            }

            if (parts.Length > DeepestFolder)
            {
                LeaveOut($"more than {DeepestFolder} levels deep");
                continue;
            }

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

            if (isFolder || parts.Length == 0)
            {
                continue;
            }

            var name = string.Join('/', parts);
            var target = isLink ? Target(entry, parts) : null;
            // A hard link is another name of what the file is at this point of the archive.
            var place = !isLink ? (entry.DataOffset, entry.Length) : entry.EntryType is TarEntryType.HardLink && target is not null ? Find(target) : null;
            // If a file occurs more than once, the last copy is used, as when the archive is unpacked.
            (hidden >= 0 ? hiddenFiles : _places).Remove(name);
            links.Remove(name);
            if (place is { } found)
            {
                (hidden >= 0 ? hiddenFiles : _places)[name] = found;
            }
            else
            {
                links[name] = target;
            }
        }

        foreach (var (name, first) in links.Where(link => !link.Key.Split('/').Any(HiddenName.Is)))
        {
            var target = first;
            for (var step = 0; step < MostLinks && target is not null && links.TryGetValue(target, out var next); step++)
            {
                target = next;
            }

            if (target is not null && Find(target) is { } found)
            {
                _places[name] = found;
            }
            else
            {
                LeaveOut("links to no file of the archive");
            }
        }

        (long Offset, long Length)? Find(string name) => _places.TryGetValue(name, out var place) || hiddenFiles.TryGetValue(name, out place) ? place : null;
    }

    private void LeaveOut(string what) => _leftOut[what] = _leftOut.GetValueOrDefault(what) + 1;

    /// <summary>Returns the path to which a link leads; null if it is outside the archive.</summary>
    /// <param name="link">A hard link, whose target is relative to the root, or a symbolic link, whose target is relative to its folder.</param>
    /// <param name="parts">The path of the link.</param>
    private static string? Target(TarEntry link, string[] parts) =>
        link.EntryType is TarEntryType.HardLink ? Resolve([], link.LinkName) is { } target ? string.Join('/', target) : null
        : !link.LinkName.StartsWith('/') && Resolve(parts[..^1], link.LinkName) is { } relative ? string.Join('/', relative) : null;

    /// <summary>Resolves a path relative to a folder of the archive; a slash at its start is ignored.</summary>
    /// <returns>The names of the folders and of the file; null if the path is outside the archive.</returns>
    private static string[]? Resolve(string[] folder, string path)
    {
        var parts = new List<string>(folder);
        foreach (var part in path.Split('/').Where(part => part is not ("" or ".")))
        {
            if (part != "..")
            {
                parts.Add(part);
            }
            else if (parts.Count > 0)
            {
                parts.RemoveAt(parts.Count - 1);
            }
            else
            {
                return null;
            }
        }

        return [.. parts];
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
