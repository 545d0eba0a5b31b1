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
    [InlineData("endless interim responses", "should answer within 1 seconds")]
    [InlineData("drip", "at least 1000 bytes a second")]
    [InlineData("just too slow", "at least 1000 bytes a second")]
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

    /// <summary>Servers that break the protocol or serve something else: one sentence each, a bounded number of requests, and no file of the final name.</summary>
    [Theory]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: file:///etc/hostname\r\nContent-Length: 0", "could not be downloaded")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: ftp://127.0.0.1/file\r\nContent-Length: 0", "could not be downloaded")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0", "returned 302")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0", "returned 302")]
    [InlineData("HTTP/1.1 302 Found\r\nContent-Length: 0", "returned 302")]
    [InlineData("HTTP/1.1 304 Not Modified\r\nContent-Length: 0", "returned 304")]
    [InlineData("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0", "returned 401")]
    [InlineData("HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0", "returned 416")]
    [InlineData("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3600\r\nContent-Length: 0", "returned 429")]
    [InlineData("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 3600\r\nContent-Length: 0", "returned 503")]
    [InlineData("HTTP/1.1 204 No Content", "MD5")]
    [InlineData("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 7-9/10\r\nContent-Length: 3\r\n\r\nabc", "MD5")]
    [InlineData("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 9-7/-1\r\nContent-Length: 3\r\n\r\nabc", "MD5")]
    [InlineData("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-9/9000000000000000000\r\nContent-Length: 3\r\n\r\nabc", "at most 300000 bytes")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>Sign in</html>", "MD5")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -5", "MD5")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "MD5")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc", "interrupted")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef", "interrupted")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\nabc", "interrupted")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "interrupted")]
    [InlineData("HTTP/9.9 200", "could not be downloaded")]
    [InlineData("SSH-2.0-OpenSSH_9.2", "could not be downloaded")]
    [InlineData("", "could not be downloaded")]
    public async Task A_response_that_is_not_the_file_is_refused(string response, string reason)
    {
        // Headers end with an empty line.
        using var server = TinyServer.Answering(System.Text.Encoding.ASCII.GetBytes(response.Length > 0 && !response.Contains("\r\n\r\n", StringComparison.Ordinal) ? $"{response}\r\n\r\n" : response));
        await AssertRefusedAsync(server, reason);
    }

    [Fact]
    public async Task The_text_of_a_status_is_cut()
    {
        using var server = TinyServer.Answering(System.Text.Encoding.ASCII.GetBytes($"HTTP/1.1 500 {new string('x', 2000)}\r\nContent-Length: 0\r\n\r\n"));
        await AssertRefusedAsync(server, $"{new string('x', 80)}…;");
    }

    [Fact]
    public async Task A_pipe_in_the_place_of_the_file_is_refused()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there are no pipes in folders");
        Directory.CreateDirectory(Path.GetDirectoryName(Target)!);
        using var server = new TinyServer(Content);
        foreach (var path in new[] { Partial, Target })
        {
            System.Diagnostics.Process.Start("mkfifo", [path]).WaitForExit();
            Assert.Contains("is a pipe", (await Assert.ThrowsAsync<BadInputException>(() => Download.FetchAsync(server.Address, Target, Md5(Content), Limits))).Message, StringComparison.Ordinal);
        }

        Assert.Empty(server.Ranges);
    }

    [Fact]
    public async Task Headers_beyond_all_measure_are_refused()
    {
        using var server = TinyServer.Answering(System.Text.Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nX-Long: {new string('x', 10_000_000)}\r\n\r\n"));
        await AssertRefusedAsync(server, "could not be downloaded");
    }

    [Fact]
    public async Task A_compressed_body_is_not_expanded()
    {
        using var packed = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionLevel.Fastest))
        {
            gzip.Write(new byte[10_000_000]);
        }

        using var server = TinyServer.Answering([.. "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"u8, .. packed.ToArray()]);
        await AssertRefusedAsync(server, Md5(packed.ToArray()));
    }

    [Fact]
    public async Task A_file_that_changes_between_attempts_is_refused()
    {
        byte[] first = [.. System.Text.Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {Content.Length}\r\n\r\n"), .. Content[..1000]];
        byte[] second = [.. System.Text.Encoding.ASCII.GetBytes($"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 1000-{Content.Length - 1}/{Content.Length}\r\n\r\n"), .. new byte[Content.Length - 1000]];
        using var server = TinyServer.Answering(first, second);
        await AssertRefusedAsync(server, "MD5");
        Assert.Equal([null, "bytes=1000-"], server.Ranges);
    }

    [Fact]
    public async Task A_server_that_answers_each_range_with_another_is_asked_once_more_from_the_start()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Partial)!);
        await File.WriteAllBytesAsync(Partial, Content[..1000]);
        using var server = TinyServer.Answering("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 7-9/10\r\nContent-Length: 3\r\n\r\nabc"u8.ToArray());
        await AssertRefusedAsync(server, "MD5");
        Assert.Equal(["bytes=1000-", null], server.Ranges);
    }

    [Fact]
    public async Task A_server_without_encryption_is_refused_where_it_is_needed()
    {
        using var server = new EndlessServer("endless body");
        var exception = await Assert.ThrowsAsync<BadInputException>(() => Download.FetchAsync(new($"https://127.0.0.1:{server.Address.Port}/file"), Target, Md5(Content), Limits));
        Assert.Contains("check the connection", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("inner exception", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_slow_transfer_above_the_smallest_rate_ends_well()
    {
        using var server = new EndlessServer("slow");
        await Download.FetchAsync(server.Address, Target, Md5(new byte[3000]), new DownloadLimits(3000) { LeastBytesPerSecond = 1, Window = TimeSpan.FromSeconds(2) });
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

    private async Task AssertRefusedAsync(TinyServer server, string reason)
    {
        var exception = await Assert.ThrowsAsync<BadInputException>(() => Download.FetchAsync(server.Address, Target, Md5(Content), Limits));
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("inner exception", exception.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", exception.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Target));
        Assert.InRange(server.Ranges.Count, 1, 60);
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
                    "silent" or "endless interim responses" => "",
                    "slow headers" => "HTTP/1.1 200 OK\r\n",
                    "slow" => "HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n",
                    "huge length" => "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000\r\n\r\n",
                    _ => "HTTP/1.1 200 OK\r\n\r\n",
                };
                await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(head));
                var (pause, block) = _behaviour switch
                {
                    "slow headers" => (100, "X-Slow: 1\r\n"u8.ToArray()),
                    "endless interim responses" => (10, "HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray()),
                    "drip" => (100, [1]),
                    "just too slow" => (100, new byte[98]),
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
