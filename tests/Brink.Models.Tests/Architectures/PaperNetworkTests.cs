using Brink.Attacks;
using Brink.Models.Architectures;
using static TorchSharp.torch;

namespace Brink.Models.Tests.Architectures;

/// <summary>Tests of the networks of the paper's Table 5.</summary>
public sealed class PaperNetworkTests
{
    [Fact]
    public void AlexLike_has_the_tensor_names_and_shapes_of_the_authors_program()
    {
        using var network = new AlexLike(nn.SiLU());
        using var scope = NewDisposeScope();
        string[] bn = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"];
        string[] expected =
        [
            "conv1.weight [64, 3, 5, 5]", "conv1.bias [64]", .. bn.Select(name => $"bn1.{name} [{(name == "num_batches_tracked" ? "" : "64")}]"),
            "conv2.weight [64, 64, 5, 5]", "conv2.bias [64]", .. bn.Select(name => $"bn2.{name} [{(name == "num_batches_tracked" ? "" : "64")}]"),
            "fc1.weight [384, 4096]", "fc1.bias [384]", "fc2.weight [192, 384]", "fc2.bias [192]", "fc3.weight [10, 192]", "fc3.bias [10]",
        ];
        Assert.Equal(expected.Order(StringComparer.Ordinal), network.state_dict().Select(entry => $"{entry.Key} [{string.Join(", ", entry.Value.shape)}]").Order(StringComparer.Ordinal), StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("alexlike")]
    [InlineData("alexlike-s")]
    public void AlexLike_equals_a_computation_layer_by_layer(string name)
    {
        using var scope = NewDisposeScope();
        using var network = new AlexLike(name == "alexlike" ? nn.ReLU() : nn.SiLU());
        network.eval();
        using var withoutGradients = no_grad();
        var weights = network.state_dict();
        // With statistics of 0 and 1 a normalisation in the wrong place would not be detected.
        foreach (var entry in weights.Where(entry => entry.Key.Contains("running", StringComparison.Ordinal)))
        {
            entry.Value.copy_(rand(64) + 0.5);
        }

        var images = randn(2, 3, 32, 32);
        Tensor Activation(Tensor x) => name == "alexlike" ? x.clamp_min(0) : x * x.sigmoid();
        Tensor Block(Tensor x, int number)
        {
            var features = Activation(nn.functional.conv2d(x, weights[$"conv{number}.weight"], weights[$"conv{number}.bias"], padding: [2, 2]));
            Tensor Channels(string part) => weights[$"bn{number}.{part}"].reshape(64, 1, 1);
            features = (features - Channels("running_mean")) / (Channels("running_var") + 1e-5).sqrt() * Channels("weight") + Channels("bias");
            return nn.functional.max_pool2d(features, 3, stride: 2, padding: 1);
        }

        Tensor Layer(Tensor x, int number) => x.matmul(weights[$"fc{number}.weight"].t()) + weights[$"fc{number}.bias"];
        var first = Block(images, 1);
        var second = Block(first, 2);
        Assert.Equal([2, 64, 16, 16], first.shape);
        Assert.Equal([2, 64, 8, 8], second.shape);
        var expected = Layer(Activation(Layer(Activation(Layer(second.flatten(1), 1)), 2)), 3);
        Assert.True(network.call(images).allclose(expected, rtol: 1e-4, atol: 1e-5));
    }

    [Fact]
    public void The_perceptron_has_the_widths_of_the_paper_and_no_activation_after_the_last_layer()
    {
        using var scope = NewDisposeScope();
        using var network = new MultilayerPerceptron(MultilayerPerceptron.PaperWidths, nn.SiLU());
        using var withoutGradients = no_grad();
        var weights = network.state_dict();
        Assert.Equal([.. Enumerable.Range(1, 6).SelectMany(layer => new[] { $"fc{layer}.weight", $"fc{layer}.bias" })], weights.Keys.ToArray());
        var images = randn(3, 3, 32, 32);
        var features = images.reshape(3, 3072);
        for (var layer = 1; layer <= 6; layer++)
        {
            features = features.matmul(weights[$"fc{layer}.weight"].t()) + weights[$"fc{layer}.bias"];
            features = layer < 6 ? features * features.sigmoid() : features;
        }

        Assert.True(network.call(images).allclose(features, rtol: 1e-4, atol: 1e-5));
    }

    [Theory]
    [Trait("speed", "slow")]
    [InlineData("mlp-swish", false)]
    [InlineData("alexlike-s", false)]
    [InlineData("alexlike", true)]
    [InlineData("resnet20", true)]
    public void Only_networks_with_ReLU_refuse_the_second_order_attack(string name, bool refuses)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var file = folder["weights.safetensors"];
        using nn.Module<Tensor, Tensor> untrained = name switch
        {
            "mlp-swish" => new MultilayerPerceptron(MultilayerPerceptron.PaperWidths, nn.SiLU()),
            "resnet20" => new CifarResNet(20),
            _ => new AlexLike(name == "alexlike" ? nn.ReLU() : nn.SiLU()),
        };
        using (var stream = File.Create(file))
        {
            Safetensors.Write(stream, untrained.state_dict());
        }

        using var loaded = ModelCatalog.Load(name, file);
        var classifier = new ModuleClassifier(loaded.Module, loaded.ClassCount, loaded.Normalization.Bounds, loaded.Name);
        var images = randn(2, 3, 32, 32) * 0.2;
        var labels = loaded.Module.call(images).argmax(1);
        var attack = new TrustRegionAttack(new() { MaxIterations = 3, Curvature = new() });
        if (refuses)
        {
            Assert.Contains(name, Assert.Throws<BadInputException>(() => attack.Run(classifier, images, labels)).Message, StringComparison.Ordinal);
        }
        else
        {
            using var result = attack.Run(classifier, images, labels);
            Assert.All(result.Outcomes, image => Assert.True(image.Products > 0));
        }
    }
}
