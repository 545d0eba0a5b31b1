using System.Text.Json.Nodes;
using Brink.Attacks;
using Brink.Data;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using Brink.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Evaluation.Tests.Runs;

[Trait("speed", "slow")]
public sealed class RunFolderTests : IDisposable
{
    private const int BatchSize = 2;
    private const int Count = 9;
    private const int Ranges = 5;

    private readonly TemporaryFolder _folder = new();
    private readonly LoadedModel _model = ModelCatalog.Load("signs", null);
    private readonly ImageSet _images = DataCatalog.Open("signs", skip: 3, limit: Count);
    private readonly CountingAttack _attack = new(AttackCatalog.Create("tr[radius=0.5]").Attack);

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_run_that_is_cancelled_repeatedly_ends_with_the_same_files(int seed)
    {
        var random = new Random(seed);
        var whole = Run("whole");
        var runsOfWhole = _attack.Runs;
        _attack.Runs = 0;

        AttackSummary part;
        var interruptions = 0;
        do
        {
            using var cancellation = new CancellationTokenSource();
            var until = random.Next(1, Ranges);
            _attack.Before = _ => { if (until-- == 0) { cancellation.Cancel(); } };
            part = Run("part", resume: true, cancellationToken: cancellation.Token);
            interruptions++;
        }
        while (part.Images < Count);

        Assert.True(interruptions > 1, "The run was not interrupted.");
        Assert.Equal(runsOfWhole + interruptions - 1, _attack.Runs);
        AssertSameRun(whole, part);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(Ranges - 1)]
    public void A_range_that_cannot_be_stored_ends_the_run_and_earlier_ranges_remain(int healthy)
    {
        var whole = Run("whole");
        using (var failed = new AttackEvaluation(Opened(), _attack, BatchSize).Run(_images, progress: null, new FailingStore(Open("part"), healthy), CancellationToken.None))
        {
            Assert.IsType<BadInputException>(failed.Failure);
            Assert.Equal(healthy + 1, failed.Ranges.Count);
        }

        _attack.Runs = 0;
        AssertSameRun(whole, Run("part", resume: true));
        Assert.Equal(Ranges - healthy, _attack.Runs);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(1000)]
    [InlineData(-1)]
    public void A_truncated_range_is_computed_again(int length) => AssertComputedAgain(bytes => length < 0 ? bytes[..^-length] : bytes[..length]);

    [Theory]
    [InlineData(3)]
    [InlineData(-1)]
    [InlineData(-20_000)]
    public void A_range_with_a_flipped_bit_is_computed_again(int position) => AssertComputedAgain(bytes =>
    {
        bytes[position < 0 ? bytes.Length + position : position] ^= 0x10;
        return bytes;
    });

    [Fact]
    public void A_range_of_another_length_is_computed_again() =>
        AssertComputedAgain(_ => File.ReadAllBytes(Path.Combine(_folder.Path, "part", "ranges", "000008.safetensors")));

    [Fact]
    public void A_stored_range_is_read_without_loss()
    {
        using var scope = NewDisposeScope();
        double[] numbers = [0, -0.0, 1.0 / 3, double.Epsilon, double.MaxValue, double.MinValue, double.PositiveInfinity, double.NaN, double.NegativeInfinity];
        var images = Enum.GetValues<AttackExit>().Select((exit, index) => new EvaluatedImage(
            index,
            new Outcome { Label = index, PredictionBefore = -1, PredictionAfter = long.MaxValue, Target = 2, Exit = exit, L2 = numbers[index], LInf = 0.1, L1 = numbers[^(index + 1)], Relative = numbers[^(index + 1)], Iterations = int.MaxValue, Forwards = 3, Backwards = 4, Underflowed = index % 2 == 0 },
            numbers[index])).ToArray();
        using var range = new EvaluatedRange(images, rand(images.Length, 3, 2, 2), full([images.Length, 3, 2, 2], -0.0f), Seconds: 1.0 / 7);
        IRangeStore folder = Open("folder");
        folder.Store(0, range);

        using var found = ((IRangeStore)Open("folder", resume: true)).Find(0, images.Length)!;
        Assert.Equal(images, found.Images);
        Assert.Equal(1.0 / 7, found.Seconds);
        Assert.True(range.Original.bytes.SequenceEqual(found.Original.bytes));
        Assert.True(range.Adversarial.bytes.SequenceEqual(found.Adversarial.bytes));
    }

