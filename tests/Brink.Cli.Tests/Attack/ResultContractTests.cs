using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Brink.Evaluation.Runs;
using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Cli.Tests.Attack;

/// <summary>The format that other programs read: names, types and units of the three files, and their agreement.</summary>
[Trait("speed", "slow")]
public sealed class ResultContractTests : IDisposable
{
    private const int BatchSize = 16;
    private const double Rounding = 1e-9;

    private static readonly string[] Properties =
    [
        "attack", "norm", "space", "target", "criterion", "model", "data", "classNames", "images", "misclassified", "skipped", "attacked", "fooled",
        "accuracyBefore", "accuracyAfter", "accuracyBeforeInterval", "accuracyAfterInterval", "unattacked", "underflowed",
        "relativePerturbation", "relativePerturbationNormalized", "perturbation", "robustAccuracy",
        "forwardsPerImage", "backwardsPerImage", "productsPerImage", "seconds", "secondsPerImage", "seed", "brinkVersion", "checksums", "options", "warnings",
    ];

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, string, string, int, int, int> Runs => new()
    {
        { "pixel", "l2", "best", 0, 24, 1000 },
        { "pixel", "linf", "hardest", 40, 24, 1000 },
        { "normalized", "l2", "3", 7, 40, 1000 },
        { "normalized", "linf", "best", 0, 24, 1000 },
        { "pixel", "l2", "best", 0, 24, 2 }, // two steps fool hardly any image
    };

    public void Dispose() => _folder.Dispose();

    [Theory, MemberData(nameof(Runs))]
    public void The_three_files_and_the_model_agree(string space, string norm, string target, int skip, int limit, int iterations)
    {
        using var scope = NewDisposeScope();
        using var files = Attack(
            "--space", space, "--norm", norm, "--target", target, "--skip", $"{skip}", "--limit", $"{limit}", "--iterations", $"{iterations}", "--batch-size", $"{BatchSize}", "--seed", "7");

        CheckShape(files, limit);
        CheckWords(files, space, norm, target);
        Assert.Equal(Enumerable.Range(skip, limit).Select(index => (long)index), files.Longs("index"));
        CheckTable(files);
        CheckCounts(files, target);
        CheckLengths(files, space, norm);
        CheckPredictions(files, space);
    }

    [Fact]
    public void Skipped_misclassified_and_unfooled_images_occur()
    {
        // Otherwise the equalities above would be tested on no image.
        using var given = Attack("--target", "3", "--limit", "64", "--iterations", "3", "--refine", "0");
        Assert.True(given.Int("skipped") > 0, "No image has the target class as its label.");
        Assert.True(given.Int("misclassified") > 0, "No misclassified image.");
        Assert.True(given.Int("fooled") < given.Int("attacked"), "Every image was fooled.");
        Assert.Contains("were not fooled", given["warnings"][0].GetString(), StringComparison.Ordinal);
    }

