using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Brink.Data.Tests.Downloads;

public sealed class DownloadTests : IDisposable
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 300_000).Select(index => (byte)(index * 7 / 3))];

    private readonly TemporaryFolder _folder = new();

    private string Target => Path.Combine(_folder.Path, "new", "file");

    private string Partial => $"{Target}.partial";

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_file_is_downloaded_and_progress_is_reported()
    {
        using var server = new TinyServer(Content);
        var progress = new Heard();
        await Download.FetchAsync(server.Address, Target, Md5(Content), progress);
        Assert.Equal(Content, await File.ReadAllBytesAsync(Target));
        Assert.Equal(new DownloadProgress(0, Content.Length), progress.Reports[0]);
        Assert.Equal(new DownloadProgress(Content.Length, Content.Length), progress.Reports[^1]);
        Assert.Equal(progress.Reports.OrderBy(report => report.Received).ToArray(), progress.Reports);
        Assert.False(File.Exists(Partial));
    }

    [Fact]
    public async Task An_interrupted_download_continues_after_the_received_bytes()
    {
        using var server = new TinyServer(Content, supportsRanges: true, 1000, 50_000);
        await Download.FetchAsync(server.Address, Target, Md5(Content));
        Assert.Equal(Content, await File.ReadAllBytesAsync(Target));
        Assert.Equal([null, "bytes=1000-", "bytes=51000-"], server.Ranges);
    }

    [Fact]
    public async Task Another_run_continues_after_the_received_bytes()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Partial)!);
        await File.WriteAllBytesAsync(Partial, Content[..1234]);
        using var server = new TinyServer(Content);
        var progress = new Heard();
        await Download.FetchAsync(server.Address, Target, Md5(Content), progress);
        Assert.Equal(Content, await File.ReadAllBytesAsync(Target));
        Assert.Equal(["bytes=1234-"], server.Ranges);
        Assert.Equal(new DownloadProgress(1234, Content.Length), progress.Reports[0]);
    }

    [Fact]
    public async Task A_server_without_ranges_sends_the_whole_file_again()
    {
        using var server = new TinyServer(Content, supportsRanges: false, 70_000);
        await Download.FetchAsync(server.Address, Target, Md5(Content));
        Assert.Equal(Content, await File.ReadAllBytesAsync(Target));
        Assert.Equal([null, "bytes=70000-"], server.Ranges);
    }

    [Fact]
    public async Task A_partial_file_that_is_longer_than_the_file_is_discarded()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Partial)!);
        await File.WriteAllBytesAsync(Partial, new byte[Content.Length + 1]);
        using var server = new TinyServer(Content);
        await Download.FetchAsync(server.Address, Target, Md5(Content));
        Assert.Equal(Content, await File.ReadAllBytesAsync(Target));
    }

    [Fact]
    public async Task An_existing_file_is_not_downloaded()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Target)!);
        await File.WriteAllBytesAsync(Target, Content);
        using var server = new TinyServer(Content);
        await Download.FetchAsync(server.Address, Target, Md5(Content));
        File.Move(Target, Partial);
        await Download.FetchAsync(server.Address, Target, Md5(Content));
        Assert.True(File.Exists(Target));
        Assert.Empty(server.Ranges);
    }

    [Fact]
    public async Task A_wrong_checksum_is_refused_and_the_file_is_deleted()
    {
        using var server = new TinyServer([1, 2, 3]);
        var exception = await Assert.ThrowsAsync<BadInputException>(() => Download.FetchAsync(server.Address, Target, Md5(Content)));
        Assert.Contains(Md5(Content), exception.Message, StringComparison.Ordinal);
        Assert.Contains(Md5([1, 2, 3]), exception.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(Path.GetDirectoryName(Target)!));
    }

    [Fact]
    public async Task An_attempt_without_new_bytes_ends_the_download_and_keeps_the_received_ones()
    {
        using var server = new TinyServer(Content, supportsRanges: true, 5000, 0, 0);
        var exception = await Assert.ThrowsAsync<BadInputException>(() => Download.FetchAsync(server.Address, Target, Md5(Content)));
        Assert.Contains("5000 bytes", exception.Message, StringComparison.Ordinal);
        Assert.Equal(Content[..5000], await File.ReadAllBytesAsync(Partial));
    }

    [Fact]
    public async Task Without_a_connection_the_message_advises_to_check_it()
    {
        // A port that was just released, so that nothing listens on it.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var address = new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/");
        listener.Stop();
        var exception = await Assert.ThrowsAsync<BadInputException>(() => Download.FetchAsync(address, Target, Md5(Content)));
        Assert.Contains("check the connection", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_download_keeps_the_received_bytes()
    {
        using var server = new TinyServer(Content);
        using var cancelling = new CancellationTokenSource();
        var progress = new Heard { Then = report => { if (report.Received > 0) { cancelling.Cancel(); } } };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Download.FetchAsync(server.Address, Target, Md5(Content), progress, cancelling.Token));
        Assert.False(File.Exists(Target));
        Assert.InRange(new FileInfo(Partial).Length, 1, Content.Length);
    }

    private static string Md5(byte[] bytes) => Convert.ToHexStringLower(MD5.HashData(bytes));

    private sealed class Heard : IProgress<DownloadProgress>
    {
        public List<DownloadProgress> Reports { get; } = [];

        public Action<DownloadProgress>? Then { get; init; }

        public void Report(DownloadProgress value)
        {
            Reports.Add(value);
            Then?.Invoke(value);
        }
    }
}
