using Brink.Attacks;
using Brink.Data;
using static TorchSharp.torch;

namespace Brink.Models.Tests.Attacks;

[Trait("speed", "slow")]
public sealed class QuantizedAttackTests(ITestOutputHelper output)
{
    private const int Levels = 255;

    [Theory]
    [InlineData("signs", "l2", true)]
    [InlineData("signs", "linf", true)]
    [InlineData("signs", "l2", false)]
    [InlineData("resnet20", "l2", true)]
    [InlineData("resnet20", "linf", true)]
    public void Perturbations_of_8_bit_images_fool_and_are_little_longer(string name, string normName, bool pixels)
    {
        using var scope = NewDisposeScope();
        using var network = ModelCatalog.Load(name, name == "signs" ? null : SharedFiles.DataFile("weights", "resnet20_cifar10_authors.pkl"));
        var set = name == "signs" ? DataCatalog.Open("signs", limit: 96) : Cifar10.Read(SharedFiles.DataFile("cifar10", "test_0000-0499.bin")).Take(96);
        var inner = new ModuleClassifier(network.Module, network.ClassCount, network.Normalization.Bounds, name);
        IClassifier classifier = pixels ? new NormalizedClassifier(inner, network.Normalization) : inner;
        var images = pixels ? set.Images(0, set.Count) : network.Normalization.Apply(set.Images(0, set.Count));
        var labels = set.Labels(0, set.Count);
        var norm = normName == "l2" ? Norm.L2 : Norm.LInf;
        var attack = new TrustRegionAttack(new() { Norm = norm });
        using var continuous = attack.Run(classifier, images, labels);
        using var quantized = new QuantizedAttack(attack).Run(classifier, images, labels);

        // Every entry is unchanged, to the last bit, or on one of the 256 levels.
        var levels = (pixels ? quantized.Adversarial : network.Normalization.Revert(quantized.Adversarial)) * Levels;
        Assert.True(quantized.Adversarial.eq(images).logical_or((levels - levels.round()).abs().lt(1e-3)).all().item<bool>());
        Assert.True(classifier.Bounds.Contain(quantized.Adversarial, slack: 1e-5).all().item<bool>());
        var predictions = classifier.Logits(quantized.Adversarial).argmax(1).data<long>().ToArray();

        var (attacked, close, ratios) = (0, 0, new List<double>());
        for (var row = 0; row < set.Count; row++)
        {
            var (before, after) = (continuous.Outcomes[row], quantized.Outcomes[row]);
            Assert.Equal(before.Attacked, after.Attacked);
            if (!before.Attacked)
            {
                Assert.Equal(0, after.L2);
                continue;
            }

            attacked++;
            Assert.Equal(after.Fooled, predictions[row] != after.Label);
            Assert.InRange(after.Forwards, before.Forwards + 1, before.Forwards + 30);
            ratios.Add(after.L2 / before.L2);
            var range = pixels ? 1 : (inner.Bounds.Upper(images) - inner.Bounds.Lower(images)).max().item<float>();
            close += after.Fooled && (norm == Norm.L2 ? after.L2 <= 2 * before.L2 : after.LInf * Levels / range <= Math.Ceiling(before.LInf * Levels / range) + 1 + 1e-4) ? 1 : 0;
        }

        output.WriteLine($"{name}, {normName}: {close} of {attacked} within the bounds, mean L2 {ratios.Average():F3} times that of the continuous perturbation, worst {ratios.Max():F2}");
        // An image a few levels from the boundary can exceed the bound: whole levels of its steepest entries already make a perturbation
        // of more than twice the continuous length.
        Assert.InRange(close, (name == "resnet20" && norm == Norm.L2 ? 0.9 : 0.95) * attacked, attacked);
    }

    [Fact]
    public void The_result_for_an_image_does_not_depend_on_the_batch()
    {
        using var scope = NewDisposeScope();
        using var network = ModelCatalog.Load("signs", null);
        var classifier = new NormalizedClassifier(new ModuleClassifier(network.Module, network.ClassCount, network.Normalization.Bounds), network.Normalization);
        var set = DataCatalog.Open("signs", limit: 6);
        var attack = new QuantizedAttack(new TrustRegionAttack());
        using var together = attack.Run(classifier, set.Images(0, 6), set.Labels(0, 6));
        for (var row = 0; row < 6; row++)
        {
            using var alone = attack.Run(classifier, set.Images(row, 1), set.Labels(row, 1));
            // The last bit of a continuous perturbation can change the level of an entry.
            Assert.InRange((alone.Adversarial[0] - together.Adversarial[row]).abs().gt(1e-6).sum().item<long>(), 0, 30);
            Assert.Equal(together.Outcomes[row].PredictionAfter, alone.Outcomes[0].PredictionAfter);
        }
    }

    [Fact]
    public void A_perturbation_that_rounds_to_zero_at_every_scale_has_its_own_exit_reason()
    {
        using var scope = NewDisposeScope();
        // Class 1 is a gap between two levels, which contains no 8-bit image.
        var classifier = new TwoClasses(images => 0.001 - (images.select(1, 0) - (100.5 / Levels)).abs()) { Bounds = Bounds.Pixels };
        var images = full([1, 3], 100.0 / Levels, dtype: ScalarType.Float64);
        using var continuous = new TrustRegionAttack().Run(classifier, images, zeros(1, dtype: ScalarType.Int64));
        Assert.True(continuous.Outcomes[0].Fooled);
        using var result = new QuantizedAttack(new TrustRegionAttack()).Run(classifier, images, zeros(1, dtype: ScalarType.Int64));
        Assert.Equal(AttackExit.Rounded, result.Outcomes[0].Exit);
        Assert.Contains("no 8-bit image", result.Outcomes[0].Exit.Describe(), StringComparison.Ordinal);
        Assert.Equal(0, result.Outcomes[0].L2);
    }

    [Fact]
    public void Images_that_are_not_8_bit_and_attacks_with_an_epsilon_are_refused()
    {
        using var scope = NewDisposeScope();
        var classifier = new TwoClasses(images => images.sum(1) - 1) { Bounds = Bounds.Pixels };
        var attack = new QuantizedAttack(new TrustRegionAttack());
        Assert.Contains("needs 8-bit images", Assert.Throws<BadInputException>(() => attack.Run(classifier, full([1, 3], 0.123, dtype: ScalarType.Float64), zeros(1, dtype: ScalarType.Int64))).Message, StringComparison.Ordinal);
        Assert.Contains("remove the epsilon", Assert.Throws<BadInputException>(() => new QuantizedAttack(new FastGradientOptions { Epsilon = 0.1 }.CreateAttack())).Message, StringComparison.Ordinal);
    }
}
