using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Brink.Data.Tests.Downloads;

public sealed class DownloadTests : IDisposable
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 300_000).Select(index => (byte)(index * 7 / 3))];

    private static readonly DownloadLimits Limits = new(Content.Length);

    private readonly TemporaryFolder _folder = new();

    private string Target => Path.Combine(_folder.Path, "new", "file");

    private string Partial => $"{Target}.partial";

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_file_is_downloaded_and_progress_is_reported()
    {
        using var server = new TinyServer(Content);
        var progress = new Heard();
        await Download.FetchAsync(server.Address, Target, Md5(Content), Limits, progress);
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
        await Download.FetchAsync(server.Address, Target, Md5(Content), Limits);
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
        await Download.FetchAsync(server.Address, Target, Md5(Content), Limits, progress);
        Assert.Equal(Content, await File.ReadAllBytesAsync(Target));
        Assert.Equal(["bytes=1234-"], server.Ranges);
        Assert.Equal(new DownloadProgress(1234, Content.Length), progress.Reports[0]);
    }

    [Fact]
    public async Task A_server_without_ranges_sends_the_whole_file_again()
    {
        using var server = new TinyServer(Content, supportsRanges: false, 70_000);
        await Download.FetchAsync(server.Address, Target, Md5(Content), Limits);
        Assert.Equal(Content, await File.ReadAllBytesAsync(Target));
        Assert.Equal([null, "bytes=70000-"], server.Ranges);
    }

    [Fact]
    public async Task A_partial_file_that_is_longer_than_the_file_is_discarded()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Partial)!);
        await File.WriteAllBytesAsync(Partial, new byte[Content.Length + 1]);
        using var server = new TinyServer(Content);
        await Download.FetchAsync(server.Address, Target, Md5(Content), Limits);
        Assert.Equal(Content, await File.ReadAllBytesAsync(Target));
    }

    [Fact]
    public async Task An_existing_file_is_not_downloaded()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Target)!);
        await File.WriteAllBytesAsync(Target, Content);
        using var server = new TinyServer(Content);
        await Download.FetchAsync(server.Address, Target, Md5(Content), Limits);
        File.Move(Target, Partial);
        await Download.FetchAsync(server.Address, Target, Md5(Content), Limits);
        Assert.True(File.Exists(Target));
        Assert.Empty(server.Ranges);
    }

    [Fact]
    public async Task A_wrong_checksum_is_refused_and_the_file_is_deleted()
    {
        using var server = new TinyServer([1, 2, 3]);
        var exception = await Assert.ThrowsAsync<BadInputException>(() => Download.FetchAsync(server.Address, Target, Md5(Content), Limits));
        Assert.Contains(Md5(Content), exception.Message, StringComparison.Ordinal);
        Assert.Contains(Md5([1, 2, 3]), exception.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(Path.GetDirectoryName(Target)!));
    }

    [Fact]
    public async Task An_attempt_without_new_bytes_ends_the_download_and_keeps_the_received_ones()
    {
        using var server = new TinyServer(Content, supportsRanges: true, 5000, 0, 0);
        var exception = await Assert.ThrowsAsync<BadInputException>(() => Download.FetchAsync(server.Address, Target, Md5(Content), Limits));
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
        var exception = await Assert.ThrowsAsync<BadInputException>(() => Download.FetchAsync(address, Target, Md5(Content), Limits));
        Assert.Contains("check the connection", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_download_keeps_the_received_bytes()
    {
        using var server = new TinyServer(Content);
        using var cancelling = new CancellationTokenSource();
        var progress = new Heard { Then = report => { if (report.Received > 0) { cancelling.Cancel(); } } };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Download.FetchAsync(server.Address, Target, Md5(Content), Limits, progress, cancelling.Token));
        Assert.False(File.Exists(Target));
        Assert.InRange(new FileInfo(Partial).Length, 1, Content.Length);
    }

    /// <summary>Servers that never end: each download is given up within its limits, with one sentence, and not as a cancellation by the user.</summary>
    [Theory]
    [InlineData("silent", "should answer within 1 seconds")]
    [InlineData("slow headers", "should answer within 1 seconds")]
    [InlineData("drip", "at least 1000 bytes a second")]
    [InlineData("silent body", "at least 1000 bytes a second")]
    [InlineData("endless body", "at most 300000 bytes")]
    [InlineData("huge length", "at most 300000 bytes")]
    public async Task A_server_that_never_ends_is_given_up(string behaviour, string reason)
    {
        var limits = Limits with { Window = TimeSpan.FromSeconds(1) };
        using var server = new EndlessServer(behaviour);
        var exception = await Assert.ThrowsAsync<BadInputException>(() => Download.FetchAsync(server.Address, Target, Md5(Content), limits));
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Target));
        Assert.True(!File.Exists(Partial) || new FileInfo(Partial).Length <= Content.Length);
    }

    [Fact]
    public async Task A_slow_transfer_above_the_smallest_rate_ends_well()
    {
        using var server = new EndlessServer("slow");
        await Download.FetchAsync(server.Address, Target, Md5(new byte[3000]), new DownloadLimits(3000) { Window = TimeSpan.FromSeconds(0.5) });
        Assert.Equal(3000, new FileInfo(Target).Length);
    }

    [Fact]
    public async Task Attempts_that_bring_one_byte_each_are_limited()
    {
        using var server = new TinyServer(Content, supportsRanges: true, [.. Enumerable.Repeat(1, 100)]);
        var exception = await Assert.ThrowsAsync<BadInputException>(() => Download.FetchAsync(server.Address, Target, Md5(Content), Limits));
        Assert.Contains("attempt 10", exception.Message, StringComparison.Ordinal);
        Assert.Equal(10, server.Ranges.Count);
        Assert.Equal(Content[..10], await File.ReadAllBytesAsync(Partial));
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

    /// <summary>A server whose response begins and does not end, or ends slowly.</summary>
    private sealed class EndlessServer : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly string _behaviour;

        public EndlessServer(string behaviour)
        {
            _behaviour = behaviour;
            _listener.Start();
            _ = Task.Run(ServeAsync);
        }

        public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/file");

        public void Dispose() => _listener.Dispose();

        private async Task ServeAsync()
        {
            try
            {
                using var client = await _listener.AcceptTcpClientAsync();
                var stream = client.GetStream();
                var head = _behaviour switch
                {
                    "silent" => "",
                    "slow headers" => "HTTP/1.1 200 OK\r\n",
                    "slow" => "HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n",
                    "huge length" => "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000\r\n\r\n",
                    _ => "HTTP/1.1 200 OK\r\n\r\n",
                };
                await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(head));
                var (pause, block) = _behaviour switch
                {
                    "slow headers" => (100, "X-Slow: 1\r\n"u8.ToArray()),
                    "drip" => (100, [1]),
                    "slow" => (100, new byte[300]),
                    "endless body" => (0, new byte[100_000]),
                    // Not without end: nothing would refer to this task, and the garbage collector would close the connection.
                    _ => (60_000, []),
                };
                for (var sent = 0; _behaviour != "slow" || sent < 3000; sent += block.Length)
                {
                    await Task.Delay(pause);
                    await stream.WriteAsync(block);
                }
            }
            catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException)
            {
                // The client disconnected, or the test has ended.
            }
        }
    }
}
