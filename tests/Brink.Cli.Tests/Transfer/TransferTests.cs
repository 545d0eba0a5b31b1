using System.Text.Json;
using Brink.Cli.Tests.Attack;
using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Cli.Tests.Transfer;

[Trait("speed", "slow")]
public sealed class TransferTests : IDisposable
{
    private const int Columns = 80;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("pixel", "l2")]
    [InlineData("normalized", "l2")]
    [InlineData("normalized", "linf")]
    public void The_matrix_counts_the_predictions_for_the_saved_images(string space, string norm)
    {
        // A preprocessing other than the default of the model: the images must be converted to pixels with these constants.
        string[] source = ["--space", space, "--norm", norm, "--mean", "0.36,0.38,0.37", "--std", "0.18,0.17,0.2"];
        Attack("one", [.. source, "--limit", "40", "--radius", "0.4"]);
        Attack("two", "--limit", "16", "--skip", "5", "--target", "hardest", "--radius", "0.3");
        var weights = PerturbedWeights();

        using var matrix = JsonDocument.Parse(Transfer("--model", "signs", "--model", $"signs={weights}", "--json", "--batch-size", "7").AssertDone().Output);
        var root = matrix.RootElement;
        Assert.Equal(["runs", "models", "counts", "brinkVersion", "warnings"], root.EnumerateObject().Select(property => property.Name), StringComparer.Ordinal);
        Assert.Equal([_folder["one"], _folder["two"]], root.GetProperty("runs").EnumerateArray().Select(run => run.GetProperty("folder").GetString()!), StringComparer.Ordinal);
        Assert.Equal(["signs", $"signs={weights}"], root.GetProperty("models").EnumerateArray().Select(model => model.GetProperty("name").GetString()!), StringComparer.Ordinal);
        Assert.Equal(["embedded", weights], root.GetProperty("models").EnumerateArray().Select(model => model.GetProperty("weights").GetString()!), StringComparer.Ordinal);

        foreach (var (row, name) in new[] { "one", "two" }.Index())
        {
            foreach (var (column, file) in new[] { null, weights }.Index())
            {
                var (atSource, right, fooled) = Count(name, file);
                var count = root.GetProperty("counts")[row][column];
                Assert.Equal((atSource, right, fooled), (count.GetProperty("fooledAtSource").GetInt32(), count.GetProperty("rightBefore").GetInt32(), count.GetProperty("fooled").GetInt32()));
                Assert.Equal((double)fooled / right, count.GetProperty("share").GetDouble());
                Assert.InRange(right, 1, atSource);
            }
        }

        // Otherwise the counts above would not distinguish the models.
        var other = Count("one", weights);
        Assert.InRange(other.RightBefore, 1, other.AtSource - 1);
        Assert.InRange(other.Fooled, 1, other.RightBefore - 1);
    }

    [Theory]
    [InlineData("pixel")]
    [InlineData("normalized")]
    public void The_attacked_model_is_fooled_by_all_its_images(string space)
    {
        Attack("one", "--limit", "24", "--radius", "0.4", "--space", space);
        using var matrix = JsonDocument.Parse(Invocation.Of("transfer", _folder["one"], "--model", "signs", "--json").AssertDone().Output);
        var count = matrix.RootElement.GetProperty("counts")[0][0];
        Assert.True(count.GetProperty("fooledAtSource").GetInt32() > 20);
        Assert.Equal(1, count.GetProperty("share").GetDouble());
        Assert.Equal(count.GetProperty("fooledAtSource").GetInt32(), count.GetProperty("rightBefore").GetInt32());
    }

    [Fact]
    public void Without_fooled_images_there_is_no_share()
    {
        Attack("one", "--limit", "3", "--iterations", "1", "--radius", "1e-6", "--refine", "18");
        using var matrix = JsonDocument.Parse(Invocation.Of("transfer", _folder["one"], "--model", "signs", "--json").AssertDone().Output);
        Assert.Equal(JsonValueKind.Null, matrix.RootElement.GetProperty("counts")[0][0].GetProperty("share").ValueKind);
        Assert.Contains("nothing to transfer", matrix.RootElement.GetProperty("warnings")[0].GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_table_fits_in_80_columns_and_shows_the_denominators()
    {
        Attack("one", "--limit", "12", "--radius", "0.5");
        var weights = PerturbedWeights();
        var run = Invocation.Of("transfer", _folder["one"], "--model", "signs", "--model", $"signs={weights}").AssertDone();
        Assert.All(run.Output.Split('\n'), line => Assert.InRange(line.TrimEnd('\r').Length, 0, Columns));
        var (_, right, fooled) = Count("one", null);
        Assert.Contains($"{fooled} of {right}", run.Output, StringComparison.Ordinal);
        Assert.Contains("signs, tr, L2, untargeted", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_for_other_images_is_noted()
    {
        Attack("one", "--limit", "12", "--radius", "0.5");
        var run = Invocation.Of("transfer", _folder["one"], "--model", $"signs={PerturbedWeights(noise: 10)}").AssertDone();
        Assert.Contains("check that it was trained for these images", run.Output.ReplaceLineEndings(" ").Replace("  ", " ", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void A_cancelled_transfer_prints_nothing()
    {
        Attack("one", "--limit", "3", "--radius", "0.5");
        var run = Invocation.Of(new CancellationToken(canceled: true), "transfer", _folder["one"], "--model", "signs");
        Assert.Equal((130, ""), (run.ExitCode, run.Output));
    }

    private void Attack(string folder, params string[] flags) => Invocation.Of(["attack", "--quiet", "--out", _folder[folder], .. flags]).AssertDone();

    private Invocation Transfer(params string[] flags) => Invocation.Of(["transfer", _folder["one"], _folder["two"], .. flags]);

    /// <summary>Computes the counts from the files and the model, independently of the command.</summary>
    private (int AtSource, int RightBefore, int Fooled) Count(string folder, string? weights)
    {
        using var scope = NewDisposeScope();
        using var withoutGradients = no_grad();
        using var model = ModelCatalog.Load("signs", weights);
        using var files = new ResultFiles(_folder[folder]);
        Tensor Option(string name) => tensor(files["options"].GetProperty(name).EnumerateArray().Select(value => value.GetDouble()).ToArray()).reshape(3, 1, 1);
        Tensor Own(IReadOnlyList<double> values) => tensor(values.ToArray()).reshape(3, 1, 1);
        long[] Predictions(string images)
        {
            var saved = files.Tensors[images].to(ScalarType.Float64);
            var pixels = files["space"].GetString() == "pixel" ? saved : (saved * Option("std")) + Option("mean");
            var input = ((pixels - Own(model.Normalization.Mean)) / Own(model.Normalization.StandardDeviation)).to(ScalarType.Float32);
            return model.Module.forward(input).argmax(1).data<long>().ToArray();
        }

        var (labels, before, after, fooled) = (files.Longs("label"), Predictions("original"), Predictions("adversarial"), files.Column<bool>("fooled"));
        var rows = Enumerable.Range(0, labels.Length).Where(row => fooled[row]).ToArray();
        var right = rows.Where(row => before[row] == labels[row]).ToArray();
        return (rows.Length, right.Length, right.Count(row => after[row] != labels[row]));
    }

    /// <summary>A second network: the embedded one with noise on its last layer, as a file.</summary>
    private string PerturbedWeights(double noise = 0.35)
    {
        using var scope = NewDisposeScope();
        using var model = ModelCatalog.Load("signs", null);
        using var generator = new Generator(1);
        var weights = new Dictionary<string, Tensor>(model.Module.state_dict(), StringComparer.Ordinal);
        var last = weights["fc.weight"];
        weights["fc.weight"] = last + (randn(last.shape, generator: generator) * last.std() * noise);
        var path = _folder[FormattableString.Invariant($"noise-{noise}.safetensors")];
        using var stream = File.Create(path);
        Safetensors.Write(stream, weights);
        return path;
    }
}