    private ResultFiles Attack(params string[] flags)
    {
        var folder = _folder["results"];
        var printed = Invocation.Of(["attack", "--json", "--quiet", "--out", folder, .. flags]).AssertDone();
        Assert.Equal(File.ReadAllText(Path.Combine(folder, "results.json")), printed.Output.TrimEnd());
        var files = new ResultFiles(folder);
        Assert.All(new[] { "images.parquet", "adversarial.safetensors" }, name =>
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(folder, name)))), files.Json.RootElement.GetProperty("checksums").GetProperty(name).GetString()));
        return files;
    }

    private static void CheckShape(ResultFiles files, int count)
    {
        Assert.Equal(Properties.Order(StringComparer.Ordinal), files.Json.RootElement.EnumerateObject().Select(property => property.Name).Order(StringComparer.Ordinal), StringComparer.Ordinal);
        string[] numbers = ["images", "misclassified", "skipped", "attacked", "fooled", "accuracyBefore", "accuracyAfter", "forwardsPerImage", "backwardsPerImage", "productsPerImage", "seconds", "secondsPerImage", "seed"];
        Assert.All(numbers, name => Assert.Equal(JsonValueKind.Number, files[name].ValueKind));
        Assert.Equal(JsonValueKind.Array, files["warnings"].ValueKind);
        Assert.Equal(JsonValueKind.Array, files["robustAccuracy"].ValueKind);

        string[] columns = ["label", "predictionBefore", "predictionAfter", "target", "index", "forwards", "backwards"];
        Assert.Equal(columns.Concat(["adversarial", "original", "fooled"]).Order(StringComparer.Ordinal), files.Tensors.Keys.Order(StringComparer.Ordinal), StringComparer.Ordinal);
        Assert.All(columns, name => Assert.Equal((ScalarType.Int64, count), (files.Tensors[name].dtype, (int)files.Tensors[name].shape.Single())));
        Assert.Equal((ScalarType.Byte, count), (files.Tensors["fooled"].dtype, (int)files.Tensors["fooled"].shape.Single()));
        Assert.All(["original", "adversarial"], name =>
        {
            Assert.Equal(ScalarType.Float32, files.Tensors[name].dtype);
            Assert.Equal([count, 3, 32, 32], files.Tensors[name].shape);
        });

        Assert.Equal(
            ["index", "label", "prediction_before", "prediction_after", "target", "fooled", "exit", "l2", "linf", "l1", "relative", "iterations", "forwards", "backwards", "products", "underflowed"],
            files.Columns.Keys,
            StringComparer.Ordinal);
        Assert.All(files.Columns.Values, column => Assert.Equal(count, column.Length));
    }

    private static void CheckWords(ResultFiles files, string space, string norm, string target)
    {
        Assert.Equal("tr", files["attack"].GetString());
        Assert.Equal(norm, files["norm"].GetString());
        Assert.Equal(space, files["space"].GetString());
        Assert.Equal(target, files["target"].GetString());
        Assert.Equal(char.IsDigit(target[0]) ? "target-class" : "misclassified", files["criterion"].GetString());
        Assert.Equal("signs", files["model"].GetString());
        Assert.Equal("signs", files["data"].GetString());
        Assert.Equal(7, files["seed"].GetInt64());
        Assert.Equal(norm, files["options"].GetProperty("norm").GetString());
        Assert.Equal(BatchSize, files["options"].GetProperty("batch-size").GetInt32());
    }

    private static void CheckTable(ResultFiles files)
    {
        foreach (var (column, tensor) in new[] { ("index", "index"), ("label", "label"), ("prediction_before", "predictionBefore"), ("prediction_after", "predictionAfter"), ("target", "target"), ("forwards", "forwards"), ("backwards", "backwards") })
        {
            Assert.Equal(files.Longs(tensor), files.Column<long>(column));
        }

        Assert.Equal(files.Tensors["fooled"].data<byte>().ToArray().Select(flag => flag == 1), files.Column<bool>("fooled"));
    }

    private static void CheckCounts(ResultFiles files, string target)
    {
        var (labels, before, after) = (files.Longs("label"), files.Longs("predictionBefore"), files.Longs("predictionAfter"));
        var (fooled, exits, targets) = (files.Column<bool>("fooled"), files.Column<string>("exit"), files.Longs("target"));
        var given = long.TryParse(target, CultureInfo.InvariantCulture, out var number) ? number : (long?)null;
        for (var row = 0; row < labels.Length; row++)
        {
            var expected = before[row] != labels[row] ? "misclassified" : labels[row] == given ? "skipped" : fooled[row] ? "fooled" : exits[row];
            Assert.Equal(expected, exits[row]);
            Assert.Equal(fooled[row], exits[row] == "fooled");
            Assert.True(!fooled[row] || (given is null ? after[row] != labels[row] : after[row] == given), $"Row {row} counts as fooled.");
            Assert.True(exits[row] is "misclassified" or "skipped" ? targets[row] == -1 : targets[row] == (given ?? targets[row]) && targets[row] is >= 0 and < 10);
        }

        var attacked = exits.Count(exit => exit is not ("misclassified" or "skipped"));
        Assert.Equal(labels.Length, files.Int("images"));
        Assert.Equal(exits.Count(exit => exit == "misclassified"), files.Int("misclassified"));
        Assert.Equal(exits.Count(exit => exit == "skipped"), files.Int("skipped"));
        Assert.Equal(attacked, files.Int("attacked"));
        Assert.Equal(fooled.Count(flag => flag), files.Int("fooled"));
        Assert.Equal(labels.Length, files.Int("misclassified") + files.Int("skipped") + files.Int("attacked"));
        Assert.Equal(labels.Zip(before).Count(pair => pair.First == pair.Second) / (double)labels.Length, files["accuracyBefore"].GetDouble(), Rounding);
        Assert.Equal(labels.Zip(after).Count(pair => pair.First == pair.Second) / (double)labels.Length, files["accuracyAfter"].GetDouble(), Rounding);

        double PerAttacked(string column) => files.Column<long>(column).Where((_, row) => exits[row] is not ("misclassified" or "skipped")).Average();
        Assert.Equal(PerAttacked("forwards"), files["forwardsPerImage"].GetDouble(), Rounding);
        Assert.Equal(PerAttacked("backwards"), files["backwardsPerImage"].GetDouble(), Rounding);
        Assert.Equal(PerAttacked("products"), files["productsPerImage"].GetDouble(), Rounding);
        Assert.Equal(files["seconds"].GetDouble() / attacked, files["secondsPerImage"].GetDouble(), Rounding);
    }

    private static void CheckLengths(ResultFiles files, string space, string norm)
    {
        using var scope = NewDisposeScope();
        using var model = ModelCatalog.Load("signs", null);
        var fooled = files.Column<bool>("fooled");
        var original = files.Tensors["original"].to(ScalarType.Float64).flatten(1);
        var adversarial = files.Tensors["adversarial"].to(ScalarType.Float64).flatten(1);
        var change = adversarial - original;

        double[] Norm(Tensor rows, string name) => (name == "l2" ? rows.square().sum(1).sqrt() : name == "l1" ? rows.abs().sum(1) : rows.abs().amax([1])).data<double>().ToArray();
        double[] Ratio(Tensor parts, Tensor wholes) => [.. Norm(parts, norm).Zip(Norm(wholes, norm), (part, whole) => part / whole)];

        var (l2, linf, l1, relative) = (Norm(change, "l2"), Norm(change, "linf"), Norm(change, "l1"), Ratio(change, original));
        AssertClose(l2, files.Column<double>("l2"));
        AssertClose(linf, files.Column<double>("linf"));
        AssertClose(l1, files.Column<double>("l1"));
        AssertClose(relative, files.Column<double>("relative"));
        for (var row = 0; row < fooled.Length; row++)
        {
            Assert.Equal(fooled[row], linf[row] > 0);
        }

        Tensor Channels(IReadOnlyList<double> values) => tensor(values.ToArray()).repeat_interleave(32 * 32);
        var (mean, std) = (Channels(model.Normalization.Mean), Channels(model.Normalization.StandardDeviation));
        var normalized = space == "pixel" ? Ratio(change / std, (original - mean) / std) : relative;
        AssertDistribution(relative, fooled, files["relativePerturbation"]);
        AssertDistribution(normalized, fooled, files["relativePerturbationNormalized"]);
        AssertDistribution(l2, fooled, files["perturbation"].GetProperty("l2"));
        AssertDistribution(linf, fooled, files["perturbation"].GetProperty("linf"));
        AssertDistribution(l1, fooled, files["perturbation"].GetProperty("l1"));

        // The range of pixels, in either space.
        var pixels = space == "pixel" ? adversarial : (adversarial * std) + mean;
        Assert.InRange(pixels.min().item<double>(), -1e-6, 1);
        Assert.InRange(pixels.max().item<double>(), 0, 1 + 1e-6);
    }

    /// <summary>Checks that the predictions of the model for the saved images, in the batches of the run, equal those in the files.</summary>
    private static void CheckPredictions(ResultFiles files, string space)
    {
        using var model = ModelCatalog.Load("signs", null);
        var opened = new OpenedModel(model, space == "pixel" ? InputSpace.Pixel : InputSpace.Normalized);
        foreach (var (images, predictions) in new[] { ("original", "predictionBefore"), ("adversarial", "predictionAfter") })
        {
            using var scope = NewDisposeScope();
            using var withoutGradients = no_grad();
            var predicted = files.Tensors[images].split(BatchSize).Select(batch => opened.Classifier.Logits(batch).argmax(1)).ToArray();
            Assert.Equal(files.Longs(predictions), cat(predicted).data<long>().ToArray());
        }
    }

    private static void AssertClose(double[] expected, double[] actual) =>
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, Rounding));

    private static void AssertDistribution(double[] values, bool[] fooled, JsonElement distribution)
    {
        var sorted = values.Where((_, row) => fooled[row]).Order().ToArray();
        if (sorted.Length == 0)
        {
            Assert.All(["mean", "median", "worst"], name => Assert.Equal(JsonValueKind.Null, distribution.GetProperty(name).ValueKind));
            return;
        }

        var middle = sorted.Length / 2;
        Assert.Equal(sorted.Average(), distribution.GetProperty("mean").GetDouble(), Rounding);
        Assert.Equal(sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2, distribution.GetProperty("median").GetDouble(), Rounding);
        Assert.Equal(sorted[^1], distribution.GetProperty("worst").GetDouble(), Rounding);
    }
}
