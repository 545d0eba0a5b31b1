using System.Text.Json;

namespace Brink.Cli.Tests.Attack;

[Trait("speed", "slow")]
public sealed class ThresholdTests : IDisposable
{
    private static readonly string[] Flags = ["attack", "--limit", "20", "--quiet", "--refine", "0"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Robust_accuracy_decreases_with_the_length_from_accuracy_before_to_accuracy_after()
    {
        using var results = Json(Invocation.Of([.. Flags, "--json", "--at", "50,0.1,0,3/10,0.1"]).AssertDone().Output);
        var curve = results.RootElement.GetProperty("robustAccuracy").EnumerateArray().Select(entry => (Epsilon: entry.GetProperty("epsilon").GetDouble(), Accuracy: entry.GetProperty("accuracy").GetDouble())).ToArray();
        Assert.Equal([0, 0.1, 0.3, 50], curve.Select(entry => entry.Epsilon));
        Assert.Equal(curve.Select(entry => entry.Accuracy).OrderDescending(), curve.Select(entry => entry.Accuracy));
        Assert.Equal(results.RootElement.GetProperty("accuracyBefore").GetDouble(), curve[0].Accuracy);
        Assert.Equal(results.RootElement.GetProperty("accuracyAfter").GetDouble(), curve[^1].Accuracy);
    }

    [Fact]
    public void A_threshold_that_is_not_met_gives_exit_code_3_after_the_results_are_written()
    {
        var met = Invocation.Of([.. Flags, "--require", "accuracy@0.001>=0.5", "--require", "median>=0.01"]).AssertDone();
        Assert.Empty(met.Error);
        var unmet = Invocation.Of([.. Flags, "--json", "--out", _folder["results"], "--require", "accuracy@0.001>=0.5", "--require", "median>=50"]);
        Assert.Equal(3, unmet.ExitCode);
        Assert.Matches(@"\Abrink: The threshold median>=50 was not met: [^\n]*\.\r?\n\z", unmet.Error);
        using var results = Json(unmet.Output);
        Assert.True(File.Exists(Path.Combine(_folder["results"], "images.parquet")));
    }

    [Fact]
    public void Other_lengths_and_thresholds_are_evaluated_on_a_finished_run()
    {
        string[] flags = [.. Flags, "--out", _folder["results"]];
        Invocation.Of([.. flags, "--at", "0.1"]).AssertDone();
        var images = File.ReadAllBytes(Path.Combine(_folder["results"], "images.parquet"));
        Assert.Equal(3, Invocation.Of([.. flags, "--resume", "--at", "0.2,0.3", "--require", "median>=50"]).ExitCode);
        using var results = Json(File.ReadAllText(Path.Combine(_folder["results"], "results.json")));
        Assert.Equal([0.2, 0.3], results.RootElement.GetProperty("robustAccuracy").EnumerateArray().Select(entry => entry.GetProperty("epsilon").GetDouble()));
        Assert.Equal(images, File.ReadAllBytes(Path.Combine(_folder["results"], "images.parquet")));
        Assert.Contains("0.2", File.ReadAllText(Path.Combine(_folder["results"], "report.html")), StringComparison.Ordinal);
    }

    [Fact]
    public void With_predicted_labels_every_image_is_correct_and_a_warning_is_printed()
    {
        using var results = Json(Invocation.Of(["attack", "--limit", "200", "--quiet", "--refine", "0", "--iterations", "1", "--json", "--labels", "predicted"]).AssertDone().Output);
        Assert.Equal(1, results.RootElement.GetProperty("accuracyBefore").GetDouble());
        Assert.Equal("predicted", results.RootElement.GetProperty("options").GetProperty("labels").GetString());
        Assert.Contains(results.RootElement.GetProperty("warnings").EnumerateArray(), warning => warning.GetString()!.Contains("own predictions", StringComparison.Ordinal));
        using var file = Json(Invocation.Of(["attack", "--limit", "200", "--quiet", "--refine", "0", "--iterations", "1", "--json"]).AssertDone().Output);
        Assert.InRange(file.RootElement.GetProperty("accuracyBefore").GetDouble(), 0.9, 0.999);
        Assert.False(file.RootElement.GetProperty("options").TryGetProperty("labels", out _));
    }

    [Theory]
    [InlineData("lengths separated by commas, such as 0.25,0.5 or 4/255,8/255, but '0.1;0.2'", "--at", "0.1;0.2")]
    [InlineData("lengths separated by commas, such as 0.25,0.5 or 4/255,8/255, but '-1'", "--at", "-1")]
    [InlineData("lengths separated by commas, such as 0.25,0.5 or 4/255,8/255, but 'NaN'", "--at", "NaN")]
    [InlineData("written accuracy@LENGTH>=SHARE or median>=LENGTH", "--require", "robust")]
    [InlineData("CSV file 'guess', but there is no such file", "--labels", "guess")]
    public void Invalid_lengths_thresholds_and_labels_are_refused(string fragment, params string[] flags) =>
        Assert.Contains(fragment, Invocation.Of(["attack", .. flags]).AssertRefused(), StringComparison.Ordinal);

    private static JsonDocument Json(string text) => JsonDocument.Parse(text);
}
