namespace Brink.Data;

/// <summary>Writes files atomically: a file is complete, or it does not exist under its final name.</summary>
internal static class AtomicFile
{
    private const string Extension = ".partial";
    // The length of a GUID in the format N.
    private const int GuidLength = 32;

    /// <summary>Writes a file atomically.</summary>
    /// <param name="path">The final name; an existing file of that name, or the file to which a link of that name leads, is replaced.</param>
    /// <param name="write">The function that writes the content.</param>
    /// <exception cref="BadInputException">Thrown when the folder cannot be written to, the disk is full, or the name is that of a pipe or a device. An existing file is unchanged.</exception>
    public static void Write(string path, Action<Stream> write) => WriteAll([KeyValuePair.Create(path, write)]);

    /// <summary>Writes a group of files under temporary names, and renames them in order when all of them are on the disk.</summary>
    /// <remarks>The last file marks the group as complete: its previous version is deleted before the first file is renamed.</remarks>
    /// <param name="files">The final names, and the functions that write the contents. Existing files are replaced.</param>
    /// <exception cref="BadInputException">Thrown when the folder cannot be written to, the disk is full, or a name is that of a pipe or a device.</exception>
    public static void WriteAll(IReadOnlyList<KeyValuePair<string, Action<Stream>>> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        var (targets, temporaries) = (new string[files.Count], new string?[files.Count]);
        var current = 0;
        try
        {
            for (current = 0; current < files.Count; current++)
            {
                targets[current] = RegularFile.Output(files[current].Key);
                temporaries[current] = $"{targets[current]}.{Guid.NewGuid():N}{Extension}";
            }

            for (current = 0; current < files.Count; current++)
            {
                using var stream = new FileStream(temporaries[current]!, FileMode.CreateNew, FileAccess.ReadWrite);
                files[current].Value(stream);
                // A full disk may be detected only when the cache is flushed. Renaming before that could give an incomplete file its final name.
                stream.Flush(flushToDisk: true);
            }

            current = files.Count - 1;
            if (files.Count > 1)
            {
                File.Delete(targets[current]);
            }

            for (current = 0; current < files.Count; current++)
            {
                File.Move(temporaries[current]!, targets[current], overwrite: true);
            }
        }
        catch (Exception exception)
        {
            Array.ForEach(temporaries, Discard);
            if (exception is IOException or UnauthorizedAccessException)
            {
                throw new BadInputException($"The file {files[current].Key} could not be written ({Excerpt.Reason(exception)}); free space or choose another folder.", exception);
            }

            throw;
        }
    }

    /// <summary>Creates the folder of a file if it does not exist.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="BadInputException">Thrown when the folder cannot be created.</exception>
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
            throw new BadInputException($"The file {path} needs a folder, but it could not be created ({Excerpt.Reason(exception)}); choose another folder.", exception);
        }
    }

    /// <summary>Deletes the temporary files of processes that were killed while they wrote a file.</summary>
    /// <param name="path">The final name, to which no process is writing.</param>
    public static void DiscardRemains(string path)
    {
        var pattern = $"{Path.GetFileName(path)}.{new string('?', GuidLength)}{Extension}";
        foreach (var remains in Directory.EnumerateFiles(Path.GetDirectoryName(Path.GetFullPath(path))!, pattern).ToArray())
        {
            Discard(remains);
        }
    }

    private static void Discard(string? path)
    {
        try
        {
            if (path is not null)
            {
                File.Delete(path);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The cause of the failed write may also prevent the deletion; the first error is the one to report.
        }
    }
}
