using Brink.Attacks;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Reproduction;
using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Evaluation.Tests.Reproduction;

/// <summary>Compares attacks on the authors' ResNet-20 and real images with values computed in PyTorch by the formulas of the authors' program.</summary>
[Trait("speed", "slow")]
public sealed class AuthorsAttackTests : IDisposable
{
    private readonly LoadedModel _model = ModelCatalog.Load("resnet20", SharedFiles.DataFile("weights", "resnet20_cifar10_authors.pkl"));
    private readonly IReadOnlyDictionary<string, Tensor> _golden = Safetensors.Read(SharedFiles.ReferenceFile("resnet20_trust_region.safetensors"));
    private readonly ModuleClassifier _classifier;

    public AuthorsAttackTests() => _classifier = new(_model.Module, _model.ClassCount, _model.Normalization.Bounds, _model.Name);

    public static TheoryData<string, string> Cases => new() { { "l2", "best" }, { "l2", "hardest" }, { "linf", "best" }, { "linf", "hardest" } };

    public void Dispose()
    {
        _model.Dispose();
        foreach (var tensor in _golden.Values)
        {
            tensor.Dispose();
        }
    }

    [Fact]
    public void Logits_agree_within_one_part_in_ten_thousand()
    {
        using var scope = NewDisposeScope();
        using var withoutGradients = no_grad();
        var expected = _golden["logits"];
        var error = (_classifier.Logits(_golden["images"]) - expected).abs().max() / expected.abs().max();
        Assert.InRange(error.item<float>(), 0, 1e-4);
    }

    [Theory, MemberData(nameof(Cases))]
    public void The_same_target_is_chosen_unless_two_classes_are_equally_near(string normName, string target)
    {
        using var scope = NewDisposeScope();
        using var result = Run(normName, target, maxIterations: 1);
        var expected = _golden[$"{normName}.{target}.target"].data<long>().ToArray();
        var distances = _golden[$"{normName}.{target}.distances"];
        var decided = 0;
        for (var row = 0; row < expected.Length; row++)
        {
            var sorted = distances[row].data<float>().Order().ToArray();
            var (first, second) = target == "best" ? (sorted[0], sorted[1]) : (sorted[^1], sorted[^2]);
            if (Math.Abs(first - second) > 0.01 * Math.Abs(first))
            {
                decided++;
                Assert.Equal(expected[row], result.Outcomes[row].Target);
            }
        }

        Assert.InRange(decided, 24, 32);
    }

    [Theory, MemberData(nameof(Cases))]
    public void The_first_step_agrees_in_999_of_1000_entries(string normName, string target)
    {
        using var scope = NewDisposeScope();
        var images = _golden["images"];
        var expected = _golden[$"{normName}.{target}.step1"];
        var points = new PointRecorder(_classifier);
        using var result = Run(normName, target, maxIterations: 1, points);
        var agreement = (points.Last! - expected).abs().le(1e-4).flatten(1).to(ScalarType.Float32).mean([1]);
        Assert.Equal(images.shape[0], agreement.shape[0]);
        Assert.All(agreement.data<float>().ToArray(), share => Assert.InRange(share, 0.999, 1));
        points.Last!.Dispose();
    }

    [Theory, MemberData(nameof(Cases))]
    public void Final_lengths_and_iterations_agree(string normName, string target)
    {
        using var scope = NewDisposeScope();
        using var result = Run(normName, target, maxIterations: 1000);
        Assert.All(result.Outcomes, image => Assert.True(image.Fooled, image.Exit.Describe()));
        var expected = _golden[$"{normName}.{target}.final_norm"].data<float>().Select(length => (double)length).ToArray();
        var actual = result.Outcomes.Select(image => normName == "l2" ? image.L2 : image.LInf).ToArray();
        var ratios = actual.Zip(expected, (ours, theirs) => ours / theirs).Order().ToArray();
        Assert.InRange((ratios[15] + ratios[16]) / 2, 0.995, 1.005);
        Assert.InRange(actual.Average() / expected.Average(), 0.97, 1.03);
        var iterations = _golden[$"{normName}.{target}.iterations"].to(ScalarType.Float64).mean().item<double>();
        Assert.InRange(result.Outcomes.Average(image => image.Iterations) / iterations, 0.95, 1.05);
    }

