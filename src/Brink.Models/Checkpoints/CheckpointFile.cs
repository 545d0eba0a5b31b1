namespace Brink.Models;

/// <summary>Opens a file for the readers here and turns what the file system says into sentences.</summary>
internal static class CheckpointFile
{
    /// <summary>Calls <paramref name="read"/> on the opened file.</summary>
    /// <exception cref="BadInputException">The file cannot be opened or read, or <paramref name="read"/> refused it.</exception>
    public static T Read<T>(string path, Func<Stream, T> read)
    {
        if (string.IsNullOrEmpty(path))
        {
            throw new BadInputException("A checkpoint needs a file, but the path is empty; give the path of a safetensors or PyTorch file.");
        }

        if (Directory.Exists(path))
        {
            throw new BadInputException($"A checkpoint needs a file, but {path} is a folder; give the path of a safetensors or PyTorch file inside it.");
        }

        try
        {
            using var stream = Open(path);
            return stream.CanSeek
                ? read(stream)
                : throw new BadInputException($"A checkpoint needs a regular file, but {path} is a pipe or a device; copy it into a file first.");
        }
        catch (EndOfStreamException exception)
        {
            throw new BadInputException($"A checkpoint needs a whole file, but {path} ends early; fetch it again.", exception);
        }
        catch (IOException exception)
        {
            throw Unreadable(path, exception);
        }
    }

    private static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BadInputException($"A checkpoint needs a file, but {path} does not exist; check the path.", exception);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new BadInputException($"A checkpoint needs a readable file, but access to {path} was denied; check its permissions.", exception);
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            throw Unreadable(path, exception);
        }
    }

    private static BadInputException Unreadable(string path, Exception exception) => new(
        $"A checkpoint needs a readable file, but reading {Excerpt.Plain(path)} failed ({exception.Message.TrimEnd('.')}); check the path and the disk.", exception);
}
