using System.Formats.Tar;

namespace Brink;

/// <summary>Reads files of bounded length whose content is not trusted.</summary>
internal static class RegularFile
{
    /// <summary>Opens a file, also through links.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The file; null if it is empty, or a pipe, a device or a socket. These are not opened, because opening or reading them might not end.</returns>
    /// <exception cref="IOException">Thrown when there is no such file, or it cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">Thrown when the user has no permission to read it.</exception>
    public static FileStream? Open(string path)
    {
        if (Target(new FileInfo(path)) is { Exists: true, Length: 0 })
        {
            return null;
        }

        // The target of a link to an open pipe, such as /dev/stdin, has no path. Opening such a link does not wait.
        var file = File.OpenRead(path);
        if (file.CanSeek && file.Length > 0)
        {
            return file;
        }

        file.Dispose();
        return null;
    }

    /// <summary>Reads a file, also through links.</summary>
    /// <param name="path">The file.</param>
    /// <param name="most">The maximum length in bytes.</param>
    /// <returns>The content, which is empty for a pipe, a device or a socket.</returns>
    /// <exception cref="IOException">Thrown when there is no such file, it is too long, or it cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Thrown when the user has no permission to read it.</exception>
    public static byte[] Read(string path, int most)
    {
        using var file = Open(path);
        if (file is null)
        {
            return [];
        }

        var length = file.Length <= most ? file.Length : throw TooLong(most);
        var content = new byte[length];
        file.ReadExactly(content);
        return content;
    }

    /// <summary>Reads a file that the user named, which may be a pipe, to its end.</summary>
    /// <param name="path">The file.</param>
    /// <param name="most">The maximum length in bytes.</param>
    /// <returns>The content.</returns>
    /// <exception cref="IOException">Thrown when there is no such file, it is too long or endless, or it cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Thrown when the user has no permission to read it.</exception>
    public static byte[] ReadToEnd(string path, int most)
    {
        using var file = File.OpenRead(path);
        using var content = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (int read; (read = file.Read(buffer)) > 0;)
        {
            content.Write(buffer, 0, read);
            if (content.Length > most)
            {
                throw TooLong(most);
            }
        }

        return content.ToArray();
    }

    /// <summary>Returns the file or folder to which links lead, because the length of a link is that of its text.</summary>
    /// <typeparam name="T">A file or a folder.</typeparam>
    /// <param name="entry">A file, a folder or a link.</param>
    /// <exception cref="IOException">Thrown when links lead in a circle.</exception>
    public static T Target<T>(T entry)
        where T : FileSystemInfo => entry.LinkTarget is null ? entry : entry.ResolveLinkTarget(returnFinalTarget: true) as T ?? entry;

    /// <summary>Returns the path to which a file is written, also through links.</summary>
    /// <param name="path">The file, which need not exist.</param>
    /// <exception cref="BadInputException">Thrown when there is a pipe, a device or a socket, which must not be replaced.</exception>
    /// <exception cref="IOException">Thrown when links lead in a circle.</exception>
    public static string Output(string path)
    {
        var target = Target(new FileInfo(path));
        return (target.Exists ? target.Length == 0 && IsSpecial(target.FullName) : File.Exists(path) && IsOpenFile(path))
            ? throw new BadInputException($"The output should be a regular file, but {path} is a pipe, a device or a socket; give the path of a file.")
            : target.FullName;
    }

    /// <summary>Determines whether a link whose target has no path leads to an open pipe, as /dev/stdout does, or to nothing.</summary>
    private static bool IsOpenFile(string link)
    {
        try
        {
            File.OpenRead(link).Dispose();
            return true;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (IOException)
        {
            // Sockets cannot be opened.
            return true;
        }
    }

    /// <summary>Determines whether an empty file is a pipe, a device or a socket.</summary>
    private static bool IsSpecial(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return false;
        }

        // The runtime shows the type of a file only in archives. Files other than regular ones are not opened for that.
        using var archive = new MemoryStream();
        try
        {
            using var writer = new TarWriter(archive, leaveOpen: true);
            writer.WriteEntry(path, "file");
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
        catch (IOException)
        {
            // An archive has no sockets.
            return true;
        }

        archive.Position = 0;
        using var reader = new TarReader(archive);
        return reader.GetNextEntry()?.EntryType is not TarEntryType.RegularFile;
    }

    private static IOException TooLong(int most) => new($"The file has more than {most >> 20} MB.");
}
