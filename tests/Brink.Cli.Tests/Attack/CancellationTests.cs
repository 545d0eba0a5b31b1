namespace Brink.Cli.Tests.Attack;

[Trait("speed", "slow")]
public sealed class CancellationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Cancelled_before_the_first_range_there_are_no_files()
    {
        var run = Invocation.Of(new CancellationToken(canceled: true), "attack", "--limit", "8", "--out", _folder["results"], "--json");
        Assert.Equal(130, run.ExitCode);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder["results"]));
        Assert.Contains("The run was cancelled after 0 of 8 images", run.Output, StringComparison.Ordinal);
    }

    // Not SIGINT, which has the same handler: what a script starts in the background ignores it, and so do this process and its children then.
    [Fact]
    public async Task A_signal_to_end_keeps_the_finished_ranges()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "needs POSIX signals");
        const int batch = 4;
        string[] flags = ["attack", "--threads", "1", "--batch-size", $"{batch}"];
        using (var brink = Invocation.Start([.. flags, "--out", _folder["interrupted"]]))
        {
            // From the first file on there is something to keep.
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
