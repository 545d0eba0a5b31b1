using System.Formats.Tar;
using System.Text.Json;
using Brink.Data;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Runs;
using Brink.Models;
using SkiaSharp;

namespace Brink.Cli.Tests.Attack;

/// <summary>Images and labels in the forms that users have them.</summary>
[Trait("speed", "slow")]
public sealed class ImageInputTests : IDisposable
{
    private const int Count = 12;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_flat_folder_needs_predicted_labels_or_a_table()
    {
        var flat = WriteSigns("flat");
        var refusal = Invocation.Of("attack", "--model", "signs", "--data", $"images:{flat}").AssertRefused();
        Assert.Contains("--labels predicted", refusal, StringComparison.Ordinal);
        Assert.Contains("--labels FILE.csv", refusal, StringComparison.Ordinal);
        using var predicted = Run("attack", "--model", "signs", "--data", $"images:{flat}", "--labels", "predicted");
        Assert.Equal((Count, 0), Counts(predicted));

        // A label that is wrong on purpose is counted as misclassified.
        var signs = TrafficSigns.Generate(TrafficSigns.TestSeed, Count);
        File.WriteAllLines(_folder["labels.csv"], Enumerable.Range(0, Count).Select(index => $"{index:D3}.png,{(index == 0 ? (signs.Label(0) + 1) % 10 : signs.Label(index))}").Prepend("file,label"));
        using var plain = Run("attack", "--data", "signs", "--limit", $"{Count}");
        var (_, misclassified) = Counts(plain);
        using var table = Run("attack", "--model", "signs", "--data", $"images:{flat}", "--labels", _folder["labels.csv"]);
        Assert.Equal((Count, misclassified + 1), Counts(table));
        using var compared = Run("compare", "--attacks", "fgsm[norm=l2]", "--model", "signs", "--data", $"images:{flat}", "--labels", _folder["labels.csv"]);
        Assert.Equal(misclassified + 1, compared.RootElement.GetProperty("notAttacked").GetInt32());
    }

    [Fact]
    public void Labels_that_are_neither_a_word_nor_a_file_are_refused() =>
        Assert.Contains("'predict'", Invocation.Of("attack", "--model", "signs", "--data", $"images:{WriteSigns("flat")}", "--labels", "predict").AssertRefused(), StringComparison.Ordinal);

