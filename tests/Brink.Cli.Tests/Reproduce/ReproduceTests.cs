using System.Globalization;
using System.Text.Json;
using Brink.Models;
using Brink.Models.Architectures;
using static TorchSharp.torch;

namespace Brink.Cli.Tests.Reproduce;

/// <summary>Tables with random weights and images of noise. The values are meaningless, but are computed in the same way.</summary>
[Trait("speed", "slow")]
public sealed class ReproduceTests : IDisposable
{
    private const int Images = 4;
    private const int Misclassified = 1;
    private const string Without = "tr-paper,tr-adaptive,tr-fixed";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Without_weights_only_the_values_of_the_paper_are_printed()
    {
        var output = Invocation.Of("reproduce", "table2").AssertDone().Output;
        Assert.Contains("| 1.71 / 8.01 | – ", output, StringComparison.Ordinal);
        Assert.Contains("add --weights resnet20=FILE", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("table1", "AlexLike, 85.78 % accuracy in the paper: not measured; to measure it, add --weights alexlike=FILE.", "| 1.74 / 11.0 |")]
    [InlineData("table1", "WResNet, 94.77 % accuracy in the paper: not measured; to measure it, add --weights wresnet16-4=FILE.", "| 0.66 / 4.51 |")]
    [InlineData("table3", "VGG16, 71.6 % accuracy in the paper: not measured; to measure it, add --weights vgg16=FILE. The L∞ part of the paper's table gives 71.5. vgg16-397923af.pth from https://download.pytorch.org/models/ contains fitting weights.", "| 0.20 / 4.1 |")]
    [InlineData("table4", "DenseNet121, 74.4 % accuracy in the paper: not measured; to measure it, add --weights densenet121=FILE. densenet121-a639ec97.pth", "| 0.36 / 11.6 |")]
    public void The_remarks_name_the_source_of_weights_of_each_network(string table, string remark, string cell)
    {
        var output = Invocation.Of("reproduce", table).AssertDone().Output;
        Assert.Contains(remark, output, StringComparison.Ordinal);
        Assert.Contains(cell, output, StringComparison.Ordinal);
    }

    [Fact]
    public void Measured_values_are_printed_beside_those_of_the_paper()
    {
        using var table = JsonDocument.Parse(Run("--json", "--without", "tr-paper,tr-adaptive").AssertDone().Output);
        var rows = table.RootElement.GetProperty("rows").EnumerateArray().ToArray();
        Assert.Equal(4 * 3 * 2, rows.Length);
        var run = rows.Where(row => row.GetProperty("ours").ValueKind == JsonValueKind.Object).ToArray();
        Assert.Equal(["l2 deepfool", "l2 tr-fixed", "linf deepfool", "linf tr-fixed"], run.Select(row => $"{row.GetProperty("norm")} {row.GetProperty("key")}"), StringComparer.Ordinal);
        Assert.All(run, row =>
        {
            var ours = row.GetProperty("ours");
            Assert.Equal("ResNet", row.GetProperty("network").GetString());
            Assert.Equal((Images, Images - Misclassified), (ours.GetProperty("images").GetInt32(), ours.GetProperty("attacked").GetInt32()));
            Assert.True(ours.GetProperty("fooled").GetInt32() > 0);
            Assert.Equal(ours.GetProperty("meanOverFooled").GetDouble() * ours.GetProperty("fooled").GetInt32() / (ours.GetProperty("fooled").GetInt32() + Misclassified), ours.GetProperty("average").GetDouble(), 1e-9);
        });
    }

    [Fact]
    public void A_resumed_table_equals_an_uninterrupted_one()
    {
        Run("--out", _folder["whole"]).AssertDone();
        using var cancellation = new CancellationTokenSource();
        using var error = new Watcher(line => { if (line.Contains("linf, deepfool", StringComparison.Ordinal)) { cancellation.Cancel(); } });
        using var output = new StringWriter();
        Assert.Equal(130, CommandLine.Run(Arguments("--out", _folder["part"]), output, error, cancellation.Token));
        Assert.Contains("- Only 1 of 2 runs were finished.", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("--resume continues the table", output.ToString(), StringComparison.Ordinal);

        var resumed = Run("--out", _folder["part"], "--resume").AssertDone();
        Assert.DoesNotContain("l2, deepfool", resumed.Error, StringComparison.Ordinal);
        Assert.Contains("linf, deepfool", resumed.Error, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllText(Path.Combine(_folder["whole"], "table2.md")), File.ReadAllText(Path.Combine(_folder["part"], "table2.md")));
        Assert.Equal(resumed.Output, File.ReadAllText(Path.Combine(_folder["part"], "table2.md")));

        var again = Run("--out", _folder["part"], "--resume").AssertDone();
        Assert.Empty(again.Error);
        Assert.Equal(resumed.Output, again.Output);
        Assert.True(File.Exists(Path.Combine(_folder["part"], "table2", "resnet20", "linf", "deepfool", "results.json")));
    }

    [Theory]
    [InlineData("no table named 'table9' to reproduce; choose table1, table2, table3, table4, table5 or figure4", "table9")]
    [InlineData("no row 'fast' to leave out; it has deepfool", "table1", "--without", "cw,fast")]
    [InlineData("takes NAME=FILE, but 'weights.pt' was given; for table1 NAME is alexlike or alexlike-s or resnet20 or wresnet16-4", "table1", "--weights", "weights.pt")]
    [InlineData("no network 'vgg16'; give weights of alexlike or alexlike-s or resnet20 or wresnet16-4", "table1", "--weights", "vgg16=weights.pt")]
    [InlineData("resnet20 was given two", "table1", "--weights", "resnet20=a", "--weights", "resnet20=b")]
    [InlineData("needs images of CIFAR-10, but none were given; add --data cifar10:FILE", "table1", "--weights", "resnet20=a")]
    [InlineData("needs images of CIFAR-10, but 'signs' was given", "table1", "--weights", "resnet20=a", "--data", "signs")]
    [InlineData("needs images of CIFAR-10, but 'imagenet:val' was given", "table2", "--weights", "alexlike=a", "--data", "imagenet:val")]
    [InlineData("needs images of ImageNet, but none were given; add --data imagenet:FOLDER", "table3", "--weights", "vgg16=a")]
    [InlineData("needs images of ImageNet, but 'cifar10' was given", "table4", "--weights", "alexnet=a", "--data", "cifar10")]
    [InlineData("no network 'resnet20'; give weights of alexnet or vgg16 or resnet50 or densenet121", "table3", "--weights", "resnet20=a")]
    [InlineData("remove --steps", "table1", "--steps", "3")]
    [InlineData("needs images of ImageNet, but none were given; add --data imagenet:FOLDER", "figure4")]
    [InlineData("needs images of ImageNet, but 'signs' was given", "figure4", "--data", "signs")]
    [InlineData("no network 'fast' to leave out; it has alexnet, vgg16, resnet50, densenet121", "figure4", "--without", "fast")]
    [InlineData("no network left", "figure4", "--without", "alexnet,vgg16,resnet50,densenet121")]
    [InlineData("remove --labels", "figure4", "--labels", "labels.csv", "--data", "imagenet:val")]
    [InlineData("remove --labels", "table1", "--labels", "/dev/null", "--weights", "resnet20=a", "--data", "cifar10")]
    [InlineData("remove --resume", "figure4", "--resume", "--out", "folder")]
    [InlineData("at least 1, but 0 was given", "figure4", "--steps", "0", "--data", "imagenet:val")]
    [InlineData("for figure4 NAME is alexnet or vgg16 or resnet50 or densenet121", "figure4", "--weights", "a.pth")]
    [InlineData("add --out FOLDER", "table1", "--resume")]
    [InlineData("but the file ", "table1", "--out", "/dev/null")]
    public void Invalid_arguments_are_refused(string fragment, params string[] arguments) =>
        Assert.Contains(fragment, Invocation.Of(["reproduce", .. arguments]).AssertRefused(), StringComparison.Ordinal);

    [Fact]
    public void The_folder_of_another_run_is_refused_before_the_first_pass()
    {
        Run("--out", _folder["results"]).AssertDone();
        var error = Run("--limit", "3", "--out", _folder["results"], "--resume").AssertRefused();
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"(images: stored {Images}, now 3)"), error, StringComparison.Ordinal);
    }

