namespace Brink.Data;

/// <summary>Files that are either whole or not there.</summary>
public static class AtomicFile
{
    private const string Extension = ".partial";
    private const int GuidLength = 32;

    /// <summary>Writes a file: whole, or not at all.</summary>
    /// <param name="path">The final name; an older file of that name is replaced.</param>
    /// <param name="write">Writes the content.</param>
    /// <exception cref="BadInputException">The folder cannot be written to, or the disk is full. The older file, if any, is untouched.</exception>
    public static void Write(string path, Action<Stream> write) => WriteAll([KeyValuePair.Create(path, write)]);

    /// <summary>Writes files that belong together, under temporary names first; they are renamed, in order, only when all are on the disk. The last file vouches for the others: its older version goes before the first is renamed.</summary>
    /// <param name="files">The final names, older files of which are replaced, and what writes the contents.</param>
    /// <exception cref="BadInputException">The folder cannot be written to, or the disk is full.</exception>
    public static void WriteAll(IReadOnlyList<KeyValuePair<string, Action<Stream>>> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        var temporaries = files.Select(file => $"{file.Key}.{Guid.NewGuid():N}{Extension}").ToArray();
        var current = 0;
        try
        {
            for (current = 0; current < files.Count; current++)
            {
                using var stream = new FileStream(temporaries[current], FileMode.CreateNew, FileAccess.ReadWrite);
                files[current].Value(stream);
                // A full disk may only show when the cache is written out; renaming before that would put a torn file under the final name.
                stream.Flush(flushToDisk: true);
            }

            current = files.Count - 1;
            if (files.Count > 1)
            {
                File.Delete(files[current].Key);
            }

            for (current = 0; current < files.Count; current++)
            {
                File.Move(temporaries[current], files[current].Key, overwrite: true);
            }
        }
        catch (Exception exception)
        {
            Array.ForEach(temporaries, Discard);
            if (exception is IOException or UnauthorizedAccessException)
            {
                throw new BadInputException($"The file {files[current].Key} could not be written ({exception.Message.TrimEnd('.')}); free space or choose another folder.", exception);
            }

            throw;
        }
    }

    /// <summary>Makes the folder of a file, where it does not exist.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="BadInputException">It cannot be made.</exception>
    public static void CreateFolder(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
            {
                Directory.CreateDirectory(folder);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new BadInputException($"The file {path} needs a folder, but it could not be made ({exception.Message.TrimEnd('.')}); choose another.", exception);
        }
    }

    /// <summary>Removes what a process that was killed while it wrote a file left of it.</summary>
    /// <param name="path">The final name; nobody is writing it now.</param>
    public static void DiscardRemains(string path)
    {
        var pattern = $"{Path.GetFileName(path)}.{new string('?', GuidLength)}{Extension}";
        foreach (var remains in Directory.EnumerateFiles(Path.GetDirectoryName(Path.GetFullPath(path))!, pattern).ToArray())
        {
            Discard(remains);
        }
    }

    private static void Discard(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // What made the write fail may also keep the remains from being removed; the first error is the one to report.
        }
    }
}