    [Fact]
    public void A_class_can_be_given_by_its_name()
    {
        var names = TrafficSigns.ClassNames;
        using var byNumber = Run("attack", "--data", "signs", "--limit", "6", "--target", "3");
        foreach (var name in new[] { names[3], names[3].ToUpperInvariant() })
        {
            using var byName = Run("attack", "--data", "signs", "--limit", "6", "--target", name);
            Assert.Equal("3", byName.RootElement.GetProperty("target").GetString());
            Assert.Equal($"{byNumber.RootElement.GetProperty("perturbation")}", $"{byName.RootElement.GetProperty("perturbation")}");
        }

        Run("compare", "--data", "signs", "--limit", "2", "--attacks", $"pgd[target={names[3]},norm=l2],deepfool[target={names[3]}]").Dispose();
        var refusal = Invocation.Of("attack", "--data", "signs", "--limit", "6", "--target", "zebra").AssertRefused();
        Assert.Contains("'zebra'", refusal, StringComparison.Ordinal);
        Assert.Contains(names[0], refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Images_of_other_sizes_and_channels_are_prepared_for_the_model()
    {
        var large = WriteSigns("large", scale: 2);
        using var resized = Run("attack", "--model", "signs", "--data", $"images:{large}", "--labels", "predicted", "--resize", "32", "--crop", "32");
        Assert.Equal((Count, 0), Counts(resized));
        Assert.Equal(32, resized.RootElement.GetProperty("options").GetProperty("resize").GetInt32());
        Assert.Contains("--channels", Invocation.Of("attack", "--model", "signs", "--data", $"images:{large}", "--labels", "predicted", "--resize", "32", "--crop", "32", "--channels", "grey").AssertRefused(), StringComparison.Ordinal);
        Assert.Contains("'cmyk'", Invocation.Of("attack", "--data", "signs", "--channels", "cmyk").AssertRefused(), StringComparison.Ordinal);
    }

    [Fact]
    public void Images_of_several_sizes_are_prepared_for_training()
    {
        var root = _folder["train"];
        foreach (var letter in "abcdefghij")
        {
            WriteSigns(Path.Combine("train", $"{letter}"), scale: 2);
        }

        string[] command = ["train", "--model", "resnet20", "--data", $"images:{root}", "--epochs", "1", "--batch-size", "8", "--out", _folder["run"], "--quiet"];
        Assert.Contains("--resize", Invocation.Of(command).AssertRefused(), StringComparison.Ordinal);
        Invocation.Of([.. command, "--resize", "32", "--crop", "32"]).AssertDone();
    }

    [Fact]
    public void Images_for_training_and_tests_have_tables_of_labels()
    {
        var flat = WriteSigns("flat");
        foreach (var (name, shift) in new[] { ("training.csv", 0), ("test.csv", 1) })
        {
            File.WriteAllLines(_folder[name], Enumerable.Range(0, Count).Select(index => $"{index:D3}.png,{(index + shift) % 10}"));
        }

        string[] command = ["train", "--model", "resnet20", "--data", $"images:{flat}", "--test-data", $"images:{flat}", "--epochs", "40", "--batch-size", "12", "--augment", "none", "--out", _folder["run"], "--json", "--quiet"];
        Assert.Contains("--labels FILE.csv", Invocation.Of(command).AssertRefused(), StringComparison.Ordinal);
        Assert.Contains("'predicted'", Invocation.Of([.. command, "--labels", "predicted"]).AssertRefused(), StringComparison.Ordinal);
        using var summary = Run([.. command.Where(flag => flag is not ("--json" or "--quiet")), "--labels", _folder["training.csv"], "--test-labels", _folder["test.csv"]]);
        // The network learns its labels by heart, and those of the test images are all others.
        Assert.InRange(summary.RootElement.GetProperty("trainAccuracy").GetDouble(), 0.75, 1);
        Assert.InRange(summary.RootElement.GetProperty("testAccuracy").GetDouble(), 0, 0.25);
    }

    [Fact]
    public async Task An_archive_is_read_through_a_pipe()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs a shell of Unix");
        var flat = WriteSigns("flat");
        using (var writer = new TarWriter(File.Create(_folder["images.tar"])))
        {
            foreach (var file in Directory.GetFiles(flat))
            {
                await writer.WriteEntryAsync(file, $"a/{Path.GetFileName(file)}", TestContext.Current.CancellationToken);
            }
        }

        using var process = Shell($"cat '{_folder["images.tar"]}' | BRINK attack --model signs --data images:/dev/stdin --labels predicted --threads 1 --quiet --json");
        Assert.Equal(0, await process.ExitCodeAsync());
        using var results = JsonDocument.Parse(process.Output);
        Assert.Equal((Count, 0), Counts(results));
    }

    [Theory]
    [InlineData("BRINK models >&-", 0)]
    [InlineData("BRINK models >&- 2>&-", 0)]
    [InlineData("BRINK --help >&-", 0)]
    [InlineData("BRINK attack --limit 2 --threads 1 --quiet >&-", 0)]
    [InlineData("BRINK attack --limit 2 --threads 1 --json >&-", 0)]
    [InlineData("BRINK compare --limit 2 --threads 1 --attacks fgsm --quiet >&-", 0)]
    [InlineData("BRINK attack --attack none >&-", 2)]
    [InlineData("BRINK attack --attack none 2>&-", 2)]
    public async Task A_closed_output_ends_quietly(string command, int exitCode)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs a shell of Unix");
        using var process = Shell(command);
        Assert.Equal(exitCode, await process.ExitCodeAsync());
        Assert.DoesNotContain("   at ", process.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_batch_of_large_images_is_bounded_by_the_memory()
    {
        var noise = new byte[3 * 3 * 1000 * 1000];
        new Random(1).NextBytes(noise);
        var images = new ImageSet("large", ["a"], 3, 1000, 1000, noise, new long[3]);
        using var network = new MeanColour();
        using var loaded = new LoadedModel("mean", network, 3, new([0], [1]));
        var model = new OpenedModel(loaded, InputSpace.Pixel);
        ConfiguredAttack[] attacks = [AttackCatalog.Create("tr")];
        Assert.Equal((64, null), MemoryBound.Apply(model, images, attacks, 64, 1L << 40));
        var (size, note) = MemoryBound.Apply(model, images, attacks, 64, ResidentMemory.Measure() + (600L << 20));
        Assert.InRange(size, 1, 2);
        Assert.Contains("--memory", note, StringComparison.Ordinal);
        var passes = network.Passes;
        Assert.Contains("--memory allows", Assert.Throws<BadInputException>(() => MemoryBound.Apply(model, images, attacks, 64, 100L << 20)).Message, StringComparison.Ordinal);
        // The copies of one image are 216 MB.
        Assert.Contains("at least", Assert.Throws<BadInputException>(() => MemoryBound.Apply(model, images, attacks, 64, ResidentMemory.Measure() + (150L << 20))).Message, StringComparison.Ordinal);
        Assert.Equal(passes, network.Passes);
    }

    [Fact]
    public void The_memory_does_not_change_results()
    {
        using var free = Run("attack", "--data", "signs", "--limit", "4");
        using var bounded = Run("attack", "--data", "signs", "--limit", "4", "--memory", "8G");
        Assert.Equal($"{free.RootElement.GetProperty("perturbation")}", $"{bounded.RootElement.GetProperty("perturbation")}");
        foreach (var size in new[] { "4", "G", "-1G", "0G", "many", "100M" })
        {
            Assert.Contains("--memory", Invocation.Of("attack", "--data", "signs", "--limit", "4", "--memory", size).AssertRefused(), StringComparison.Ordinal);
        }
    }

    private static TestProcess Shell(string command) => TestProcess.Start("sh", "-c", command.Replace("BRINK", $"'{Path.Combine(AppContext.BaseDirectory, "Brink.Cli")}'", StringComparison.Ordinal));

    private static (int Images, int Misclassified) Counts(JsonDocument results) => (results.RootElement.GetProperty("images").GetInt32(), results.RootElement.GetProperty("misclassified").GetInt32());

    private static JsonDocument Run(params string[] arguments) => JsonDocument.Parse(Invocation.Of([.. arguments, "--json", "--quiet"]).AssertDone().Output);

    private string WriteSigns(string name, int scale = 1)
    {
        var signs = TrafficSigns.Generate(TrafficSigns.TestSeed, Count);
        var plane = signs.Width * signs.Height;
        Directory.CreateDirectory(_folder[name]);
        for (var index = 0; index < Count; index++)
        {
            var pixels = signs.Pixels(index).ToArray();
            // Images of different proportions.
            using var bitmap = new SKBitmap(signs.Width * scale, (signs.Height * scale) + (scale > 1 ? index : 0), SKColorType.Rgba8888, SKAlphaType.Opaque);
            for (var pixel = 0; pixel < bitmap.Width * bitmap.Height; pixel++)
            {
                var (x, y) = (pixel % bitmap.Width, pixel / bitmap.Width);
                var from = (Math.Min(y / scale, signs.Height - 1) * signs.Width) + (x / scale);
                bitmap.SetPixel(x, y, new(pixels[from], pixels[plane + from], pixels[(2 * plane) + from]));
            }

            using var png = bitmap.Encode(SKEncodedImageFormat.Png, 100);
            File.WriteAllBytes(Path.Combine(_folder[name], $"{index:D3}.png"), png.ToArray());
        }

        return _folder[name];
    }

    /// <summary>A network whose logits are the means of the three colours.</summary>
    private sealed class MeanColour() : TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>("mean")
    {
        public int Passes { get; private set; }

        public override TorchSharp.torch.Tensor forward(TorchSharp.torch.Tensor input)
        {
            Passes++;
            return input.mean([2, 3]);
        }
    }
}
