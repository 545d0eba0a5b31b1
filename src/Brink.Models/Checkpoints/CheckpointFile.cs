namespace Brink.Models;

/// <summary>Opens checkpoint files and translates errors of the file system into messages for the user.</summary>
internal static class CheckpointFile
{
    /// <summary>Opens a file and reads it.</summary>
    /// <typeparam name="T">The type of the result.</typeparam>
    /// <param name="path">The file.</param>
    /// <param name="read">The function that reads the opened file.</param>
    /// <returns>The result of <paramref name="read"/>.</returns>
    /// <exception cref="BadInputException">Thrown when the file cannot be opened or read, or by <paramref name="read"/>.</exception>
    public static T Read<T>(string path, Func<Stream, T> read)
    {
        if (string.IsNullOrEmpty(path))
        {
            throw new BadInputException("A checkpoint must be a file, but the path is empty; give the path of a safetensors or PyTorch file.");
        }

        if (Directory.Exists(path))
        {
            throw new BadInputException($"A checkpoint must be a file, but {path} is a folder; give the path of a safetensors or PyTorch file in it.");
        }

        try
        {
            using var stream = Open(path);
            return read(stream);
        }
        catch (EndOfStreamException exception)
        {
            throw new BadInputException($"A checkpoint must be complete, but {path} ends early; download it again.", exception);
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
            return RegularFile.Open(path)
                ?? throw new BadInputException($"A checkpoint must be a regular file with content, but {path} has none: it is empty, or a pipe or a device; copy it into a file first.");
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BadInputException($"A checkpoint must be a file, but {path} does not exist; check the path.", exception);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new BadInputException($"A checkpoint must be readable, but access to {path} was denied; check its permissions.", exception);
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            throw Unreadable(path, exception);
        }
    }

    private static BadInputException Unreadable(string path, Exception exception) => new(
        $"A checkpoint must be readable, but reading {Excerpt.Plain(path)} failed ({Excerpt.Reason(exception)}); check the path and the disk.", exception);
}

/// <summary>A limit on the memory that the content of a file may occupy, so that a small file cannot exhaust the memory.</summary>
/// <remarks>
/// Content can be larger than the file in two ways: a deflated zip entry (up to about 1,000 times, more if entries overlap), and a tensor
/// that repeats a stored element (stride 0). Real weights hardly compress, and their expanded buffers are small.
/// </remarks>
/// <param name="fileLength">The length of the file in bytes.</param>
internal sealed class ExpansionBudget(long fileLength)
{
    // Far above the ratio of real weights, which hardly compress, and far below that of a zip bomb.
    private const int MaximumRatio = 100;
    // A tiny file may contain a compressed or expanded tensor of this size.
    private const long AlwaysAllowed = 1 << 20;

    private Int128 _remaining = ((Int128)fileLength * MaximumRatio) + AlwaysAllowed;

    /// <summary>Subtracts bytes from the limit.</summary>
    /// <param name="bytes">The number of bytes.</param>
    /// <returns>True; false, without a subtraction, if fewer bytes remain.</returns>
    public bool TrySpend(long bytes)
    {
        if (bytes > _remaining)
        {
            return false;
        }

        _remaining -= bytes;
        return true;
    }
}