    [Fact]
    public void A_range_of_an_older_version_has_no_underflow()
    {
        using var range = RangeFile.Read(Edited(results =>
        {
            Assert.All(results["Images"]!.AsArray(), image => Assert.True(image!["Outcome"]!.AsObject().Remove("Underflowed")));
            return results;
        }));
        Assert.All(range!.Images, image => Assert.False(image.Outcome.Underflowed));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{\"Seconds\":1,\"Images\":null}")]
    [InlineData("{\"Seconds\":1,\"Images\":[null,null]}")]
    [InlineData("{\"Seconds\":1,\"Images\":[{\"Index\":0,\"Outcome\":null,\"RelativeNormalized\":0}]}")]
    public void A_range_without_results_is_computed_again(string results) => Assert.Null(RangeFile.Read(Edited(_ => JsonNode.Parse(results))));

    [Fact]
    public void A_complete_run_is_not_computed_again()
    {
        var whole = Run("whole");
        var files = Contents("whole");
        _attack.Runs = 0;
        var again = Run("whole", resume: true);
        Assert.Equal(0, _attack.Runs);
        Assert.Equal(ResultFolder.ToJson(whole), ResultFolder.ToJson(again));
        Assert.Equal(files, Contents("whole"));
    }

    [Fact]
    public void A_run_that_was_killed_during_cleanup_is_complete()
    {
        Run("whole");
        var part = Interrupted("part");
        foreach (var file in Directory.GetFiles(_folder["whole"]))
        {
            File.Copy(file, Path.Combine(_folder.Path, "part", Path.GetFileName(file)), overwrite: true);
        }

        File.WriteAllText(Path.Combine(Folder("part"), $"images.parquet.{Guid.NewGuid():N}.partial"), "");
        _attack.Runs = 0;
        Assert.Equal(Count, Run("part", resume: true).Images);
        Assert.Equal(0, _attack.Runs);
        Assert.NotEqual(Count, part.Images);
        AssertFiles("part", "adversarial.safetensors", "images.parquet", "results.json", "run.json");
    }

    [Fact]
    public void An_unfinished_run_is_not_overwritten()
    {
        Interrupted("part");
        var files = Contents("part");
        Assert.Contains("add --resume to continue it", Assert.Throws<BadInputException>(() => Open("part")).Message, StringComparison.Ordinal);
        Assert.Equal(files, Contents("part"));
    }

    [Fact]
    public void A_complete_run_remains_until_the_next_run_stores_a_range()
    {
        Run("whole");
        var files = Contents("whole");
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Equal(0, Run("whole", cancellationToken: cancelled.Token).Images);
        Assert.Equal(files, Contents("whole"));

        using var result = new AttackEvaluation(Opened(), _attack, BatchSize).Run(_images);
        ((IRangeStore)Open("whole")).Store(0, result.Ranges[0]);
        AssertFiles("whole", "ranges/000000.safetensors", "run.json");
    }

    [Fact]
    public void Resuming_without_a_run_starts_one()
    {
        AssertSameRun(Run("whole"), Run("part", resume: true));
    }

    [Fact]
    public void Partial_files_of_a_killed_process_are_removed_at_the_end()
    {
        Interrupted("part");
        var guid = Guid.NewGuid().ToString("N");
        foreach (var name in new[] { $"results.json.{guid}.partial", $"ranges/000000.safetensors.{guid}.partial" })
        {
            File.WriteAllText(Path.Combine(_folder.Path, "part", name), "");
        }

        Run("part", resume: true);
        AssertFiles("part", "adversarial.safetensors", "images.parquet", "results.json", "run.json");
    }

