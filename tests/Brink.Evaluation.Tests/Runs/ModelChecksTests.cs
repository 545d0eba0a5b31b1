using Brink.Data;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Runs;
using Brink.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Evaluation.Tests.Runs;

public sealed class ModelChecksTests : IDisposable
{
    private static readonly ConfiguredAttack[] Attacks = [AttackCatalog.Create("tr"), AttackCatalog.Create("pgd")];

    private readonly LoadedModel _signs = ModelCatalog.Load("signs", null);
    private readonly ImageSet _images = DataCatalog.Open("signs", limit: ModelChecks.SampleSize);

    public void Dispose() => _signs.Dispose();

    [Theory]
    [InlineData(InputSpace.Pixel)]
    [InlineData(InputSpace.Normalized)]
    public void The_sample_model_causes_no_warning(InputSpace space) => Assert.Empty(ModelChecks.Of(new(_signs, space), _images, Attacks));

    [Fact]
    [Trait("speed", "slow")]
    public void ResNet_20_causes_no_warning()
    {
        using var network = ModelCatalog.Load("resnet20", SharedFiles.DataFile("weights", "resnet20_cifar10_authors.pkl"));
        Assert.Empty(ModelChecks.Of(new(network, InputSpace.Pixel), Cifar10.Read(SharedFiles.DataFile("cifar10", "test_0000-0499.bin")), Attacks));
    }

    [Fact]
    [Trait("speed", "slow")]
    public void ResNet_50_on_photographs_causes_no_warning()
    {
        using var network = ModelCatalog.Load("resnet50", SharedFiles.DataFile("imagenet", "weights", "resnet50_compressed.safetensors"));
        var photographs = ImageNetFolder.Read(Path.GetFullPath(Path.Combine(SharedFiles.DataFile("imagenet", "synsets.json"), "..", "val")));
        Assert.Empty(photographs.Warnings);
        Assert.Empty(ModelChecks.Of(new(network, InputSpace.Pixel), photographs, Attacks, batchSize: 8));
    }

