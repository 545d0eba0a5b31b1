namespace Brink.Cli.Tests.Attack;

[Trait("speed", "slow")]
public sealed class CancellationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_run_cancelled_before_the_first_range_writes_no_files()
    {
        var run = Invocation.Of(new CancellationToken(canceled: true), "attack", "--limit", "8", "--out", _folder["results"], "--json");
        Assert.Equal(130, run.ExitCode);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder["results"]));
        Assert.Contains("The run was cancelled after 0 of 8 images", run.Output, StringComparison.Ordinal);
    }

    // SIGTERM rather than SIGINT, which has the same handler: processes that a script starts in the background ignore SIGINT, and so do their children.
    [Fact]
    public async Task SIGTERM_keeps_the_finished_ranges()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "needs POSIX signals");
        const int batch = 4;
        string[] flags = ["attack", "--threads", "1", "--batch-size", $"{batch}"];
        using (var brink = Invocation.Start([.. flags, "--out", _folder["interrupted"]]))
        {
            // The first range is finished as soon as its file exists.
            await brink.WaitUntilAsync(() => File.Exists(Path.Combine(_folder["interrupted"], "ranges", "000000.safetensors")));
            await brink.SignalAsync("TERM");
            Assert.Equal(130, await brink.ExitCodeAsync());
            Assert.Contains("The run was cancelled after", brink.Output, StringComparison.Ordinal);
        }

        using var interrupted = new ResultFiles(_folder["interrupted"], complete: false);
        var finished = interrupted.Int("images");
        Assert.InRange(finished, batch, 999);
        Assert.Equal(0, finished % batch);

        Invocation.Of([.. flags, "--limit", $"{finished}", "--quiet", "--out", _folder["whole"]]).AssertDone();
        using var whole = new ResultFiles(_folder["whole"]);
        Assert.Equal(whole.Tensors.Count, interrupted.Tensors.Count);
        Assert.All(whole.Tensors, named => Assert.True(named.Value.Equals(interrupted.Tensors[named.Key]), named.Key));
    }
}
