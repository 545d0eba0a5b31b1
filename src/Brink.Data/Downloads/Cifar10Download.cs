using System.Formats.Tar;
using System.IO.Compression;

namespace Brink.Data;

/// <summary>Downloads the binary version of CIFAR-10 from its authors and unpacks it.</summary>
internal static class Cifar10Download
{
    // The checksum at https://www.cs.toronto.edu/~kriz/cifar.html.
    private const string Md5 = "c32a1d4ab5d03f1284b67883e8d87530";
    private const string Archive = "cifar-10-binary.tar.gz";

    /// <summary>The limits of the download. The archive has 170 MB.</summary>
    public static DownloadLimits Limits { get; } = new(MostBytes: 200_000_000);

    /// <summary>The address of the archive (170 MB) at the University of Toronto.</summary>
    public static Uri Source { get; } = new($"https://www.cs.toronto.edu/~kriz/{Archive}");

    /// <summary>Downloads and unpacks the archive, unless all files exist already.</summary>
    /// <param name="folder">The folder in which the folder <c>cifar10</c> is created, such as <see cref="DataLocations.UserFolder"/>.</param>
    /// <param name="source">The address of the archive; null for <see cref="Source"/>.</param>
    /// <param name="progress">The receiver of progress reports; null for none.</param>
    /// <param name="cancellationToken">A token that cancels the download; received bytes are kept for the next attempt.</param>
    /// <returns>The folder with the images (184 MB).</returns>
    /// <exception cref="BadInputException">Thrown when the archive cannot be downloaded or written, or its checksum or content is wrong.</exception>
    public static Task<string> FetchAsync(string folder, Uri? source = null, IProgress<DownloadProgress>? progress = null, CancellationToken cancellationToken = default) =>
        FetchAsync(folder, source ?? Source, Md5, progress, cancellationToken);

    /// <summary>Downloads and unpacks an archive with a given MD5.</summary>
    internal static async Task<string> FetchAsync(string folder, Uri source, string md5, IProgress<DownloadProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var target = Path.Combine(folder, Cifar10.Folder);
        if (Cifar10.FileNames.All(name => File.Exists(Path.Combine(target, name))))
        {
            return target;
        }

        var archive = Path.Combine(folder, Archive);
        await Download.FetchAsync(source, archive, md5, Limits, progress, cancellationToken);
        try
        {
            Unpack(archive, target, cancellationToken);
            File.Delete(archive);
            return target;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"CIFAR-10 could not be unpacked to {target} ({Excerpt.Reason(exception)}); free space or choose another folder.", exception);
        }
    }

    /// <summary>Unpacks the files; each gets its final name only when it is complete.</summary>
    private static void Unpack(string archive, string target, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(target);
        var missing = Cifar10.FileNames.ToHashSet(StringComparer.Ordinal);
        using var packed = new GZipStream(File.OpenRead(archive), CompressionMode.Decompress);
        using var reader = new TarReader(packed);
        while (missing.Count > 0 && reader.GetNextEntry() is { } entry)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // Only the name is used, because a path in an archive could point outside the target folder.
            var name = entry.Name.Split('/')[^1];
            if (entry.DataStream is null || !missing.Remove(name))
            {
                continue;
            }

            var temporary = RegularFile.Output(Path.Combine(target, $"{name}.partial"));
            entry.ExtractToFile(temporary, overwrite: true);
            File.Move(temporary, RegularFile.Output(Path.Combine(target, name)), overwrite: true);
        }

        if (missing.Count > 0)
        {
            throw new BadInputException($"The archive of CIFAR-10 should contain {string.Join(", ", Cifar10.FileNames)}, but {archive} lacks {string.Join(", ", missing.Order(StringComparer.Ordinal))}; delete it and download it again.");
        }
    }
}