    [Theory]
    [Trait("speed", "slow")]
    [InlineData("they sum to 1", "probabilities")]
    [InlineData("sigmoid for each class", "sigmoids")]
    [InlineData("differ between two passes over the same images", "noise")]
    [InlineData("depends on the other images of the batch", "batch mean")]
    [InlineData("is zero or not finite at", "rounded")]
    [InlineData("of the 64 checked images are misclassified", "shifted classes")]
    [InlineData("has no prediction for", "without prediction")]
    [InlineData("use --batch-size 1", "wrong gradients of batches")]
    public void A_defect_causes_its_own_warning_only(string fragment, string defect)
    {
        using var network = new Defective(_signs.Module, defect);
        var warning = Assert.Single(Of(network));
        Assert.Contains(fragment, warning, StringComparison.Ordinal);
        Assert.Contains("; ", warning, StringComparison.Ordinal);
        Assert.Contains(defect, warning, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(64)]
    [InlineData(7)]
    public void Images_without_gradient_are_counted_among_the_correctly_classified_ones(int batchSize)
    {
        using var scope = NewDisposeScope();
        using var withoutGradients = no_grad();
        using var network = new Defective(_signs.Module, "saturated");
        var correct = _signs.Module.forward(_signs.Normalization.Apply(_images.Images(0, _images.Count))).argmax(1).eq(_images.Labels(0, _images.Count));
        var saturated = _images.Images(0, _images.Count).mean([1, 2, 3]).gt(Defective.Dark).logical_and(correct).sum().item<long>();
        Assert.InRange(saturated, 1, _images.Count - 1);
        Assert.Contains($"at {saturated} of the {correct.sum().item<long>()} checked images", Assert.Single(ModelChecks.Of(Opened(network), _images, Attacks, batchSize)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("masked")]
    [InlineData("underflow")]
    public void Values_that_attacks_can_work_with_cause_no_warning(string behaviour)
    {
        using var network = new Defective(_signs.Module, behaviour);
        Assert.Empty(Of(network));
    }

    [Fact]
    public void The_gradient_is_that_of_the_objective_and_the_target_of_the_attack()
    {
        // Classes 0 and 1 do not depend on the image: a step towards one of them is possible, away from the other classes.
        using var network = new Defective(_signs.Module, "constant classes");
        var images = _images.WithLabels(_images.ClassNames, Enumerable.Repeat(0L, _images.Count).ToArray());
        Assert.Contains("is zero or not finite", Assert.Single(ModelChecks.Of(Opened(network), images, [AttackCatalog.Create("tr[target=1]")])), StringComparison.Ordinal);
        Assert.Empty(ModelChecks.Of(Opened(network), images, [AttackCatalog.Create("tr[target=5]")]));
        Assert.Contains("target class", Assert.Throws<BadInputException>(() => ModelChecks.Of(Opened(network), images, [AttackCatalog.Create("tr[target=10]")])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tr")]
    [InlineData("deepfool")]
    [InlineData("pgd[epsilon=0.01]")]
    [InlineData("cw")]
    [InlineData("tr[objective=cross-entropy]")]
    public void A_network_without_gradient_is_refused_for_every_attack(string attack)
    {
        using var network = new Defective(_signs.Module, "detached");
        Assert.Contains("must be differentiable", Assert.Throws<BadInputException>(() => ModelChecks.Of(Opened(network), _images, [AttackCatalog.Create(attack)])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_checked_images_are_spread_over_the_classes()
    {
        // The images are in the order of their classes, as in class folders: the first 64 are of one class.
        var many = DataCatalog.Open("signs", limit: 1000);
        var order = Enumerable.Range(0, many.Count).OrderBy(many.Label).ToArray();
        var sorted = new ImageSet("sorted", many.ClassNames, 3, many.Height, many.Width, order.SelectMany(index => many.Pixels(index).ToArray()).ToArray(), order.Select(many.Label).ToArray());
        using var network = new Defective(_signs.Module, "seen");
        Assert.Empty(ModelChecks.Of(Opened(network), sorted, Attacks));
        Assert.Equal(sorted.ClassNames.Count, network.SeenClasses.Count);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 5)]
    [InlineData(64, ModelChecks.SampleSize)]
    public void No_batch_exceeds_the_batch_size_of_the_run(int batchSize, int most)
    {
        using var network = new Defective(_signs.Module, "nothing");
        Assert.Empty(ModelChecks.Of(Opened(network), _images, Attacks, batchSize));
        Assert.Equal(most, network.LargestBatch);
    }

    [Fact]
    public void The_checks_leave_the_model_unchanged()
    {
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        _signs.Module.train();
        _ = ModelChecks.Of(new(_signs, InputSpace.Pixel), _images, Attacks);
        Assert.True(_signs.Module.training);
        Assert.All(_signs.Module.parameters(), parameter => Assert.Null(parameter.grad));
        _signs.Module.eval();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    /// <summary>Whether a model has second derivatives is decided by all checked images, before the run.</summary>
    [Theory]
    [InlineData(false, 64)]
    [InlineData(true, 64)]
    [InlineData(false, 1)]
    public void A_second_order_attack_on_a_piecewise_linear_network_is_refused(bool quantized, int batchSize)
    {
        using var network = new Defective(_signs.Module, "piecewise linear");
        var attack = AttackCatalog.Create("tr2");
        var error = Assert.Throws<BadInputException>(() => ModelChecks.Of(Opened(network), _images, [quantized ? attack.Quantized() : attack], batchSize));
        Assert.Contains("needs second derivatives", error.Message, StringComparison.Ordinal);
        _ = ModelChecks.Of(Opened(network), _images, [AttackCatalog.Create("tr2[curvature-products=finite-differences]"), AttackCatalog.Create("tr2[objective=cross-entropy]")], batchSize);
    }

    private IReadOnlyList<string> Of(Defective network) => ModelChecks.Of(Opened(network), _images, Attacks);

    private OpenedModel Opened(Defective network) => new(new LoadedModel(network.GetName(), network, 10, _signs.Normalization), InputSpace.Pixel);

    /// <summary>The sample model with a defect.</summary>
    private sealed class Defective(nn.Module<Tensor, Tensor> sound, string defect) : nn.Module<Tensor, Tensor>(defect)
    {
        /// <summary>Images brighter than this saturate.</summary>
        public const double Dark = 0.45;

        public long LargestBatch { get; private set; }

        public HashSet<long> SeenClasses { get; } = [];

        public override Tensor forward(Tensor input)
        {
            LargestBatch = Math.Max(LargestBatch, input.shape[0]);
            using var scope = NewDisposeScope();
            var logits = sound.forward(input);
            SeenClasses.UnionWith(logits.detach().argmax(1).data<long>());
            return (GetName() switch
            {
                "nothing" or "seen" => logits,
                // No prediction for bright images.
                "without prediction" => logits / Dim(input).detach() * Dim(input).detach(),
                "wrong gradients of batches" when input.shape[0] > 1 => logits + ((input - input.detach()).sum([2, 3]).sum(1, keepdim: true) * arange(10)),
                "wrong gradients of batches" => logits,
                // The class with the smallest logit is masked.
                "masked" => logits.scatter(1, logits.argmin(1, keepdim: true), full([logits.shape[0], 1], float.NegativeInfinity)),
                // The cross-entropy of confident images is 0, with a gradient of 0.
                "underflow" => logits * 1e4,
                "constant classes" => cat([full([logits.shape[0], 1], 1e3f), full([logits.shape[0], 1], 9e2f), logits[.., 2..]], 1),
                "detached" => logits.detach(),
                "piecewise linear" => input.flatten(1).sub(0.1).relu().narrow(1, 0, 10),
                "sigmoids" => (logits / 10).sigmoid(),
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
