using System.Text.Json;
using Brink.Data;
using Brink.Models;
using SkiaSharp;
using static TorchSharp.torch;

namespace Brink.Cli.Tests.Reproduce;

/// <summary>ImageNet tables and Figure 4 with the smallest network, random weights and one image of noise.</summary>
[Trait("speed", "slow")]
public sealed class ImageNetTests : IDisposable
{
    private const string Network = "densenet121";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_ImageNet_table_is_computed_from_images_with_a_table_of_labels()
    {
        WritePicture("");
        using var network = ModelCatalog.WithRandomWeights(Network);
        using (var file = File.Create(_folder["random.safetensors"]))
        {
            Safetensors.Write(file, network.Module.state_dict());
        }

        // The prediction of the network becomes the label, so that the image is attacked.
        File.WriteAllText(_folder["labels.csv"], $"0.png,{ImageNetFolder.Synsets[(int)Prediction(network)]}\n");
        var output = Invocation.Of("reproduce", "table4", "--threads", "1", "--quiet", "--json", "--weights", $"{Network}={_folder["random.safetensors"]}", "--data", $"imagenet:{_folder["images"]}", "--labels", _folder["labels.csv"], "--without", "deepfool,tr-fixed,tr-adaptive").AssertDone().Output;
        using var table = JsonDocument.Parse(output);
        var run = table.RootElement.GetProperty("rows").EnumerateArray().Where(row => row.GetProperty("ours").ValueKind == JsonValueKind.Object).ToArray();
        Assert.Equal(["l2 tr-paper", "linf tr-paper"], run.Select(row => $"{row.GetProperty("norm")} {row.GetProperty("key")}"), StringComparer.Ordinal);
        Assert.All(run, row =>
        {
            Assert.Equal("DenseNet121", row.GetProperty("network").GetString());
            Assert.Equal(1, row.GetProperty("ours").GetProperty("attacked").GetInt32());
        });
        Assert.Contains(table.RootElement.GetProperty("remarks").EnumerateArray(), remark => remark.GetString() == "Images: the first 1 of images; the paper's are the validation images.");
    }

    [Fact]
    public void Figure_4_measures_steps_with_random_weights()
    {
        WritePicture("n01440764");
        var output = Invocation.Of("reproduce", "figure4", "--threads", "1", "--quiet", "--steps", "2", "--data", $"imagenet:{_folder["images"]}", "--without", "alexnet,vgg16,resnet50", "--out", _folder["results"]).AssertDone().Output;
        Assert.Contains("- Only 1 of 4 networks were timed.", output, StringComparison.Ordinal);
        Assert.Equal(output, File.ReadAllText(Path.Combine(_folder["results"], "figure4.md")));
        Assert.True(File.Exists(Path.Combine(_folder["results"], "figure4.svg")));
        Assert.True(File.Exists(Path.Combine(_folder["results"], "figure4.png")));
        using var times = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder["results"], "figure4.json")));
        Assert.Equal((1, 2, 1), (times.RootElement.GetProperty("images").GetInt32(), times.RootElement.GetProperty("steps").GetInt32(), times.RootElement.GetProperty("threads").GetInt32()));
        var network = Assert.Single(times.RootElement.GetProperty("networks").EnumerateArray().ToArray());
        Assert.Equal(("DenseNet121", "random", 1), (network.GetProperty("network").GetString(), network.GetProperty("weights").GetString(), network.GetProperty("attacked").GetInt32()));
        Assert.All(["attackSeconds", "attackSteps", "trustRegionStepSeconds", "carliniWagnerStepSeconds"], name => Assert.True(network.GetProperty(name).GetDouble() > 0, name));
    }

    private long Prediction(LoadedModel network)
    {
        using var scope = NewDisposeScope();
        using var withoutGradients = no_grad();
        var pixels = DataCatalog.Open($"imagenet:{_folder["images"]}", 0, null, new() { NeedsLabels = false }, CancellationToken.None).Images(0, 1);
        return network.Module.forward(network.Normalization.Apply(pixels)).argmax(1).item<long>();
    }

    private void WritePicture(string synset)
    {
        const int side = 256;
        var random = new Random(1);
        using var picture = new SKBitmap(side, side);
        for (var place = 0; place < side * side; place++)
        {
            picture.SetPixel(place % side, place / side, new((byte)random.Next(256), (byte)random.Next(256), (byte)random.Next(256)));
        }

        Directory.CreateDirectory(Path.Combine(_folder["images"], synset));
        using var file = File.Create(Path.Combine(_folder["images"], synset, "0.png"));
        picture.Encode(file, SKEncodedImageFormat.Png, 100);
    }
}
