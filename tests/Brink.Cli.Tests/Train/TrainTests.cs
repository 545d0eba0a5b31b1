using System.Text.Json.Nodes;

namespace Brink.Cli.Tests.Train;

[Trait("speed", "slow")]
public sealed class TrainTests : IDisposable
{
    private static readonly string[] Flags = ["train", "--model", "mlp-swish", "--data", "signs", "--limit", "48", "--hold-out", "20", "--epochs", "2", "--batch-size", "16", "--learning-rate", "1/20", "--threads", "1"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_run_prints_its_results_and_writes_weights_that_attack_reads()
    {
        var run = Invocation.Of([.. Flags, "--test-data", "signs", "--out", _folder["run"], "--export", _folder["weights.safetensors"], "--half"]).AssertDone();
        Assert.Contains("mlp-swish: 2 epochs of 48 images", run.Output, StringComparison.Ordinal);
        Assert.Contains("waiting for data", run.Output, StringComparison.Ordinal);
        Assert.All([run.Output, run.Error], text => Assert.Contains("Note: 48 of the 1000 test images are also training images", text, StringComparison.Ordinal));
        Assert.Contains("epoch 1 of 2: loss ", run.Error, StringComparison.Ordinal);
        foreach (var file in new[] { "checkpoint.safetensors", "last.safetensors", "best.safetensors", "history.csv", "history.png" })
        {
            Assert.True(File.Exists(Path.Combine(_folder["run"], file)), file);
        }

        Assert.Equal(3, File.ReadAllLines(Path.Combine(_folder["run"], "history.csv")).Length);
        Assert.InRange(new FileInfo(_folder["weights.safetensors"]).Length, 1, 0.51 * new FileInfo(Path.Combine(_folder["run"], "last.safetensors")).Length);
        Invocation.Of("attack", "--model", "mlp-swish", "--weights", _folder["weights.safetensors"], "--data", "signs", "--limit", "4", "--quiet").AssertDone();
    }

    [Fact]
    public void Json_holds_the_options_and_the_history()
    {
        var run = Invocation.Of([.. Flags, "--out", _folder["run"], "--quiet", "--json"]).AssertDone();
        Assert.Empty(run.Error);
        var outcome = JsonNode.Parse(run.Output)!;
        Assert.Equal((48, 20), ((int)outcome["images"]!, (int)outcome["heldOut"]!));
        Assert.Equal("0.05", (string)outcome["options"]!["learning-rate"]!);
        Assert.Equal(2, outcome["history"]!.AsArray().Count);
        Assert.Null(outcome["testAccuracy"]);
    }

    [Fact]
    public void An_interrupted_and_resumed_run_exports_the_same_file()
    {
        Invocation.Of([.. Flags, "--quiet", "--out", _folder["uninterrupted"], "--export", _folder["whole"]]).AssertDone();
        string[] part = [.. Flags, "--out", _folder["run"], "--export", _folder["resumed"]];
        using (var cancellation = new CancellationTokenSource())
        {
            using var error = new Watcher("epoch 1 of 2", cancellation.Cancel);
            Assert.Equal(130, CommandLine.Run(part, TextWriter.Null, error, cancellation.Token));
            Assert.Contains("--resume continues", error.ToString(), StringComparison.Ordinal);
        }

        Assert.False(File.Exists(_folder["resumed"]));
        Invocation.Of([.. part, "--quiet", "--resume"]).AssertDone();
        Assert.Equal(File.ReadAllBytes(_folder["whole"]), File.ReadAllBytes(_folder["resumed"]));
    }

    [Fact]
    public void A_run_starts_with_the_given_weights()
    {
        Invocation.Of([.. Flags, "--quiet", "--out", _folder["one"], "--export", _folder["first"]]).AssertDone();
        // With so small a learning rate the weights do not change.
        var still = Flags.Select(flag => flag == "1/20" ? "1e-30" : flag);
        Invocation.Of([.. still, "--quiet", "--weights", _folder["first"], "--out", _folder["two"], "--export", _folder["second"]]).AssertDone();
        Assert.Equal(File.ReadAllBytes(_folder["first"]), File.ReadAllBytes(_folder["second"]));
    }

    [Theory]
    [InlineData("There is no untrained model named 'vgg'", "--model", "vgg")]
    [InlineData("There is no untrained model named 'signs'", "--model", "signs")]
    [InlineData("There is no data set named 'mnist'", "--data", "mnist")]
    [InlineData("The number of epochs must be at least 1, but 0 was given", "--epochs", "0")]
    [InlineData("takes a whole number", "--epochs", "many")]
    [InlineData("takes a number such as 0.05 or 4/255, but 'fast'", "--learning-rate", "fast")]
    [InlineData("takes a number such as 0.05 or 4/255, but '1/0'", "--learning-rate", "1/0")]
    [InlineData("The schedule must be one-cycle, cosine, step or constant, but 'linear'", "--schedule", "linear")]
    [InlineData("The augmentation must be crop,flip, crop, flip or none, but 'rotate'", "--augment", "rotate")]
    [InlineData("The flag --half sets the format of exported weights", "--half")]
    [InlineData("cannot be created", "--out", "")]
    [InlineData("but an empty name was given", "--export", "")]
    [InlineData("but '.' is a folder", "--export", ".")]
    [InlineData("use cifar10:train", "--data", "cifar10")]
    [InlineData("The epsilon of adversarial training must be positive and at most 1", "--adversarial", "pgd", "--epsilon", "4")]
    [InlineData("its folder does not exist", "--export", "no/such/folder/weights.safetensors")]
    [InlineData("a batch of 128 images, but there are 100", "--limit", "100")]
    [InlineData("The flag --adversarial takes fgsm, ifgsm, pgd, tr, but 'cw'", "--adversarial", "cw")]
    [InlineData("The flag --epsilon requires --adversarial NAME", "--epsilon", "4/255")]
    [InlineData("The flag --growth-patience requires --max-batch N", "--growth-patience", "2")]
    [InlineData("The flag --target requires --adversarial tr", "--adversarial", "fgsm", "--target", "most-likely")]
    [InlineData("must be most-likely or least-likely, but 'hardest'", "--adversarial", "tr", "--target", "hardest")]
    [InlineData("The method fgsm has one step, but 3 were given", "--adversarial", "fgsm", "--attack-steps", "3")]
    [InlineData("The number of attack steps must be at least 1", "--adversarial", "ifgsm", "--attack-steps", "0")]
    [InlineData("The adversarial share must be above 0 and at most 1, but 2", "--adversarial", "ifgsm", "--adversarial-share", "2")]
    [InlineData("The maximum batch size must be at least the batch size, 128, but 64", "--max-batch", "64")]
    [InlineData("hold out must be at least 0 and below 1000", "--hold-out", "1000")]
    public void Bad_input_is_rejected_with_a_sentence(string sentence, params string[] flags)
    {
        string[] model = flags.Contains("--model") ? [] : ["--model", "mlp-swish"];
        string[] data = flags.Contains("--data") ? [] : ["--data", "signs"];
        string[] folder = flags.Contains("--out") ? [] : ["--out", _folder["run"]];
        Assert.Contains(sentence, Invocation.Of(["train", .. model, .. data, .. folder, .. flags]).AssertRefused(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_history_contains_the_adversarial_share_and_the_batch_size()
    {
        var run = Invocation.Of([.. Flags, "--out", _folder["run"], "--adversarial", "tr", "--target", "most-likely", "--epsilon", "1/255", "--adversarial-until", "1", "--max-batch", "32", "--growth-patience", "1", "--eigenvalue-images", "8", "--quiet", "--json"]).AssertDone();
        var outcome = JsonNode.Parse(run.Output)!;
        Assert.Equal(("tr", "most-likely", "1"), ((string)outcome["options"]!["adversarial"]!, (string)outcome["options"]!["target"]!, (string)outcome["options"]!["attack-steps"]!));
        var history = outcome["history"]!.AsArray();
        Assert.Equal([16, 32], history.Select(epoch => (int)epoch!["batchSize"]!));
        Assert.Equal([0.5, 0], history.Select(epoch => (double)epoch!["adversarialShare"]!));
        Assert.All(history, epoch => Assert.True((double)epoch!["eigenvalue"]! != 0));
    }

    [Theory]
    [InlineData("--model", "--data", "signs", "--out", "run")]
    [InlineData("--data", "--model", "mlp-swish", "--out", "run")]
    [InlineData("--out", "--model", "mlp-swish", "--data", "signs")]
    public void A_run_requires_a_model_data_and_a_folder(string missing, params string[] given) =>
        Assert.Contains($"'{missing}' is required", Invocation.Of(["train", .. given]).AssertRefused(), StringComparison.Ordinal);

    private sealed class Watcher(string word, Action act) : StringWriter
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value?.StartsWith(word, StringComparison.Ordinal) == true)
            {
                act();
            }
        }
    }
}