    [Fact]
    public void Other_files_in_the_folder_remain()
    {
        var kept = Directory.CreateDirectory(Path.Combine(_folder.Path, "whole", "ranges"));
        File.WriteAllText(Path.Combine(kept.FullName, "notes.txt"), "mine");
        File.WriteAllText(Path.Combine(_folder.Path, "whole", "film.partial"), "mine");
        Run("whole");
        AssertFiles("whole", "adversarial.safetensors", "film.partial", "images.parquet", "ranges/notes.txt", "results.json", "run.json");
    }

    [Fact]
    public void Other_settings_are_refused_and_named()
    {
        var run = Describe();
        AssertRefused("seed: stored 0, now 7", run with { Seed = 7 });
        AssertRefused("max-iterations: stored 1000, now 5", With(run, "max-iterations", 5));
        AssertRefused("batch-size: stored 2, now 3", With(run, "batch-size", 3));
        AssertRefused("new: stored none, now true", With(run, "new", true));
        AssertRefused("attack: stored tr, now deepfool; space: stored pixel, now normalized", run with { Attack = "deepfool", Space = "normalized" });
    }

    [Fact]
    public void Settings_of_a_damaged_description_are_cut_and_counted()
    {
        Interrupted("part");
        Edit(run =>
        {
            run[new string('k', 200)] = new string('v', 200);
            run["colour"] = "\u001b[31m";
            run["weights"] = new JsonObject { ["name"] = "x", ["sha256"] = "ab" };
            Enumerable.Range(0, 9).ToList().ForEach(number => run[$"other{number}"] = number);
        });
        var message = Assert.Throws<BadInputException>(() => Open("part", resume: true)).Message;
        Assert.Contains(" and 7 more)", message, StringComparison.Ordinal);
        Assert.All(["colour: stored ?[31m, now none", "weights: stored x with SHA-256 ab, now"], part => Assert.Contains(part, message, StringComparison.Ordinal));
        Assert.InRange(message.Length, 1, 1000);

        File.WriteAllText(Path.Combine(Folder("part"), "run.json"), "{\"attack\":\"\\ud800\"}");
        Assert.Contains("no readable run.json", Assert.Throws<BadInputException>(() => Open("part", resume: true)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_model_or_other_images_are_refused_and_named()
    {
        using var scope = NewDisposeScope();
        using var other = ModelCatalog.Load("signs", null);
        using (no_grad())
        {
            other.Module.state_dict()["fc.bias"][0].add_(1e-3);
        }

        Interrupted("part");
        var run = Describe();
        string Refuse(LoadedModel model, ImageSet images) => Assert.Throws<BadInputException>(() => RunFolder.Open(Folder("part"), run, model, images, resume: true)).Message;
        Assert.Matches(@"\(weights: stored embedded with SHA-256 \w{12}…, now embedded with SHA-256 \w{12}…\)", Refuse(other, _images));
        Assert.Contains("(images: stored 9, now 4)", Refuse(_model, _images.Take(4)), StringComparison.Ordinal);

        var pixels = Enumerable.Range(0, Count).SelectMany(index => _images.Pixels(index).ToArray()).ToArray();
        var labels = Enumerable.Range(0, Count).Select(_images.Label).ToArray();
        ImageSet Copy() => new("copy", _images.ClassNames, 3, 32, 32, pixels, labels);
        RunFolder.Open(Folder("part"), run with { Data = "another name" }, _model, Copy(), resume: true);
        pixels[^1]++;
        Assert.Matches(@"\(data: stored signs with SHA-256 \w{12}…, now signs with SHA-256 \w{12}…\)", Refuse(_model, Copy()));
        pixels[^1]--;
        labels[^1] = (labels[^1] + 1) % 10;
        Assert.Contains("(data: stored signs", Refuse(_model, Copy()), StringComparison.Ordinal);
    }

    [Fact]
    public void Another_version_may_continue_a_run()
    {
        Interrupted("part");
        Edit(run => run["brink-version"] = "0.0.1");
        _attack.Runs = 0;
        Assert.Equal(Count, Run("part", resume: true).Images);
        Assert.Equal(Ranges - 3, _attack.Runs);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData(null)]
    public void Ranges_without_a_description_are_refused_and_remain(string? description)
    {
        Interrupted("part");
        var path = Path.Combine(Folder("part"), "run.json");
        File.Delete(path);
        if (description is not null)
        {
            File.WriteAllText(path, description);
        }

        Assert.Contains("no readable run.json", Assert.Throws<BadInputException>(() => Open("part", resume: true)).Message, StringComparison.Ordinal);
        Assert.Throws<BadInputException>(() => Open("part"));
    }

    [Fact]
    public void Storing_and_reading_ranges_leaks_no_tensor()
    {
        Run("warm");
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Interrupted("part");
        File.WriteAllBytes(Path.Combine(Folder("part"), "ranges", "000000.safetensors"), [1]);
        Run("part", resume: true);
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private static RunDescription With(RunDescription run, string key, object value) =>
        run with { Options = new Dictionary<string, object>(run.Options, StringComparer.Ordinal) { [key] = value } };

    private static RunDescription Describe() => new()
    {
        Attack = "tr",
        Norm = "l2",
        Space = "pixel",
        Target = "best",
        Criterion = "misclassified",
        Model = "signs",
        Data = "signs",
        Seed = 0,
        Options = new SortedDictionary<string, object>(AttackCatalog.Create("tr[radius=0.5]").Options.ToDictionary(), StringComparer.Ordinal) { ["batch-size"] = BatchSize, ["weights"] = "embedded", ["mean"] = new[] { 0.5, 0.25 } },
    };

    private string Folder(string name) => _folder[name];

    private OpenedModel Opened() => new(_model, InputSpace.Pixel);

    private RunFolder Open(string name, bool resume = false) => RunFolder.Open(Folder(name), Describe(), _model, _images, resume);

    private AttackSummary Run(string name, bool resume = false, CancellationToken cancellationToken = default)
    {
        torch.set_num_threads(1);
        var folder = Open(name, resume);
        if (folder.Finished is { } finished)
        {
            return finished;
        }

        using var result = new AttackEvaluation(Opened(), _attack, BatchSize).Run(_images, folder: folder, cancellationToken: cancellationToken);
        var summary = AttackSummary.Of(Describe(), result);
        if (result.Images.Count > 0)
        {
            summary = folder.Write(summary, result);
            Assert.Equal(result.Ranges.Sum(range => range.Seconds), summary.Seconds);
        }

        return summary;
    }

    /// <summary>Runs three ranges and then cancels.</summary>
    private AttackSummary Interrupted(string name)
    {
        using var cancellation = new CancellationTokenSource();
        var left = 3;
        _attack.Before = _ => { if (left-- == 0) { cancellation.Cancel(); } };
        var part = Run(name, cancellationToken: cancellation.Token);
        _attack.Before = null;
        Assert.Equal(3 * BatchSize, part.Images);
        return part;
    }

    private void AssertComputedAgain(Func<byte[], byte[]> damage)
    {
        var whole = Run("whole");
        // Every range is stored, but the result files are not written.
        using (var result = new AttackEvaluation(Opened(), _attack, BatchSize).Run(_images, folder: Open("part")))
        {
            Assert.True(result.IsComplete);
        }

        var path = Path.Combine(Folder("part"), "ranges", "000004.safetensors");
        File.WriteAllBytes(path, damage(File.ReadAllBytes(path)));
        _attack.Runs = 0;
        AssertSameRun(whole, Run("part", resume: true));
        Assert.Equal(1, _attack.Runs);
    }

    private void AssertSameRun(AttackSummary whole, AttackSummary part)
    {
        AssertFiles("part", "adversarial.safetensors", "images.parquet", "results.json", "run.json");
        foreach (var name in new[] { "adversarial.safetensors", "images.parquet" })
        {
            Assert.True(File.ReadAllBytes(Path.Combine(Folder("whole"), name)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(Folder("part"), name))), name);
        }

        Assert.Equal(ResultFolder.ToJson(whole with { Seconds = 0, SecondsPerImage = 0 }), ResultFolder.ToJson(part with { Seconds = 0, SecondsPerImage = 0 }));
        Assert.True(part.Seconds > 0);
    }

    /// <summary>Changes the results in the first range of an interrupted run, and its checksum, and returns the path of the range.</summary>
    private string Edited(Func<JsonNode, JsonNode?> edit)
    {
        Interrupted("part");
        var path = Directory.GetFiles(Path.Combine(_folder["part"], "ranges")).Order(StringComparer.Ordinal).First();
        using var scope = NewDisposeScope();
        var tensors = Safetensors.Read(path).ToDictionary(StringComparer.Ordinal);
        tensors.Remove("checksum");
        tensors["results"] = tensor(System.Text.Encoding.UTF8.GetBytes(edit(JsonNode.Parse(tensors["results"].bytes)!)?.ToJsonString() ?? "null"));
        tensors["checksum"] = tensor(Fingerprint.Of(tensors));
        using var stream = File.Create(path);
        Safetensors.Write(stream, tensors);
        return path;
    }

    private void AssertFiles(string name, params string[] files) => Assert.Equal(files, Contents(name).Keys, StringComparer.Ordinal);

    private void AssertRefused(string differences, RunDescription run)
    {
        if (!Directory.Exists(Folder("part")))
        {
            Interrupted("part");
        }

        var message = Assert.Throws<BadInputException>(() => RunFolder.Open(Folder("part"), run, _model, _images, resume: true)).Message;
        Assert.Contains($"({differences})", message, StringComparison.Ordinal);
    }

    private void Edit(Action<JsonObject> edit)
    {
        var path = Path.Combine(Folder("part"), "run.json");
        var run = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        edit(run);
        File.WriteAllText(path, run.ToJsonString());
    }

    /// <summary>Returns the content of every file below a folder, in base 64.</summary>
    private SortedDictionary<string, string> Contents(string name) => new(
        Directory.EnumerateFiles(Folder(name), "*", SearchOption.AllDirectories)
            .ToDictionary(file => Path.GetRelativePath(Folder(name), file).Replace('\\', '/'), file => Convert.ToBase64String(File.ReadAllBytes(file)), StringComparer.Ordinal),
        StringComparer.Ordinal);

    private sealed class FailingStore(IRangeStore inner, int healthy) : IRangeStore
    {
        private int _stored;

        public EvaluatedRange? Find(int start, int count) => inner.Find(start, count);

        public void Store(int start, EvaluatedRange range)
        {
            if (_stored++ == healthy)
            {
                throw new BadInputException("The disk is full.");
            }

            inner.Store(start, range);
        }
    }

    private sealed class CountingAttack(IAttack inner) : IAttack
    {
        public int Runs { get; set; }

        public Action<int>? Before { get; set; }

        public string Name => inner.Name;

        public Norm Norm => inner.Norm;

        public AttackResult Run(IClassifier classifier, Tensor images, Tensor labels, Criterion? criterion = null, IReadOnlyList<long>? indices = null, int? maxPasses = null, IProgress<AttackProgress>? progress = null, CancellationToken cancellationToken = default)
        {
            Runs++;
            Before?.Invoke(Runs);
            return inner.Run(classifier, images, labels, criterion, indices, maxPasses, progress, cancellationToken);
        }
    }
}
