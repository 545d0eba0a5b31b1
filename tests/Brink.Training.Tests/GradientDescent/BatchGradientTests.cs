using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Training.Tests.GradientDescent;

public sealed class BatchGradientTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(19)]
    public void The_gradients_of_micro_batches_add_up_to_the_gradient_of_the_batch(int size)
    {
        using var scope = NewDisposeScope();
        using var model = SmallTask.SmoothNetwork();
        var (whole, wholeLoss) = Gradient(20);
        var (parts, partsLoss) = Gradient(size);
        Assert.Equal(wholeLoss, partsLoss, 1e-13);
        Assert.All(whole.Zip(parts), pair => Assert.True((pair.First - pair.Second).abs().max().item<double>() < 1e-14));
        Assert.Contains(whole, gradient => gradient.abs().max().item<double>() > 1e-3);

        (Tensor[] Gradients, double Loss) Gradient(int microBatch)
        {
            model.Module.zero_grad();
            var images = SmallTask.Images(20, seed: 3);
            var outcome = BatchGradient.Add(model, images.Images(0, 20).to(ScalarType.Float64), images.Labels(0, 20), labelSmoothing: 0.1, microBatch);
            return ([.. model.Module.parameters().Select(weight => weight.grad!.clone())], outcome.Loss);
        }
    }

    [Fact]
    public void No_micro_batch_is_a_single_image()
    {
        using var scope = NewDisposeScope();
        using var module = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(3 * 8 * 8), nn.Linear(3 * 8 * 8, 3));
        using var model = new LoadedModel("flat", module, 3, new Normalization([0.5, 0.5, 0.5], [0.25, 0.25, 0.25]));
        var images = SmallTask.Images(17, seed: 3);
        module.train();
        // Batch normalisation fails on a single image, as parts of 16 and 1 would contain it.
        Assert.True(double.IsFinite(BatchGradient.Add(model, images.Images(0, 17), images.Labels(0, 17), labelSmoothing: 0, microBatchSize: 16).Loss));
    }

    [Fact]
    public void The_loss_is_the_mean_cross_entropy_and_correct_images_are_counted()
    {
        using var scope = NewDisposeScope();
        using var model = SmallTask.SmoothNetwork();
        var pool = new ImagePool(SmallTask.Images(20, seed: 3));
        var images = SmallTask.Images(20, seed: 3);
        var pixels = images.Images(0, 20).to(ScalarType.Float64);
        var (loss, correct) = BatchGradient.Add(model, pixels, images.Labels(0, 20), labelSmoothing: 0, microBatchSize: 6);
        var logProbabilities = nn.functional.log_softmax(model.Module.call((pixels - 0.5) / 0.25), 1);
        Assert.Equal(-Enumerable.Range(0, 20).Average(row => logProbabilities[row, images.Label(row)].item<double>()), loss, 1e-12);
        Assert.Equal(Accuracy.Of(model, pool) * 20, correct, 1e-9);
    }
}
