using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Brink.Data;
using static TorchSharp.torch;

namespace Brink.Cli.Tests.Attack;

/// <summary>Accuracies at lengths: those of budgeted attacks, of 8-bit images, and of models on which an attack cannot work everywhere.</summary>
[Trait("speed", "slow")]
public sealed class AccuracyTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("pgd", "linf", "1/255")]
    [InlineData("pgd", "linf", "8/255")]
    [InlineData("pgd", "l2", "1/16")]
    [InlineData("pgd", "l2", "8/16")]
    [InlineData("fgsm", "linf", "2/255")]
    [InlineData("fgsm", "l2", "4/16")]
    public void The_accuracy_at_the_epsilon_of_a_budgeted_attack_is_the_accuracy_after_it(string attack, string norm, string epsilon)
    {
        foreach (var space in new[] { "pixel", "normalized" })
        {
            using var results = Json(Invocation.Of("attack", "--limit", "24", "--quiet", "--json", "--attack", attack, "--norm", norm, "--epsilon", epsilon, "--at", epsilon, "--space", space).AssertDone().Output);
            var root = results.RootElement;
            Assert.True(root.GetProperty("fooled").GetInt32() > 0);
            var at = root.GetProperty("robustAccuracy")[0];
            Assert.Equal(root.GetProperty("accuracyAfter").GetDouble(), at.GetProperty("accuracy").GetDouble());
            Assert.Equal(root.GetProperty("accuracyAfterInterval").GetProperty("correct").GetInt32(), at.GetProperty("interval").GetProperty("correct").GetInt32());
            Assert.Equal(attack == "fgsm", Warnings(root).Contains("takes a single step", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void The_curve_of_a_quantized_run_is_that_of_the_saved_images()
    {
        Invocation.Of("attack", "--limit", "16", "--quiet", "--quantized", "--norm", "linf", "--at", "1/255,2/255,3/255,4/255,6/255,8/255", "--out", _folder["run"]).AssertDone();
        using var files = new ResultFiles(_folder["run"]);
        using var scope = NewDisposeScope();
        var steps = ((files.Tensors["adversarial"] * 255).round() - (files.Tensors["original"] * 255).round()).abs().flatten(1).amax([1]).data<float>().ToArray();
        foreach (var at in files["robustAccuracy"].EnumerateArray())
        {
            var most = (float)Math.Round(at.GetProperty("epsilon").GetDouble() * 255);
            var left = steps.Count(step => step > most || step == 0) - files.Int("misclassified");
            Assert.Equal(left, at.GetProperty("interval").GetProperty("correct").GetInt32());
        }

        Assert.NotEqual(files["robustAccuracy"][0].GetProperty("accuracy").GetDouble(), files["robustAccuracy"][5].GetProperty("accuracy").GetDouble());
    }

    [Theory]
    [InlineData("accuracy at the smaller length 2/255 was asked for; run it with epsilon 2/255", "--require", "accuracy@2/255>=0.9")]
    [InlineData("accuracy at the smaller length 4/255 was asked for", "--at", "8/255,4/255")]
    [InlineData("the threshold 'median>=0.001' needs the smallest length", "--require", "median>=0.001")]
    public void A_budgeted_attack_is_not_asked_for_smaller_lengths_or_a_median(string fragment, params string[] flags)
    {
        string[] attack = ["attack", "--limit", "4", "--quiet", "--attack", "pgd", "--norm", "linf", "--epsilon", "8/255", "--out", _folder["run"]];
        Assert.Contains(fragment, Invocation.Of([.. attack, .. flags]).AssertRefused(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["run"]), "The run was started.");
        Invocation.Of([.. attack, "--at", "8/255,10/255"]).AssertDone();
        Assert.Contains(fragment, Invocation.Of([.. attack, "--resume", .. flags]).AssertRefused(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_report_of_a_budgeted_run_has_no_curve_and_no_median()
    {
        string[] attack = ["attack", "--limit", "8", "--quiet", "--norm", "linf", "--attack", "ifgsm"];
        Invocation.Of([.. attack, "--epsilon", "8/255", "--out", _folder["budgeted"]]).AssertDone();
        Invocation.Of([.. attack, "--out", _folder["minimal"]]).AssertDone();
        string[] fragments = ["Robustness curve", "For half of the fooled images"];
        Assert.All(fragments, fragment => Assert.Contains(fragment, File.ReadAllText(Path.Combine(_folder["minimal"], "report.html")), StringComparison.Ordinal));
        Assert.All(fragments, fragment => Assert.DoesNotContain(fragment, File.ReadAllText(Path.Combine(_folder["budgeted"], "report.html")), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("zero-gradient", "gradient")]
    [InlineData("not-finite", "finite")]
    public void A_threshold_is_not_met_if_the_attack_could_not_work_on_many_images(string exit, string word)
    {
        const int count = 40;
        var images = DataCatalog.Open("signs", limit: count);
        using var scope = NewDisposeScope();
        var brightness = Enumerable.Range(0, count).Select(image => images.Images(image, 1).mean().item<float>()).Order().ToArray();
        var threshold = (brightness[35] + brightness[36]) / 2;
        // Four of the forty images are brighter; the network is the same for all.
        var bright = string.Create(CultureInfo.InvariantCulture, $"torch.unsqueeze(torch.to(torch.gt(torch.mean(input, [1, 2, 3]), {threshold}), 6), 1)");
        var script = Script(exit == "zero-gradient"
            ? $"torch.add(torch.mul(z, torch.rsub({bright}, 1)), torch.mul(torch.detach(z), {bright}))"
            : $"torch.add(z, torch.unsqueeze(torch.mean(torch.sqrt(torch.add(torch.mul(torch.mul(input, 0), torch.reshape({bright}, [-1, 1, 1, 1])), torch.reshape(torch.rsub({bright}, 1), [-1, 1, 1, 1]))), [1, 2, 3]), 1))");
        string[] attack = ["attack", "--model", script, "--data", "signs", "--labels", "predicted", "--limit", $"{count}", "--quiet", "--json", "--out", _folder["run"]];
        var unmet = Invocation.Of([.. attack, "--require", "accuracy@50>=0.05"]);
        Assert.Equal(3, unmet.ExitCode);
        Assert.Matches($@"\Abrink: The threshold accuracy@50>=0.05 cannot be judged: [^\n]* 4 of {count} attacked images \(4 {exit}\)[^\n]*{word}[^\n]*--allow-unattacked\.\r?\n\z", unmet.Error);
        using var results = Json(unmet.Output);
        var unattacked = results.RootElement.GetProperty("unattacked");
        Assert.Equal(4, unattacked.GetProperty(exit == "zero-gradient" ? "zeroGradient" : "notFinite").GetInt32());
        Assert.Equal(4, unattacked.GetProperty("total").GetInt32());
        Assert.Contains($"On 4 of {count} attacked images the attack could not work", Warnings(results.RootElement), StringComparison.Ordinal);
        Assert.Contains("unattacked: the attack could not work", File.ReadAllText(Path.Combine(_folder["run"], "report.html")), StringComparison.Ordinal);
        // The finished run is judged in the same way, also if an older version wrote it, without these counts.
        var path = Path.Combine(_folder["run"], "results.json");
        var older = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        Assert.True(older.Remove("unattacked"));
        File.WriteAllText(path, older.ToJsonString());
        using var resumed = Json(Invocation.Of([.. attack, "--resume"]).AssertDone().Output);
        Assert.Equal(4, resumed.RootElement.GetProperty("unattacked").GetProperty("total").GetInt32());
        Assert.Equal(3, Invocation.Of([.. attack, "--resume", "--require", "median>=0"]).ExitCode);
        Assert.Contains("note: The threshold accuracy@50>=0.05 was met", Invocation.Of([.. attack, "--resume", "--require", "accuracy@50>=0.05", "--allow-unattacked"]).AssertDone().Error, StringComparison.Ordinal);

        // The same images are unattacked for every attack of a comparison.
        string[] compare = ["compare", "--attacks", "tr[refine=0],deepfool", .. attack[1..^2], "--require", "accuracy@50>=0.05"];
        var compared = Invocation.Of(compare);
        Assert.Equal(3, compared.ExitCode);
        Assert.Contains($"no attack could work on 4 of {count} attacked images (4 {exit})", compared.Error, StringComparison.Ordinal);
        Invocation.Of([.. compare, "--allow-unattacked"]).AssertDone();
    }

    [Fact]
    public void Counts_and_intervals_are_printed()
    {
        var printed = Invocation.Of("attack", "--limit", "20", "--quiet", "--refine", "0", "--at", "0.1").AssertDone().Output;
        Assert.Matches(@"accuracy before +│ [0-9.]+ %, \d+ of 20 \(95 %: [0-9.]+ to [0-9.]+ %\)", printed);
        Assert.Matches(@"accuracy after +│ [0-9.]+ %, \d+ of 20 \(95 %: [0-9.]+ to [0-9.]+ %\)", printed);
        Assert.Matches(@"within L2 0\.1 +│ at most [0-9.]+ %, \d+ of 20 \(95 %: [0-9.]+ to [0-9.]+ %\)", printed);
    }

    /// <summary>Creates a copy of the classifier of the fixtures whose logits z are replaced.</summary>
    private string Script(string output)
    {
        var path = _folder["changed.pt"];
        using var source = ZipFile.OpenRead(Path.Combine(AppContext.BaseDirectory, "Fixtures", "torchscript_classifier.pt"));
        using var target = ZipFile.Open(path, ZipArchiveMode.Create);
        foreach (var entry in source.Entries)
        {
            using var input = entry.Open();
            using var bytes = new MemoryStream();
            input.CopyTo(bytes);
            var content = bytes.ToArray();
            if (entry.FullName.EndsWith("container.py", StringComparison.Ordinal))
            {
                const string last = "    return (_6).forward(input5, )\n";
                var code = Encoding.UTF8.GetString(content);
                Assert.Contains(last, code, StringComparison.Ordinal);
                content = Encoding.UTF8.GetBytes(code.Replace(last, $"    z = (_6).forward(input5, )\n    return {output}\n", StringComparison.Ordinal));
            }

            using var written = target.CreateEntry(entry.FullName, CompressionLevel.NoCompression).Open();
            written.Write(content);
        }

        return path;
    }

    private static JsonDocument Json(string text) => JsonDocument.Parse(text);

    private static string Warnings(JsonElement results) => string.Join('\n', results.GetProperty("warnings").EnumerateArray().Select(warning => warning.GetString()));
}
