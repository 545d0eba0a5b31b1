using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;

namespace Brink.Data.Tests.Downloads;

public sealed class Cifar10DownloadTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_archive_is_unpacked_and_no_other_files_are_left()
    {
        var archive = Archive([.. Cifar10.FileNames.Select((name, number) => ($"cifar-10-batches-bin/{name}", Image((byte)number))), ("cifar-10-batches-bin/readme.html", [1])]);
        using var server = new TinyServer(archive, supportsRanges: true, archive.Length / 2);
        var folder = await FetchAsync(server, archive);
        Assert.Equal(_folder["cifar10"], folder);
        Assert.Equal(Cifar10.FileNames.Order(StringComparer.Ordinal).ToArray(), Directory.EnumerateFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal).ToArray()!);
        Assert.Equal([folder], Directory.EnumerateFileSystemEntries(_folder.Path).ToArray());
        var set = Cifar10.Read(folder);
        Assert.Equal([0L, 1, 2, 3, 4, 5], Enumerable.Range(0, set.Count).Select(set.Label));

        await FetchAsync(server, archive);
        Assert.Equal(2, server.Ranges.Count);
        AssertFoundByName();
    }

    [Fact]
    public async Task An_archive_that_lacks_a_file_is_refused_with_its_name()
    {
        var archive = Archive([.. Cifar10.FileNames.Skip(1).Select(name => (name, Image(0)))]);
        using var server = new TinyServer(archive);
        Assert.Contains("lacks data_batch_1.bin;", (await Assert.ThrowsAsync<BadInputException>(() => FetchAsync(server, archive))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Paths_in_the_archive_are_ignored()
    {
        var archive = Archive([.. Cifar10.FileNames.Select(name => ($"../../{name}", Image(0)))]);
        using var server = new TinyServer(archive);
        await FetchAsync(server, archive);
        Assert.Equal(6, Directory.EnumerateFiles(_folder["cifar10"]).Count());
    }

    private void AssertFoundByName()
    {
        // The folder of the other tests' data is determined before the variable changes.
        _ = SharedFiles.Data;
        var before = Environment.GetEnvironmentVariable(DataLocations.Variable);
        try
        {
            Environment.SetEnvironmentVariable(DataLocations.Variable, _folder.Path);
            Assert.Equal([5L], Labels(DataCatalog.Open("cifar10")));
            Assert.Equal([5L], Labels(DataCatalog.Open("cifar10:test")));
            Assert.Equal([0L, 1, 2, 3, 4], Labels(DataCatalog.Open("cifar10:train")));
            Assert.Equal([1L, 2], Labels(DataCatalog.Open("cifar10:train", skip: 1, limit: 2)));
            Environment.SetEnvironmentVariable(DataLocations.Variable, _folder["cifar10"]);
            Assert.Contains("brink data fetch cifar10", Assert.Throws<BadInputException>(() => DataCatalog.Open("cifar10:train")).Message, StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable(DataLocations.Variable, before);
        }

        static IEnumerable<long> Labels(ImageSet set) => Enumerable.Range(0, set.Count).Select(set.Label);
    }

    private Task<string> FetchAsync(TinyServer server, byte[] archive) =>
        Cifar10Download.FetchAsync(_folder.Path, server.Address, Convert.ToHexStringLower(MD5.HashData(archive)), progress: null, CancellationToken.None);

    private static byte[] Image(byte label) => [label, .. new byte[3072]];

    private static byte[] Archive(params (string Name, byte[] Content)[] files)
    {
        using var packed = new MemoryStream();
        using (var writer = new TarWriter(new GZipStream(packed, CompressionLevel.Fastest)))
        {
            foreach (var (name, content) in files)
            {
                writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
            }
        }

        return packed.ToArray();
    }
}
