using Brink.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Models.Tests.Samples;

public sealed class SampleNetworkTests
{
    // A seed that was used neither for training nor for selecting the network.
    private const long FreshSeed = 93_995;

    [Fact]
    [Trait("speed", "slow")]
    public void Accuracy_on_new_signs_is_between_93_and_99_and_a_half_percent()
    {
        var images = TrafficSigns.Generate(FreshSeed, 1000);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var network = SampleNetwork.Load();
        var predictions = network.forward(Normalized(images.Images(0, images.Count))).argmax(1);
        var accuracy = predictions.eq(images.Labels(0, images.Count)).to(ScalarType.Float64).mean().item<double>();
        Assert.InRange(accuracy, 0.93, 0.995);
    }

    [Fact]
    public void Logits_do_not_depend_on_the_rest_of_the_batch()
    {
        // They would if batch normalisation were in training mode.
        var images = TrafficSigns.Generate(FreshSeed, 8);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var network = SampleNetwork.Load();
        var together = network.forward(Normalized(images.Images(0, 8)))[3];
        var alone = network.forward(Normalized(images.Images(3, 1)))[0];
        Assert.True(together.allclose(alone, rtol: 1e-4, atol: 1e-4));
        Assert.False(network.training);
    }

    [Fact]
    [Trait("speed", "slow")]
    public void Normalised_training_images_have_mean_0_and_deviation_1()
    {
        using var scope = NewDisposeScope();
        var images = Normalized(TrafficSigns.Generate(TrafficSigns.TrainingSeed, 2000).Images(0, 2000));
        Assert.All(images.mean([0, 2, 3]).data<float>(), mean => Assert.InRange(mean, -0.05, 0.05));
        Assert.All(images.std([0, 2, 3]).data<float>(), deviation => Assert.InRange(deviation, 0.95, 1.05));
    }

    [Fact]
    public void The_embedded_file_is_smaller_than_a_megabyte_and_has_finite_float32_weights()
    {
        using var scope = NewDisposeScope();
        using var stream = SampleNetwork.OpenWeights();
        Assert.InRange(stream.Length, 1, 1_000_000);
        foreach (var (name, tensor) in Safetensors.Read(stream, "the embedded weights"))
        {
            Assert.True(tensor.dtype is ScalarType.Float32 or ScalarType.Int64, $"{name} is {tensor.dtype}");
            Assert.True(tensor.to(ScalarType.Float64).isfinite().all().item<bool>(), $"{name} is not finite");
        }
    }

    [Fact]
    public void Loading_leaves_no_tensors_except_the_network()
    {
        SampleNetwork.Load().Dispose();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        SampleNetwork.Load().Dispose();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private static Tensor Normalized(Tensor pixels) => SampleNetwork.Normalization.Apply(pixels);
}
