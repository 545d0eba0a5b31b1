using System.Text.Json.Nodes;
using Brink.Evaluation.Runs;
using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Cli.Tests.Transfer;

/// <summary>Damaged run folders are refused with a message that names the problem.</summary>
[Trait("speed", "slow")]
public sealed class DamagedRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public DamagedRunTests() => Invocation.Of("attack", "--limit", "3", "--radius", "0.5", "--space", "normalized", "--quiet", "--out", _folder["run"]).AssertDone();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_undamaged_run_is_read() => Invocation.Of("transfer", _folder["run"], "--model", "signs").AssertDone();

    [Fact]
    public void A_missing_folder_is_named() =>
        Assert.Contains("there is no folder 'nowhere'", Refused("nowhere"), StringComparison.Ordinal);

    [Fact]
    public void An_empty_name_is_refused() => Assert.Contains("there is no folder ''", Refused(""), StringComparison.Ordinal);

    [Fact]
    public void A_folder_without_a_run_is_refused()
    {
        Directory.CreateDirectory(_folder["empty"]);
        Assert.Contains("has no results.json", Refused(_folder["empty"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_tensors_are_named()
    {
        File.Delete(Path.Combine(_folder["run"], "adversarial.safetensors"));
        Assert.Contains("adversarial.safetensors does not exist", Refused(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("deep")]
    [InlineData("options", "null")]
    [InlineData("perturbation", "null")]
    [InlineData("classNames", "[1,null]")]
    public void Unreadable_results_are_refused_by_all_verbs(string content, string? value = null)
    {
        var file = Path.Combine(_folder["run"], "results.json");
        var results = JsonNode.Parse(File.ReadAllText(file))!;
        if (value is not null)
        {
            results[content] = JsonNode.Parse(value);
        }

        File.WriteAllText(file, value is not null ? results.ToJsonString() : content == "deep" ? new string('[', 100_000) : content);
        string[][] verbs = [["transfer", _folder["run"], "--model", "signs"], ["report", _folder["run"]], ["picture", _folder["run"], "--index", "0", "--out", _folder["p.png"]]];
        Assert.All(verbs, verb => Assert.Contains("its results.json cannot be read", Invocation.Of(verb).AssertRefused(), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("images", "4", "needs 4 entries")]
    [InlineData("images", "-1", "needs -1 entries")]
    [InlineData("space", "\"cube\"", "the space pixel or normalized, but has 'cube'")]
    [InlineData("space", "null", "its results.json cannot be read")]
    [InlineData("space", "\"pixel\"", "pixels between 0 and 1, but have others")]
    [InlineData("norm", "\"l3\"", "the norm l2, linf or l1, but has 'l3'")]
    [InlineData("options", "null", "its results.json cannot be read")]
    [InlineData("perturbation", "{\"linf\":{\"mean\":1,\"median\":1,\"worst\":1}}", "its results.json cannot be read")]
    [InlineData("seconds", "1e999", "its results.json cannot be read")]
    [InlineData("options", "{}", "a list of numbers as the option mean")]
    [InlineData("options", "{\"mean\":[],\"std\":[]}", "a list of numbers as the option mean")]
    [InlineData("options", "{\"mean\":[0.1,\"a\",0.1],\"std\":[1,1,1]}", "a list of numbers as the option mean")]
    [InlineData("options", "{\"mean\":[0.1,0.1,0.1],\"std\":[1,0,1]}", "one positive standard deviation per channel")]
    [InlineData("options", "{\"mean\":[0.1,0.1],\"std\":[1,1,1]}", "one positive standard deviation per channel")]
    [InlineData("options", "{\"mean\":[0.1,0.1],\"std\":[1,1]}", "its original needs the shape")]
    [InlineData("options", "{\"mean\":[5,5,5],\"std\":[1,1,1]}", "pixels between 0 and 1, but have others")]
    public void Inconsistent_results_are_refused(string property, string value, string fragment)
    {
        var path = Path.Combine(_folder["run"], "results.json");
        var results = JsonNode.Parse(File.ReadAllText(path))!;
        results[property] = JsonNode.Parse(value);
        File.WriteAllText(path, results.ToJsonString());
        Assert.Contains(fragment, Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void Text_that_cannot_be_decoded_is_refused()
    {
        var path = Path.Combine(_folder["run"], "results.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"embedded\"", "\"\\ud800\"", StringComparison.Ordinal));
        Assert.Contains("its results.json cannot be read", Refused(), StringComparison.Ordinal);
    }

    /// <summary>Without a checksum, as in runs of older versions, the table itself is checked.</summary>
    [Fact]
    public void A_table_with_damaged_metadata_is_refused_or_read_in_time()
    {
        var table = File.ReadAllBytes(Path.Combine(_folder["run"], "images.parquet"));
        var length = BitConverter.ToInt32(table, table.Length - 8);
        Assert.Equal(3, ImageTable.Read(table, 3).Count);
        Assert.Throws<InvalidDataException>(() => ImageTable.Read(table, 4));
        Assert.Throws<InvalidDataException>(() => ImageTable.Read([], 3));
        Assert.Throws<InvalidDataException>(() => ImageTable.Read("PAR1"u8.ToArray(), 3));
        for (var place = table.Length - 8 - length; place < table.Length; place++)
        {
            foreach (var value in new byte[] { 0, 0xff, 0x0f, 0x1c })
            {
                byte[] damaged = [.. table[..place], value, .. table[(place + 1)..]];
                try
                {
                    Assert.Equal(3, ImageTable.Read(damaged, 3).Count);
                }
                catch (InvalidDataException exception)
                {
                    Assert.IsNotType<TimeoutException>(exception.InnerException);
                }
            }
        }
    }

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.5)]
    [InlineData(0.999)]
    public void Truncated_tensors_are_refused(double share)
    {
        var path = Path.Combine(_folder["run"], "adversarial.safetensors");
        var whole = File.ReadAllBytes(path);
        File.WriteAllBytes(path, whole[..(int)(share * whole.Length)]);
        Assert.Contains("adversarial.safetensors", Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void Tensors_of_another_run_are_refused()
    {
        Invocation.Of("attack", "--limit", "3", "--skip", "3", "--radius", "0.5", "--space", "normalized", "--quiet", "--out", _folder["other"]).AssertDone();
        File.Copy(Path.Combine(_folder["other"], "adversarial.safetensors"), Path.Combine(_folder["run"], "adversarial.safetensors"), overwrite: true);
        Assert.Contains("its adversarial.safetensors is damaged or from another run", Refused(), StringComparison.Ordinal);
    }

    /// <summary>Results of older versions have no checksums.</summary>
    [Fact]
    public void Inconsistent_tensors_are_refused()
    {
        RemoveChecksums();
        var cases = new (string Fragment, Action<Dictionary<string, Tensor>> Damage)[]
        {
            ("has no fooled", tensors => tensors.Remove("fooled")),
            ("has no original", tensors => tensors.Remove("original")),
            ("its label needs 3 entries of type Int64", tensors => tensors["label"] = tensors["label"].to(ScalarType.Float32)),
            ("its label needs 3 entries of type Int64", tensors => tensors["label"] = tensors["label"][..2]),
            ("its label needs the shape [3], but has [3, 1]", tensors => tensors["label"] = tensors["label"].reshape(3, 1)),
            ("its label needs 3 entries of type Int64, as results.json says, but has the shape []", tensors => tensors["label"] = tensors["label"][0]),
            ("its label needs class numbers of at least -1, but has -7", tensors => tensors["label"] = tensors["label"] * 0 - 7),
            ("its adversarial needs the shape", tensors => tensors["adversarial"] = tensors["adversarial"][.., .., ..8]),
            ("its original needs the shape", tensors => tensors["original"] = tensors["original"].flatten(1)),
            ("its original needs the shape", tensors => tensors["original"] = tensors["original"][.., ..0]),
            ("pixels between 0 and 1, but have others", tensors => tensors["adversarial"] = tensors["adversarial"] * float.NaN),
            ("has images of class 11, but signs has the classes 0 to 9", tensors => tensors["label"] = (tensors["label"] * 0) + 11),
        };
        var path = Path.Combine(_folder["run"], "adversarial.safetensors");
        var whole = File.ReadAllBytes(path);
        foreach (var (fragment, damage) in cases)
        {
            using var scope = NewDisposeScope();
            File.WriteAllBytes(path, whole);
            var tensors = new Dictionary<string, Tensor>(Safetensors.Read(path), StringComparer.Ordinal);
            damage(tensors);
            using (var stream = File.Create(path))
            {
                Safetensors.Write(stream, tensors);
            }

            Assert.Contains(fragment, Refused(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Images_with_a_wrong_number_of_channels_are_refused()
    {
        RemoveChecksums();
        using var scope = NewDisposeScope();
        var path = Path.Combine(_folder["run"], "adversarial.safetensors");
        var tensors = new Dictionary<string, Tensor>(Safetensors.Read(path), StringComparer.Ordinal);
        tensors["original"] = tensors["adversarial"] = full([3, 1, 32, 32], 0.5f);
        tensors["fooled"] = ones(3, ScalarType.Byte);
        using (var stream = File.Create(path))
        {
            Safetensors.Write(stream, tensors);
        }

        var results = JsonNode.Parse(File.ReadAllText(Path.Combine(_folder["run"], "results.json")))!;
        (results["options"]!["mean"], results["options"]!["std"], results["space"]) = (new JsonArray(0.5), new JsonArray(0.5), "pixel");
        File.WriteAllText(Path.Combine(_folder["run"], "results.json"), results.ToJsonString());
        Assert.Contains("the images have 1 channels", Refused(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no model named 'magic'", "magic")]
    [InlineData("resnet20 needs weights", "resnet20")]
    [InlineData("the path is empty", "resnet20=")]
    [InlineData("nowhere.pt does not exist", "resnet20=nowhere.pt")]
    public void Models_that_cannot_be_loaded_are_refused(string fragment, string model) =>
        Assert.Contains(fragment, Invocation.Of("transfer", _folder["run"], "--model", model).AssertRefused(), StringComparison.Ordinal);

    [Theory]
    [InlineData("Option '--model' is required", "transfer", "run")]
    [InlineData("Required argument 'RUN' missing", "transfer", "--model", "signs")]
    [InlineData("--output are those of TorchScript files", "transfer", "run", "--model", "signs", "--output", "main")]
    [InlineData("batch size must be at least 1", "transfer", "run", "--model", "signs", "--batch-size", "0")]
    public void Usage_errors_are_refused(string fragment, params string[] arguments) =>
        Assert.Contains(fragment, Invocation.Of(arguments).AssertRefused(), StringComparison.Ordinal);

    private void RemoveChecksums()
    {
        var path = Path.Combine(_folder["run"], "results.json");
        var results = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        results.Remove("checksums");
        File.WriteAllText(path, results.ToJsonString());
    }

    private string Refused(string? folder = null) => Invocation.Of("transfer", folder ?? _folder["run"], "--model", "signs").AssertRefused();
}
