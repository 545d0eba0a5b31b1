using System.Formats.Tar;
using System.IO.Compression;

namespace Brink.Data;

/// <summary>Fetches CIFAR-10 in its binary version from its authors and unpacks it to where <c>cifar10:</c> looks.</summary>
public static class Cifar10Download
{
    private const string Md5 = "c32a1d4ab5d03f1284b67883e8d87530";
    private const string Archive = "cifar-10-binary.tar.gz";

    /// <summary>The archive, 170 MB, at the University of Toronto.</summary>
    public static Uri Source { get; } = new($"https://www.cs.toronto.edu/~kriz/{Archive}");

    /// <summary>Fetches and unpacks, unless all is here already.</summary>
    /// <param name="folder">The folder in which a folder <c>cifar10</c> is made, such as <see cref="DataLocations.UserFolder"/>.</param>
    /// <param name="source">Where from; null for <see cref="Source"/>.</param>
    /// <param name="progress">Hears how far the transfer is.</param>
    /// <param name="cancellationToken">Stops it; what has arrived stays, for the next attempt.</param>
    /// <returns>The folder with the images, 184 MB.</returns>
    /// <exception cref="BadInputException">It cannot be fetched or written, or is not what it should be.</exception>
    public static Task<string> FetchAsync(string folder, Uri? source = null, IProgress<DownloadProgress>? progress = null, CancellationToken cancellationToken = default) =>
        FetchAsync(folder, source ?? Source, Md5, progress, cancellationToken);

    internal static async Task<string> FetchAsync(string folder, Uri source, string md5, IProgress<DownloadProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var target = Path.Combine(folder, Cifar10.Folder);
        if (Cifar10.FileNames.All(name => File.Exists(Path.Combine(target, name))))
        {
            return target;
        }

        var archive = Path.Combine(folder, Archive);
        await Download.FetchAsync(source, archive, md5, progress, cancellationToken);
        try
        {
            Unpack(archive, target, cancellationToken);
            File.Delete(archive);
            return target;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"CIFAR-10 could not be unpacked to {target} ({exception.Message.TrimEnd('.')}); free space or choose another folder.", exception);
        }
    }

    /// <summary>Each file gets its name only when it is whole.</summary>
    private static void Unpack(string archive, string target, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(target);
        var missing = Cifar10.FileNames.ToHashSet(StringComparer.Ordinal);
        using var packed = new GZipStream(File.OpenRead(archive), CompressionMode.Decompress);
        using var reader = new TarReader(packed);
        while (missing.Count > 0 && reader.GetNextEntry() is { } entry)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // Names, not paths: nothing in the archive decides where files go.
            var name = entry.Name.Split('/')[^1];
            if (entry.DataStream is null || !missing.Remove(name))
            {
                continue;
            }

            var temporary = Path.Combine(target, $"{name}.partial");
            entry.ExtractToFile(temporary, overwrite: true);
            File.Move(temporary, Path.Combine(target, name), overwrite: true);
        }

        if (missing.Count > 0)
        {
            throw new BadInputException($"The archive of CIFAR-10 should hold {string.Join(", ", Cifar10.FileNames)}, but {archive} lacks {string.Join(", ", missing.Order(StringComparer.Ordinal))}; delete it and fetch it again.");
        }
    }
}
