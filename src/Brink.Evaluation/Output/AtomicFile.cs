namespace Brink.Evaluation.Output;

/// <summary>Files that are either whole or not there.</summary>
public static class AtomicFile
{
    /// <summary>Writes under a temporary name in the same folder, and renames only when everything is on the disk.</summary>
    /// <param name="path">The final name; an older file of that name is replaced.</param>
    /// <param name="write">Writes the content.</param>
    /// <exception cref="BadInputException">The folder cannot be written to, or the disk is full. The older file, if any, is untouched.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(write);
        var temporary = $"{path}.{Guid.NewGuid():N}.partial";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite))
            {
                write(stream);
                // A full disk may only show when the cache is written out; renaming before that would put a torn file under the final name.
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception exception)
        {
            Discard(temporary);
            if (exception is IOException or UnauthorizedAccessException)
            {
                throw new BadInputException($"The file {path} could not be written ({exception.Message.TrimEnd('.')}); free space or choose another folder with --out.", exception);
            }

            throw;
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
