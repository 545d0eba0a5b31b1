using System.Diagnostics;

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

    [Fact]
    public async Task SIGTERM_while_a_network_does_not_return_ends_the_process_and_keeps_the_finished_ranges()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "needs POSIX signals");
        // The network loops after more passes than the trial and the checks make.
        const string loop = "self.kept = torch.cat([self.kept, torch.ones([1])])\nn = 1\nif len(self.kept) > 400:\n  while bool(n > 0):\n    n = 1 if n > 100 else n + 1\nreturn z";
        var model = TorchScriptFile.Write(_folder["loop.pt"], 3 * 32 * 32, "Tensor", loop);
        string[] flags = ["attack", "--model", model, "--data", "signs", "--limit", "200", "--labels", "predicted", "--threads", "1", "--batch-size", "2", "--quiet", "--out", _folder["results"]];
        var ranges = Path.Combine(_folder["results"], "ranges");
        DateTime[] written;
        using (var brink = Invocation.Start(flags))
        {
            await brink.WaitUntilAsync(() => Directory.Exists(ranges) && Written().Length > 0 && DateTime.UtcNow - Written().Max() > TimeSpan.FromSeconds(3));
            written = Written();
            var start = Stopwatch.GetTimestamp();
            await brink.SignalAsync("TERM");
            Assert.Equal(128 + 15, await brink.ExitCodeAsync());
            Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromMinutes(1));
            Assert.Equal(written, Written());
        }

        using var resumed = Invocation.Start([.. flags, "--resume"]);
        await resumed.WaitUntilAsync(() => Written().Length > written.Length);
        Assert.Equal(written, Written()[..written.Length]);

        DateTime[] Written() => [.. Directory.GetFiles(ranges, "*.safetensors").Order(StringComparer.Ordinal).Select(File.GetLastWriteTimeUtc)];
    }
}
