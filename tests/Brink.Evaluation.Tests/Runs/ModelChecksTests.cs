using Brink.Data;
using Brink.Evaluation.Runs;
using Brink.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Evaluation.Tests.Runs;

public sealed class ModelChecksTests : IDisposable
{
    private readonly LoadedModel _signs = ModelCatalog.Load("signs", null);
    private readonly ImageSet _images = DataCatalog.Open("signs", limit: ModelChecks.SampleSize);

    public void Dispose() => _signs.Dispose();

    [Theory]
    [InlineData(InputSpace.Pixel)]
    [InlineData(InputSpace.Normalized)]
    public void The_sample_model_causes_no_warning(InputSpace space) => Assert.Empty(ModelChecks.Of(new(_signs, space), _images));

    [Fact]
    [Trait("speed", "slow")]
    public void ResNet_20_causes_no_warning()
    {
        using var network = ModelCatalog.Load("resnet20", SharedFiles.DataFile("weights", "resnet20_cifar10_authors.pkl"));
        Assert.Empty(ModelChecks.Of(new(network, InputSpace.Pixel), Cifar10.Read(SharedFiles.DataFile("cifar10", "test_0000-0499.bin"))));
    }

    [Theory]
    [Trait("speed", "slow")]
    [InlineData("look like probabilities", "probabilities")]
    [InlineData("differ between two passes over the same images", "noise")]
    [InlineData("depends on the other images of the batch", "batch mean")]
    [InlineData("is zero or not finite at 32 of the first 32", "rounded")]
    [InlineData("of the first 32 images are misclassified", "shifted classes")]
    public void A_defect_causes_its_own_warning_only(string fragment, string defect)
    {
        using var network = new Defective(_signs.Module, defect);
        var warning = Assert.Single(Of(network));
        Assert.Contains(fragment, warning, StringComparison.Ordinal);
        Assert.Contains("; ", warning, StringComparison.Ordinal);
        Assert.Contains(defect, warning, StringComparison.Ordinal);
    }

    [Fact]
    public void Images_without_gradient_are_counted()
    {
        using var scope = NewDisposeScope();
        using var network = new Defective(_signs.Module, "saturated");
        var saturated = _images.Images(0, _images.Count).mean([1, 2, 3]).gt(Defective.Dark).sum().item<long>();
        Assert.InRange(saturated, 1, _images.Count - 1);
        Assert.Contains($"at {saturated} of the first {_images.Count}", Assert.Single(Of(network)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 5)]
    [InlineData(64, ModelChecks.SampleSize)]
    public void No_batch_exceeds_the_batch_size_of_the_run(int batchSize, int most)
    {
        using var network = new Defective(_signs.Module, "nothing");
        Assert.Empty(ModelChecks.Of(Opened(network), _images, batchSize));
        Assert.Equal(most, network.LargestBatch);
    }

    [Fact]
    public void The_checks_leave_the_model_unchanged()
    {
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        _signs.Module.train();
        _ = ModelChecks.Of(new(_signs, InputSpace.Pixel), _images);
        Assert.True(_signs.Module.training);
        Assert.All(_signs.Module.parameters(), parameter => Assert.Null(parameter.grad));
        _signs.Module.eval();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private IReadOnlyList<string> Of(Defective network) => ModelChecks.Of(Opened(network), _images);

    private OpenedModel Opened(Defective network) => new(new LoadedModel(network.GetName(), network, 10, _signs.Normalization), InputSpace.Pixel);

    /// <summary>The sample model with a defect.</summary>
    private sealed class Defective(nn.Module<Tensor, Tensor> sound, string defect) : nn.Module<Tensor, Tensor>(defect)
    {
        /// <summary>Images brighter than this saturate.</summary>
        public const double Dark = 0.45;

        public long LargestBatch { get; private set; }

        public override Tensor forward(Tensor input)
        {
            LargestBatch = Math.Max(LargestBatch, input.shape[0]);
            using var scope = NewDisposeScope();
            var logits = sound.forward(input);
            return (GetName() switch
            {
                "nothing" => logits,
                // Divided by 10, so that no gradient of softmax rounds to zero.
                "probabilities" => (logits / 10).softmax(1),
                "noise" => logits + randn_like(logits),
                "batch mean" => logits + logits.detach().mean([0], keepdim: true),
                "rounded" => logits.round() + (input.sum() * 0),
                "shifted classes" => logits.roll(1, 1),
                "saturated" => (logits * Dim(input)) + (logits.detach() * (1 - Dim(input))),
                _ => throw new InvalidOperationException(GetName()),
            }).MoveToOuterDisposeScope();
        }

        private Tensor Dim(Tensor input) => Pixels(input).mean([1, 2, 3]).le(Dark).to(ScalarType.Float32).unsqueeze(1);

        private static Tensor Pixels(Tensor input) => Brink.Models.SampleNetwork.Normalization.Revert(input.detach());
    }
}
