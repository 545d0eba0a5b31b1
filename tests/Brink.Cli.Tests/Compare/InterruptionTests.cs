using System.Text.Json.Nodes;

namespace Brink.Cli.Tests.Compare;

[Trait("speed", "slow")]
public sealed class InterruptionTests : IDisposable
{
    private static readonly string[] Flags = ["compare", "--attacks", "deepfool[candidates=2],tr[radius=0.5],tr[radius=0.7]", "--limit", "4", "--batch-size", "2", "--threads", "1", "--json"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_cancelled_comparison_reports_the_finished_attacks_and_can_be_resumed()
    {
        var (exitCode, output) = Run("part", "tr[radius=0.5]", cancellation => cancellation.Cancel());
        Assert.Equal(130, exitCode);
        var part = JsonNode.Parse(output)!;
        Assert.Equal(["deepfool[candidates=2]"], Attacks(part), StringComparer.Ordinal);
        Assert.Contains("Only 1 of 3 attacks were finished", (string)part["warnings"]![0]!, StringComparison.Ordinal);

        var resumed = JsonNode.Parse(Invocation.Of([.. Flags, "--quiet", "--resume", "--out", _folder["part"]]).AssertDone().Output)!;
        Assert.Equal(["deepfool[candidates=2]", "tr[radius=0.5]", "tr[radius=0.7]"], Attacks(resumed), StringComparer.Ordinal);
        // The first attack is not run again: its time is unchanged.
        Assert.Equal((double)part["attacks"]![0]!["seconds"]!, (double)resumed["attacks"]![0]!["seconds"]!);
        // The local optimality is relative to all attacks.
        Assert.All([part, resumed], comparison => Assert.True(comparison["attacks"]![0]!.AsObject().Remove("localOptimality")));
        Assert.True(JsonNode.DeepEquals(part["attacks"]![0], resumed["attacks"]![0]));

        var whole = JsonNode.Parse(Invocation.Of([.. Flags, "--quiet", "--out", _folder["whole"]]).AssertDone().Output)!;
        Assert.True(whole["attacks"]![0]!.AsObject().Remove("localOptimality"));
        Assert.Equal(WithoutTimes(whole), WithoutTimes(resumed));
    }

    [Fact]
    public void Resuming_a_complete_comparison_prints_the_same_results()
    {
        var first = Invocation.Of([.. Flags, "--quiet", "--out", _folder["results"]]).AssertDone().Output;
        var figure = File.ReadAllText(Path.Combine(_folder["results"], "comparison.svg"));
        Assert.Equal(first, Invocation.Of([.. Flags, "--quiet", "--resume", "--out", _folder["results"]]).AssertDone().Output);
        Assert.Equal(figure, File.ReadAllText(Path.Combine(_folder["results"], "comparison.svg")));
    }

    [Fact]
    public void An_attack_can_be_added_to_a_complete_comparison()
    {
        var first = JsonNode.Parse(Invocation.Of([.. Flags, "--quiet", "--out", _folder["results"]]).AssertDone().Output)!;
        string[] longer = [.. Flags, "--quiet", "--resume", "--out", _folder["results"]];
        longer[2] += ",tr[radius=1]";
        var joined = JsonNode.Parse(Invocation.Of(longer).AssertDone().Output)!;
        Assert.Equal(4, joined["attacks"]!.AsArray().Count);
        Assert.Equal((double)first["attacks"]![1]!["seconds"]!, (double)joined["attacks"]![1]!["seconds"]!);
    }

    [Fact]
    public void A_comparison_cancelled_before_the_first_attack_is_finished_writes_no_results()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        var run = Invocation.Of(cancelled.Token, [.. Flags, "--quiet", "--out", _folder["results"]]);
        Assert.Equal((130, ""), (run.ExitCode, run.Output));
        Assert.False(File.Exists(Path.Combine(_folder["results"], "comparison.json")));
    }

    [Fact]
    public void If_the_second_attack_loses_its_folder_the_results_of_the_first_are_printed()
    {
        var (exitCode, output) = Run("results", "tr[radius=0.5]", _ =>
        {
            Directory.Delete(Path.Combine(_folder["results"], "tr"), recursive: true);
            File.WriteAllText(Path.Combine(_folder["results"], "tr"), "");
        });
        Assert.Equal(2, exitCode);
        Assert.Equal(["deepfool[candidates=2]"], Attacks(JsonNode.Parse(output)!), StringComparer.Ordinal);
        Assert.True(File.Exists(Path.Combine(_folder["results"], "comparison.json")));
    }

    /// <summary>Runs a comparison, and an action at the first progress line of an attack.</summary>
    private (int ExitCode, string Output) Run(string folder, string attack, Action<CancellationTokenSource> act)
    {
        using var cancellation = new CancellationTokenSource();
        using var output = new StringWriter();
        using var error = new Watcher($"{attack}:", () => act(cancellation));
        return (CommandLine.Run([.. Flags, "--out", _folder[folder]], output, error, cancellation.Token), output.ToString());
    }

    private static IEnumerable<string> Attacks(JsonNode comparison) => comparison["attacks"]!.AsArray().Select(attack => (string)attack!["attack"]!);

    private static string WithoutTimes(JsonNode comparison)
    {
        foreach (var attack in comparison["attacks"]!.AsArray())
        {
            Assert.True(attack!.AsObject().Remove("seconds"));
            Assert.True(attack.AsObject().Remove("secondsPerImage"));
        }

        return comparison.ToJsonString();
    }

    private sealed class Watcher(string word, Action act) : StringWriter
    {
        private Action? _act = act;

        public override void WriteLine(string? value)
        {
            if (value?.StartsWith(word, StringComparison.Ordinal) == true)
            {
                _act?.Invoke();
                _act = null;
            }
        }
    }
}
