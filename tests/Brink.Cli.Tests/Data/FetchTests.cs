namespace Brink.Cli.Tests.Data;

public sealed class FetchTests
{
    [Fact]
    public void A_file_with_a_wrong_checksum_is_refused()
    {
        using var folder = new TemporaryFolder();
        using var server = new TinyServer([1, 2, 3]);
        var error = Invocation.Of("data", "fetch", "cifar10", "--to", folder["data"], "--from", $"{server.Address}", "--quiet").AssertRefused();
        Assert.Contains("c32a1d4ab5d03f1284b67883e8d87530", error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(folder["data"]));
    }

    [Fact]
    public void Progress_is_printed_as_lines_on_the_error_stream()
    {
        using var folder = new TemporaryFolder();
        using var server = new TinyServer(new byte[1_500_000]);
        var fetched = Invocation.Of("data", "fetch", "cifar10", "--to", folder["data"], "--from", $"{server.Address}");
        Assert.Equal(2, fetched.ExitCode);
        Assert.Empty(fetched.Output);
        Assert.StartsWith("0.0 of 1.5 MB", fetched.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_complete_data_set_is_not_downloaded_again()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(Path.Combine(folder["data"], "cifar10"));
        string[] names = ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"];
        Array.ForEach(names, name => File.WriteAllBytes(Path.Combine(folder["data"], "cifar10", name), new byte[3073]));
        var output = Invocation.Of("data", "fetch", "cifar10", "--to", folder["data"], "--from", "http://127.0.0.1:1/").AssertDone().Output;
        Assert.Contains("--data cifar10:train", output, StringComparison.Ordinal);
        Assert.Contains("BRINK_DATA", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: file:///etc/hostname\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000\r\n\r\nabc")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("")]
    public void A_server_that_sends_something_else_is_refused(string response)
    {
        using var folder = new TemporaryFolder();
        using var server = TinyServer.Answering(System.Text.Encoding.ASCII.GetBytes(response));
        Assert.Contains($"{server.Address}", Invocation.Of("data", "fetch", "cifar10", "--to", folder["data"], "--from", $"{server.Address}", "--quiet").AssertRefused(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_download_that_the_user_cancels_ends_with_130()
    {
        using var folder = new TemporaryFolder();
        using var server = new TinyServer([1, 2, 3]);
        var cancelled = Invocation.Of(new CancellationToken(canceled: true), "data", "fetch", "cifar10", "--to", folder["data"], "--from", $"{server.Address}", "--quiet");
        Assert.Equal((130, "", ""), (cancelled.ExitCode, cancelled.Output, cancelled.Error));
    }

    [Theory]
    [InlineData("choose cifar10", "mnist")]
    [InlineData("--from takes an address", "cifar10", "--from", "somewhere")]
    [InlineData("--from takes an address", "cifar10", "--from", "")]
    [InlineData("--from takes an address", "cifar10", "--from", "http://")]
    [InlineData("--from takes an address", "cifar10", "--from", "http://127.0.0.1:99999/")]
    [InlineData("--from takes an address", "cifar10", "--from", "ftp://127.0.0.1/file")]
    [InlineData("--from takes an address", "cifar10", "--from", "file:///etc/hostname")]
    [InlineData("--from takes an address", "cifar10", "--from", "//127.0.0.1/file")]
    [InlineData("an empty name was given", "cifar10", "--to", "")]
    public void Invalid_arguments_are_refused(string part, params string[] arguments) =>
        Assert.Contains(part, Invocation.Of(["data", "fetch", .. arguments]).AssertRefused(), StringComparison.Ordinal);
}