    [Fact]
    public void If_a_run_fails_the_table_of_the_finished_runs_is_printed()
    {
        using var error = new Watcher(line =>
        {
            if (line.Contains("linf, deepfool", StringComparison.Ordinal))
            {
                Directory.Delete(Path.Combine(_folder["results"], "table2", "resnet20", "linf"), recursive: true);
            }
        });
        using var output = new StringWriter();
        Assert.Equal(2, CommandLine.Run(Arguments("--out", _folder["results"]), output, error, CancellationToken.None));
        Assert.Contains("- Only 1 of 2 runs were finished.", output.ToString(), StringComparison.Ordinal);
        Assert.Contains($"{Images - Misclassified} of {Images - Misclassified}", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Table_5_gives_the_accuracy_after_each_step_and_is_the_same_when_resumed()
    {
        WriteSmooth(_folder["smooth.safetensors"], _folder["noise.bin"]);
        string[] arguments = ["reproduce", "table5", "--threads", "1", "--quiet", "--weights", $"mlp-swish={_folder["smooth.safetensors"]}", "--data", $"cifar10:{_folder["noise.bin"]}", "--without", "tr2-5,tr2-10", "--out", _folder["results"]];
        var output = Invocation.Of(arguments).AssertDone().Output;
        Assert.Matches(@"\| MLP +\| TR, second order +\| paper \| 47.84 ", output);
        Assert.Contains("its row of the MLP is worse in the first", output, StringComparison.Ordinal);
        using var table = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder["results"], "table5.json")));
        var ours = table.RootElement.GetProperty("rows").EnumerateArray().Where(row => row.TryGetProperty("ourSteps", out _)).ToDictionary(row => row.GetProperty("key").GetString()!, row => row.GetProperty("ourSteps"), StringComparer.Ordinal);
        Assert.Equal(["tr", "tr2", "tr2-1", "tr2-2"], ours.Keys.Order(StringComparer.Ordinal), StringComparer.Ordinal);
        Assert.All(ours.Values, steps =>
        {
            var accuracies = steps.GetProperty("accuracies").EnumerateArray().Select(accuracy => accuracy.GetDouble()).ToArray();
            Assert.Equal(10, accuracies.Length);
            Assert.Equal(accuracies.OrderDescending(), accuracies);
            Assert.Equal(accuracies, steps.GetProperty("intervals").EnumerateArray().Select(interval => 100.0 * interval.GetProperty("correct").GetInt32() / interval.GetProperty("images").GetInt32()));
        });
        Assert.Equal(0, ours["tr"].GetProperty("productsPerStep").GetDouble());
        Assert.Equal(1, ours["tr2-1"].GetProperty("productsPerStep").GetDouble());
        Assert.Equal(2, ours["tr2-2"].GetProperty("productsPerStep").GetDouble());
        Assert.Equal(output, Invocation.Of([.. arguments, "--resume"]).AssertDone().Output);
    }

    private static void WriteSmooth(string weights, string images)
    {
        using var scope = NewDisposeScope();
        using var withoutGradients = no_grad();
        using var network = ModelCatalog.WithRandomWeights("mlp-swish", seed: 1);
        using (var file = File.Create(weights))
        {
            Safetensors.Write(file, network.Module.state_dict());
        }

        WriteNoise(images, network.Module);
    }

    private Invocation Run(params string[] flags) => Invocation.Of(Arguments(flags));

    private string[] Arguments(params string[] flags)
    {
        if (!File.Exists(_folder["random.safetensors"]))
        {
            Write(_folder["random.safetensors"], _folder["noise.bin"]);
        }

        return ["reproduce", "table2", "--threads", "1", "--weights", $"resnet20={_folder["random.safetensors"]}", "--data", $"cifar10:{_folder["noise.bin"]}", .. flags.Contains("--without") ? flags : ["--without", Without, .. flags]];
    }

    /// <summary>Writes a network with random weights, and images that it classifies correctly except the last ones.</summary>
    private static void Write(string weights, string images)
    {
        using var scope = NewDisposeScope();
        using var withoutGradients = no_grad();
        using var generator = new Generator(1);
        using var network = new CifarResNet(20);
        foreach (var (name, parameter) in network.named_parameters())
        {
            if (!name.Contains("bn", StringComparison.Ordinal) && parameter.dim() > 1)
            {
                parameter.copy_(randn(parameter.shape, generator: generator) * Math.Sqrt(2.0 / (parameter.numel() / parameter.shape[0])));
            }
        }

        using (var file = File.Create(weights))
        {
            Safetensors.Write(file, network.state_dict());
        }

        WriteNoise(images, network);
    }

    /// <summary>Writes images of noise with the predictions of a network as labels, except for the last ones.</summary>
    private static void WriteNoise(string images, nn.Module<Tensor, Tensor> network)
    {
        network.eval();
        var noise = new byte[Images * 3072];
        new Random(2).NextBytes(noise);
        var pixels = tensor(noise.Select(value => value / 255f).ToArray()).reshape(Images, 3, 32, 32);
        var predictions = network.forward(Normalization.Cifar10.Apply(pixels)).argmax(1).data<long>().ToArray();
        File.WriteAllBytes(images, [.. Enumerable.Range(0, Images).SelectMany(index => noise.AsSpan(index * 3072, 3072).ToArray().Prepend((byte)((predictions[index] + (index >= Images - Misclassified ? 1 : 0)) % 10)))]);
    }

    private sealed class Watcher(Action<string> watch) : StringWriter
    {
        public override void WriteLine(string? value) => watch(value ?? "");
    }
}
