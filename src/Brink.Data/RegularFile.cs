namespace Brink.Data;

/// <summary>Reads files of bounded length whose content is not trusted.</summary>
internal static class RegularFile
{
    /// <summary>Opens a file, also through links.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The file; null if it is empty, or a pipe, a device or a socket. These are not opened, because opening or reading them might not end.</returns>
    /// <exception cref="IOException">Thrown when there is no such file, or it cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">Thrown when the user has no permission to read it.</exception>
    public static FileStream? Open(string path) => Target(new(path)) is { Length: > 0 } file ? file.OpenRead() : null;

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

    /// <summary>Returns the file to which links lead, because the length of a link is that of its text.</summary>
    /// <param name="file">A file or a link.</param>
    /// <exception cref="IOException">Thrown when links lead in a circle.</exception>
    public static FileInfo Target(FileInfo file) => file.LinkTarget is null ? file : file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;

    private static IOException TooLong(int most) => new($"The file has more than {most >> 20} MB.");
}