    [Theory]
    [InlineData("l2")]
    [InlineData("linf")]
    public void Results_do_not_depend_on_the_batch(string normName)
    {
        using var scope = NewDisposeScope();
        var attack = new TrustRegionAttack(new() { Norm = normName == "l2" ? Norm.L2 : Norm.LInf });
        using var together = attack.Run(_classifier, _golden["images"], _golden["labels"]);
        var apart = Enumerable.Range(0, 8).SelectMany(part =>
        {
            using var result = attack.Run(_classifier, _golden["images"].slice(0, part * 4, (part + 1) * 4, 1), _golden["labels"].slice(0, part * 4, (part + 1) * 4, 1));
            return result.Outcomes;
        }).ToArray();
        double Length(Outcome image) => normName == "l2" ? image.L2 : image.LInf;
        Assert.Equal(together.Outcomes.Select(image => image.Fooled), apart.Select(image => image.Fooled));
        var differences = together.Outcomes.Zip(apart, (one, other) => Math.Abs(Length(one) - Length(other)) / Length(one)).Order().ToArray();
        Assert.InRange(differences[16], 0, 1e-4);
        Assert.InRange(differences.Average(), 0, 0.005);
    }

    /// <summary>The contract of all attacks: the same result alone and in a batch, and no tensor that outlives the attack.</summary>
    [Theory]
    [InlineData("l2", "best", null)]
    [InlineData("linf", "hardest", null)]
    [InlineData("l2", "untargeted", null)]
    [InlineData("linf", "untargeted", 3)]
    public void An_image_has_the_same_result_alone_and_in_a_batch_and_nothing_leaks(string normName, string target, int? targetClass)
    {
        using var network = new SmoothNetwork(12, 20, 5, seed: 1);
        var (images, labels) = network.Batch(16, seed: 2);
        using var disposedImages = images;
        using var disposedLabels = labels;
        var attack = (AuthorsOptions.Adaptive(Norm.Parse(normName)) with { Target = AttackSettings.TryParseTarget(target)!.Value }).CreateAttack();
        var criterion = targetClass is { } number ? Criterion.TargetClass(number) : Criterion.Misclassification;
        attack.Run(network.AsClassifier(), images, labels, criterion).Dispose();
        var before = TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        using (var together = attack.Run(network.AsClassifier(), images, labels, criterion))
        {
            using var scope = NewDisposeScope();
            Assert.All(together.Outcomes.Where(image => image.Attacked), image => Assert.True(image.Fooled, image.Exit.Describe()));
            for (var row = 0; row < 16; row++)
            {
                using var alone = attack.Run(network.AsClassifier(), images.narrow(0, row, 1), labels.narrow(0, row, 1), criterion, [row]);
                Assert.True((alone.Adversarial[0] - together.Adversarial[row]).abs().max().item<double>() < 1e-9);
                Assert.Equal((alone.Outcomes[0].Exit, alone.Outcomes[0].Forwards, alone.Outcomes[0].Backwards), (together.Outcomes[row].Exit, together.Outcomes[row].Forwards, together.Outcomes[row].Backwards));
            }
        }

        Assert.Equal(before, TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private AttackResult Run(string normName, string target, int maxIterations, IClassifier? classifier = null)
    {
        var options = normName == "l2" ? AuthorsOptions.Fixed(Norm.L2, 0.05) : AuthorsOptions.Fixed(Norm.LInf, 0.005);
        var attack = options with { Target = target == "best" ? TargetSelection.Best : TargetSelection.Hardest, MaxIterations = maxIterations };
        return attack.CreateAttack().Run(classifier ?? _classifier, _golden["images"], _golden["labels"]);
    }

    /// <summary>A classifier that keeps a copy of the last batch of points at which the attack computed gradients.</summary>
    private sealed class PointRecorder(IClassifier inner) : IClassifier
    {
        public Tensor? Last { get; private set; }

        public string Name => inner.Name;

        public int ClassCount => inner.ClassCount;

        public Bounds Bounds => inner.Bounds;

        public Tensor Logits(Tensor images)
        {
            // The confirmation at the end needs no gradient; the passes before it are at the points of the attack.
            if (images.requires_grad)
            {
                Last?.Dispose();
                Last = images.detach().clone().DetachFromDisposeScope();
            }

            return inner.Logits(images);
        }

        public IDisposable EnterEvaluation() => inner.EnterEvaluation();
    }
}
