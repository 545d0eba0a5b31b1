using System.Text.Json.Nodes;

namespace Brink.Cli.Tests.Attack;

[Trait("speed", "slow")]
public sealed class ResumeTests : IDisposable
{
    private const int Images = 60;

    private static readonly string[] Flags = ["attack", "--threads", "1", "--batch-size", "3", "--limit", $"{Images}", "--radius", "0.2"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_killed_and_resumed_run_writes_the_same_files_as_an_uninterrupted_one()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "the test process has the command beside it there");
        var random = new Random(1);
        for (var kills = 1; kills <= 3; kills++)
        {
            using var brink = Invocation.Start([.. Flags, "--quiet", "--resume", "--out", _folder["killed"]]);
            var enough = random.Next(kills, 3 * kills);
            await brink.WaitUntilAsync(() => Kept() >= enough);
            await brink.KillAsync();
        }

        Assert.False(File.Exists(Path.Combine(_folder["killed"], "results.json")), "The run ended before it was killed.");
        Invocation.Of([.. Flags, "--quiet", "--resume", "--out", _folder["killed"]]).AssertDone();
        Invocation.Of([.. Flags, "--quiet", "--out", _folder["whole"]]).AssertDone();
        using var killed = new ResultFiles(_folder["killed"]);
        Assert.Equal(Images, killed.Int("images"));
        foreach (var name in new[] { "adversarial.safetensors", "images.parquet" })
        {
            Assert.True(File.ReadAllBytes(Path.Combine(_folder["whole"], name)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(_folder["killed"], name))), name);
        }

        Assert.Equal(WithoutTimes(_folder["whole"]), WithoutTimes(_folder["killed"]));
    }

    [Theory]
    [InlineData]
    [InlineData("--refine", "0")]
    [InlineData("--refine", "0", "--preset", "authors", "--target", "3")]
    [InlineData("--attack", "deepfool", "--norm", "linf", "--at", "0.01,0.1", "--png")]
    public void Resuming_a_complete_run_prints_the_same_results(params string[] more)
    {
        string[] flags = ["attack", "--limit", "4", "--quiet", "--out", _folder["results"], .. more];
        var (table, json) = (Invocation.Of(flags).AssertDone().Output, File.ReadAllText(Path.Combine(_folder["results"], "results.json")));
        Assert.Equal(table, Invocation.Of([.. flags, "--resume"]).AssertDone().Output);
        Assert.Equal(json, Invocation.Of([.. flags, "--resume", "--json"]).AssertDone().Output.TrimEnd());
        Assert.Equal(json, File.ReadAllText(Path.Combine(_folder["results"], "results.json")));
    }

    [Fact]
    public void Resuming_with_other_settings_is_refused()
    {
        Invocation.Of("attack", "--limit", "4", "--quiet", "--out", _folder["results"]).AssertDone();
        Assert.Contains("(norm: stored l2, now linf)", Invocation.Of("attack", "--limit", "4", "--norm", "linf", "--resume", "--out", _folder["results"]).AssertRefused(), StringComparison.Ordinal);
    }

    [Fact]
    public void Resuming_without_a_folder_is_refused() =>
        Assert.Contains("add --out FOLDER", Invocation.Of("attack", "--limit", "4", "--resume").AssertRefused(), StringComparison.Ordinal);

    private static string WithoutTimes(string folder)
    {
        var results = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "results.json")))!.AsObject();
        Assert.True(results.Remove("seconds"));
        Assert.True(results.Remove("secondsPerImage"));
        return results.ToJsonString();
    }

    private int Kept() => Directory.Exists(Path.Combine(_folder["killed"], "ranges")) ? Directory.GetFiles(Path.Combine(_folder["killed"], "ranges"), "*.safetensors").Length : 0;
}
