using System.Text.Json;
using System.Text.Json.Nodes;

namespace Brink.Cli.Tests.Attack;

/// <summary>Tests of <c>--max-passes</c>.</summary>
[Trait("speed", "slow")]
public sealed class PassLimitTests : IDisposable
{
    private const int Images = 8;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(12)]
    public void No_image_takes_more_passes_and_the_limit_is_stored(int limit)
    {
        var results = Path.Combine(_folder["comparison"]);
        Invocation.Of("compare", "--attacks", "tr,deepfool,tr[max-passes=4]", "--limit", $"{Images}", "--max-passes", $"{limit}", "--quiet", "--out", results).AssertDone();
        foreach (var (name, most) in new[] { ("tr", limit), ("deepfool", limit), ("tr-2", 4) })
        {
            using var files = new ResultFiles(Path.Combine(results, name));
            Assert.Equal(most, files["options"].GetProperty("max-passes").GetInt32());
            var (forwards, backwards, exits) = (files.Column<long>("forwards"), files.Column<long>("backwards"), files.Column<string>("exit"));
            Assert.All(forwards.Zip(backwards, (forward, backward) => forward + backward), passes => Assert.InRange(passes, 1, most));
            Assert.Equal(exits.Count(exit => exit == "pass-limit"), files["unattacked"].GetProperty("passLimit").GetInt32());
            Assert.All(exits, exit => Assert.True(exit is "pass-limit" or "misclassified" || (most > 1 && exit == "fooled"), exit));
        }
    }

    [Fact]
    public void A_limited_run_is_continued_with_the_same_limit_only()
    {
        string[] flags = ["attack", "--limit", $"{Images}", "--quiet", "--out", _folder["run"], "--resume"];
        Invocation.Of([.. flags, "--max-passes", "12"]).AssertDone();
        Assert.Contains("(max-passes: stored 12, now 13)", Invocation.Of([.. flags, "--max-passes", "13"]).AssertRefused(), StringComparison.Ordinal);
        Assert.Contains("(max-passes: stored 12, now none)", Invocation.Of(flags).AssertRefused(), StringComparison.Ordinal);
        Invocation.Of([.. flags, "--max-passes", "12"]).AssertDone();
    }

    /// <summary>The summaries of earlier versions do not count images at the limit of passes.</summary>
    [Fact]
    public void A_run_without_the_count_of_limited_images_is_read()
    {
        string[] flags = ["attack", "--limit", $"{Images}", "--quiet", "--out", _folder["run"]];
        Invocation.Of(flags).AssertDone();
        var path = Path.Combine(_folder["run"], "results.json");
        var results = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        Assert.True(results["unattacked"]!.AsObject().Remove("passLimit"));
        Assert.False(results["options"]!.AsObject().ContainsKey("max-passes"));
        File.WriteAllText(path, results.ToJsonString());
        using var resumed = JsonDocument.Parse(Invocation.Of([.. flags, "--resume", "--json"]).AssertDone().Output);
        Assert.Equal(0, resumed.RootElement.GetProperty("unattacked").GetProperty("passLimit").GetInt32());
        Invocation.Of("report", _folder["run"]).AssertDone();
    }
}
