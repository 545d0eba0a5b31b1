using Brink.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Training.Tests.GradientDescent;

[Trait("speed", "slow")]
public sealed class LossCurvatureTests
{
    [Fact]
    public void Products_equal_those_of_the_dense_Hessian_and_power_iteration_finds_its_top_eigenvalue()
    {
        using var scope = NewDisposeScope();
        var (model, pixels, labels) = Task();
        using var owned = model;
        var count = model.Module.parameters().Sum(weight => weight.numel());
        // Computed first: it changes the weights in place, which would invalidate an earlier graph.
        var hessian = DifferencesOfGradients(model, pixels, labels, count);
        using var curvature = new LossCurvature(model, pixels, labels);
        var products = stack(Enumerable.Range(0, (int)count).Select(index => curvature.Product(nn.functional.one_hot(tensor((long)index), count).to(ScalarType.Float64))));
        Assert.True((products - hessian).abs().max().item<double>() < 1e-7 * hessian.abs().max().item<double>());
        Assert.True((products - products.T).abs().max().item<double>() < 1e-12);

        var eigenvalues = linalg.eigvalsh(products).data<double>().ToArray();
        var top = eigenvalues.MaxBy(Math.Abs);
        Assert.Equal(top, curvature.TopEigenvalue(seed: 0, maxProducts: 2000, tolerance: 1e-12), Math.Abs(top) * 1e-6);
        Assert.Equal(top, curvature.TopEigenvalue(seed: 5, maxProducts: 2000, tolerance: 1e-12), Math.Abs(top) * 1e-6);
        // With the default tolerance the estimate is near; as a Rayleigh quotient it cannot be larger.
        Assert.InRange(Math.Abs(curvature.TopEigenvalue(seed: 0, maxProducts: 20)), 0.7 * Math.Abs(top), Math.Abs(top) * (1 + 1e-12));
    }

    [Fact]
    public void No_gradient_and_no_tensor_remains()
    {
        var (model, pixels, labels) = Task();
        using (model)
        using (pixels)
        using (labels)
        {
            using (var curvature = new LossCurvature(model, pixels, labels))
            {
                curvature.TopEigenvalue(seed: 0, maxProducts: 3);
                Assert.All(model.Module.parameters(), weight => Assert.Null(weight.grad));
            }

            var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
            Measure(model, pixels, labels);
            Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        }
    }

    [Fact]
    public void Repeated_estimates_do_not_increase_the_memory()
    {
        using var scope = NewDisposeScope();
        using var model = SmallTask.Network();
        model.Module.eval();
        var images = SmallTask.Images(256, seed: 1);
        var (pixels, labels) = (images.Images(0, 256), images.Labels(0, 256));
        // A graph that is not freed takes several megabytes: 256 images with 6 planes in several layers.
        for (var repetition = 0; repetition < 10; repetition++)
        {
            Measure(model, pixels, labels);
        }

        var before = ResidentMemory.Measure();
        for (var repetition = 0; repetition < 60; repetition++)
        {
            Measure(model, pixels, labels);
        }

        var growth = (ResidentMemory.Measure() - before) >> 20;
        Assert.True(growth < 50, $"Grew by {growth} MB");
    }

    private static void Measure(LoadedModel model, Tensor pixels, Tensor labels)
    {
        using var curvature = new LossCurvature(model, pixels, labels);
        curvature.TopEigenvalue(seed: 0, maxProducts: 2, tolerance: 0);
    }

    private static (LoadedModel Model, Tensor Pixels, Tensor Labels) Task()
    {
        var model = SmallTask.SmoothNetwork();
        model.Module.eval();
        var images = SmallTask.Images(6, seed: 3);
        using var pixels = images.Images(0, 6);
        return (model, pixels.to(ScalarType.Float64), images.Labels(0, 6));
    }

    /// <summary>Computes the Hessian by central differences of gradients, one weight after the other, without second derivatives of torch.</summary>
    private static Tensor DifferencesOfGradients(LoadedModel model, Tensor pixels, Tensor labels, long count)
    {
        const double step = 1e-5;
        var columns = new List<Tensor>((int)count);
        foreach (var weight in model.Module.parameters())
        {
            using var flat = weight.detach().view(-1);
            for (var index = 0; index < weight.numel(); index++)
            {
                var value = flat[index].item<double>();
                flat[index] = value + step;
                var above = Gradient(model, pixels, labels);
                flat[index] = value - step;
                var below = Gradient(model, pixels, labels);
                flat[index] = value;
                columns.Add((above - below) / (2 * step));
            }
        }

        return stack(columns);
    }

    private static Tensor Gradient(LoadedModel model, Tensor pixels, Tensor labels)
    {
        using var scope = NewDisposeScope();
        model.Module.zero_grad();
        nn.functional.cross_entropy(model.Module.call(model.Normalization.Apply(pixels)), labels).backward();
        var gradient = cat([.. model.Module.parameters().Select(weight => weight.grad!.flatten())]);
        model.Module.zero_grad();
        return gradient.MoveToOuterDisposeScope();
    }
}
