using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Cli.Tests.Attack;

/// <summary>The values of <c>--weights</c>, and the reports about the content of the file.</summary>
public sealed class WeightsInputTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_removed_prefix_and_a_preprocessing_are_reported_in_the_results_of_all_commands()
    {
        var weights = Write("weights.safetensors", tensors => Renamed(tensors, "model.").Append(new("normalize.mean", full(3, 0.25f))).Append(new("normalize.std", full(3, 0.5f))));
        var reports = new[] { "'model.', which was removed", "--mean 0.25,0.25,0.25 --std 0.5,0.5,0.5" };
        Attack("run", weights);
        using (var files = new ResultFiles(_folder["run"]))
        {
            Assert.Equal(0, files.Int("misclassified"));
            var warnings = files["warnings"].EnumerateArray().Select(warning => warning.GetString()!).ToArray();
            Assert.All(reports, report => Assert.Contains(warnings, warning => warning.Contains(report, StringComparison.Ordinal)));
        }

        var transfer = Invocation.Of("transfer", _folder["run"], "--model", $"signs={weights}", "--json").AssertDone();
        var comparison = Invocation.Of("compare", "--attacks", "ifgsm,deepfool", "--weights", weights, "--limit", "2", "--quiet", "--json").AssertDone();
        Assert.All(reports, report => Assert.Contains(report, transfer.Output.Replace("\\u0027", "'", StringComparison.Ordinal), StringComparison.Ordinal));
        Assert.All(reports, report => Assert.Contains(report, comparison.Output.Replace("\\u0027", "'", StringComparison.Ordinal), StringComparison.Ordinal));
    }

    [Fact]
    public void A_key_after_a_colon_chooses_one_of_two_networks()
    {
        // The first network predicts class 3 for every image.
        var weights = Write("weights.safetensors", tensors => Renamed(tensors, "old.", name => name == "fc.bias").Append(new("old.fc.bias", 1000 * nn.functional.one_hot(tensor(3L), 10).to(float32))).Concat(Renamed(tensors, "new.")));
        var error = Invocation.Of("attack", "--weights", weights, "--limit", "2").AssertRefused();
        Assert.Contains("2 sets fit", error, StringComparison.Ordinal);
        Assert.Contains("--weights FILE:KEY", error, StringComparison.Ordinal);
        Attack("new", $"{weights}:new");
        Attack("old", $"{weights}:old");
        using var right = new ResultFiles(_folder["new"]);
        using var wrong = new ResultFiles(_folder["old"]);
        Assert.Equal(0, right.Int("misclassified"));
        Assert.NotEqual(0, wrong.Int("misclassified"));
        Assert.Equal($"{weights}:new", right["options"].GetProperty("weights").GetString());
        Assert.Contains("its keys are 'new', 'old'", Invocation.Of("attack", "--weights", $"{weights}:other", "--limit", "2").AssertRefused(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_whose_whole_name_contains_a_colon_wins()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs a file system with colons in names");
        Write("w.pt", tensors => Renamed(tensors, "a.").Concat(Renamed(tensors, "b.")));
        var named = Write("w.pt:a", tensors => tensors);
        Attack("run", named);
        Attack("key", $"{named}:fc", expected: 2);
        Assert.Contains("does not exist", Invocation.Of("attack", "--weights", _folder["missing.pt:a"], "--limit", "2").AssertRefused(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_ONNX_file_is_named_as_such()
    {
        var file = _folder.Write("model.onnx", [8, 7, 0x12, 7, .. "pytorch"u8, 0x3a, 2, 0x0a, 0]);
        Assert.Contains("is an ONNX model", Invocation.Of("attack", "--weights", file, "--limit", "2").AssertRefused(), StringComparison.Ordinal);
        Assert.Contains("is an ONNX model", Invocation.Of("attack", "--model", file, "--data", "signs", "--limit", "2").AssertRefused(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_TorchSharp_is_read()
    {
        using (var model = ModelCatalog.Load("signs", null))
        {
            model.Module.save(_folder["weights.dat"]);
        }

        Attack("run", _folder["weights.dat"]);
        using var files = new ResultFiles(_folder["run"]);
        Assert.Equal(0, files.Int("misclassified"));
    }

    private void Attack(string folder, string weights, int expected = 0) =>
        Assert.Equal(expected, Invocation.Of("attack", "--weights", weights, "--limit", "4", "--attack", "fgsm", "--epsilon", "0.1", "--quiet", "--out", _folder[folder]).ExitCode);

    /// <summary>Writes the embedded network's weights with a change.</summary>
    private string Write(string name, Func<IEnumerable<KeyValuePair<string, Tensor>>, IEnumerable<KeyValuePair<string, Tensor>>> change)
    {
        using var scope = NewDisposeScope();
        using var model = ModelCatalog.Load("signs", null);
        using var stream = File.Create(_folder[name]);
        Safetensors.Write(stream, change(model.Module.state_dict()).ToDictionary(StringComparer.Ordinal));
        return _folder[name];
    }

    private static IEnumerable<KeyValuePair<string, Tensor>> Renamed(IEnumerable<KeyValuePair<string, Tensor>> tensors, string prefix, Func<string, bool>? without = null) =>
        tensors.Where(named => without?.Invoke(named.Key) != true).Select(named => KeyValuePair.Create(prefix + named.Key, named.Value));
}
