using Brink.Attacks;
using static TorchSharp.torch;

namespace Brink.Tests.Attacks;

/// <summary>Tests of attacks on networks whose logits are very small, very large, masked or not numbers, in single precision.</summary>
// The random seed of the process is set.
[Collection(nameof(ExclusiveCollection))]
public sealed class UnusualLogitsTests : IDisposable
{
    private const int Classes = 5;

    private readonly ModuleClassifier _classifier;
    private readonly nn.Module<Tensor, Tensor> _network;
    private readonly Tensor _images;
    private readonly Tensor _labels;

    public UnusualLogitsTests()
    {
        manual_seed(0);
        _network = nn.Sequential(nn.Linear(12, 20), nn.Tanh(), nn.Linear(20, Classes));
        _classifier = new(_network, Classes, Bounds.Pixels);
        _images = rand(16, 12);
        using var logits = _network.call(_images);
        _labels = logits.argmax(1);
    }

    public static MatrixTheoryData<string, double> Scales { get; } = new(["tr l2", "tr linf", "hardest", "deepfool l2", "deepfool linf", "ifgsm", "cw"], [1e-10, 1e-25, 1e-30, 1e25]);

    public void Dispose()
    {
        _images.Dispose();
        _labels.Dispose();
        _network.Dispose();
    }

    /// <summary>The classes do not depend on the scale of the logits, and neither do the steps of attacks on the logit gap.</summary>
    [Theory, MemberData(nameof(Scales))]
    public void Lengths_do_not_depend_on_the_scale_of_the_logits(string attack, double scale)
    {
        // cw divides such gaps by the range of the logits at the image, which changes its constants.
        var tolerance = attack == "cw" ? 0.1 : 1e-3;
        Assert.All(Lengths(1).Zip(Lengths(scale)), pair => Assert.InRange(pair.Second, pair.First * (1 - tolerance), pair.First * (1 + tolerance)));

        double[] Lengths(double factor)
        {
            using var number = Tensors.Scalars.Of(factor);
            using var result = Attack(attack).Run(new ChangedLogits(_classifier, logits => logits.mul(number)), _images, _labels);
            Assert.All(result.Outcomes, image => Assert.True(image.Fooled, $"{image.Exit}"));
            return [.. result.Outcomes.Select(image => image.L2)];
        }
    }

    /// <summary>With large logits the cross-entropy underflows at every image that is classified correctly.</summary>
    [Theory]
    [InlineData("pgd")]
    [InlineData("fgsm search")]
    [InlineData("ifgsm search")]
    [InlineData("tr cross-entropy")]
    public void Large_logits_do_not_prevent_an_attack_on_the_cross_entropy(string attack)
    {
        Assert.All(Outcomes(1), image => Assert.False(image.Underflowed));
        var outcomes = Outcomes(1e5);
        // A random start may be adversarial by itself.
        Assert.All(outcomes, image => Assert.True(image.Fooled && (image.Underflowed || image.Iterations == 0), $"{image.Exit}"));
        Assert.Contains(outcomes, image => image.Underflowed);

        IReadOnlyList<Outcome> Outcomes(double factor)
        {
            using var number = Tensors.Scalars.Of(factor);
            using var result = Attack(attack).Run(new ChangedLogits(_classifier, logits => logits.mul(number)), _images, _labels);
            return result.Outcomes;
        }
    }

    /// <summary>A masked class is never predicted; the other classes can be attacked as if it did not exist.</summary>
    [Theory]
    [InlineData("tr l2")]
    [InlineData("hardest")]
    [InlineData("deepfool linf")]
    [InlineData("ifgsm search")]
    [InlineData("pgd")]
    [InlineData("cw")]
    public void A_logit_of_negative_infinity_is_a_value(string attack)
    {
        using var scope = NewDisposeScope();
        var mask = tensor(new[] { false, false, false, true, false });
        var masked = new ChangedLogits(_classifier, logits => logits.masked_fill(mask, double.NegativeInfinity));
        using var labels = masked.Logits(_images).argmax(1);
        using var result = Attack(attack).Run(masked, _images, labels);
        Assert.All(result.Outcomes, image => Assert.True(image.Fooled && image.PredictionAfter != 3, $"{image.Exit}"));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void An_image_whose_logits_are_no_numbers_has_no_prediction(double value)
    {
        using var scope = NewDisposeScope();
        var mask = zeros(16, Classes, dtype: ScalarType.Bool);
        mask[3, 2] = true;
        using var result = Attack("tr l2").Run(new ChangedLogits(_classifier, logits => logits.shape[0] == 16 ? logits.masked_fill(mask, value) : logits), _images, _labels);
        Assert.Equal((AttackExit.Misclassified, -1), (result.Outcomes[3].Exit, result.Outcomes[3].PredictionBefore));
        Assert.Equal([-1], ForwardPass.PredictionsOf(full(1, 3, double.NegativeInfinity)).data<long>().ToArray());
    }

    /// <summary>The logits are finite, but their gradient is not: √0 has an infinite slope, and 0·∞ is NaN.</summary>
    [Theory]
    [InlineData("tr l2")]
    [InlineData("deepfool l2")]
    [InlineData("ifgsm search")]
    [InlineData("pgd search")]
    [InlineData("pgd small")]
    [InlineData("fgsm small")]
    [InlineData("cw")]
    public void A_gradient_that_is_not_finite_ends_the_attack(string attack)
    {
        using var result = Attack(attack).Run(new ChangedLogits(_classifier, logits => logits + (logits * 0).sqrt()), _images, _labels);
        Assert.All(result.Outcomes, image => Assert.Equal(AttackExit.NotFinite, image.Exit));
    }

    private static IAttack Attack(string name) => name switch
    {
        "tr l2" => new TrustRegionAttack(),
        "tr linf" => new TrustRegionAttack(new() { Norm = Norm.LInf }),
        "tr cross-entropy" => new TrustRegionAttack(new() { Objective = Objective.CrossEntropy }),
        "hardest" => new TrustRegionAttack(new() { Target = TargetSelection.Hardest }),
        "deepfool l2" => new DeepFoolAttack(),
        "deepfool linf" => new DeepFoolAttack(new() { Norm = Norm.LInf }),
        "ifgsm" => new FastGradientOptions { Objective = Objective.Gap }.CreateAttack(),
        "ifgsm search" => FastGradientOptions.Iterative.CreateAttack(),
        "fgsm search" => FastGradientOptions.Single.CreateAttack(),
        "pgd search" => FastGradientOptions.Projected.CreateAttack(),
        "pgd small" => (FastGradientOptions.Projected with { Restarts = 3, Epsilon = 1e-6 }).CreateAttack(),
        "fgsm small" => (FastGradientOptions.Single with { Epsilon = 1e-6 }).CreateAttack(),
        "pgd" => (FastGradientOptions.Projected with { Epsilon = 1 }).CreateAttack(),
        _ => new CarliniWagnerAttack(new() { MaxIterations = 200 }),
    };
}
