using Brink.Attacks;
using Brink.Evaluation.Catalog;
using static TorchSharp.torch;

namespace Brink.Evaluation.Tests.Catalog;

/// <summary>Tests of the maximum number of passes per image, with every attack of the catalogue, on 8-bit images of a small smooth network.</summary>
public sealed class PassLimitTests : IDisposable
{
    private const int Count = 4;
    private const string Quantized = "quantized ";

    /// <summary>The attack without its thousands of passes per image.</summary>
    private const string ShortCarliniWagner = "cw[max-iterations=40,binary-search-steps=3,initial-constant=1,learning-rate=0.05]";

    private static readonly int[] Limits = [1, 2, 3, 10, 50];

    /// <summary>The passes that a quantized attack keeps for the rounding.</summary>
    private const int RoundingPasses = 10;

    private readonly SmoothNetwork _network = new(12, 20, 5, seed: 1);
    private readonly Tensor _images;
    private readonly Tensor _labels;

    public PassLimitTests()
    {
        using var scope = NewDisposeScope();
        _images = _network.Batch(Count, seed: 2).Images.mul(255).round().div(255).MoveToOuterDisposeScope();
        using var gradients = no_grad();
        using var evaluation = _network.AsClassifier().EnterEvaluation();
        _labels = _network.AsClassifier().Logits(_images).argmax(1).MoveToOuterDisposeScope();
    }

    public static TheoryData<string> Attacks()
    {
        var attacks = new TheoryData<string>
        {
            "tr[target=best]", "tr[norm=linf,target=hardest]", "tr[refine=0]", "tr[preset=paper]", "tr[preset=authors]", "tr[preset=authors,norm=linf,target=untargeted]",
            "tr2[curvature-products=finite-differences]", "tr2[curvature-products=finite-differences,target=untargeted,refine=3]", "deepfool[norm=linf,target=hardest]",
            "pgd[epsilon=0.3,restarts=2]", "ifgsm[epsilon=0.3,objective=gap]", "fgsm[epsilon=0.3]", "ifgsm[norm=l2,target=best]", "cw[target=3,max-iterations=40,binary-search-steps=3]",
        };
        foreach (var attack in AttackCatalog.All)
        {
            var specification = attack.Name == "cw" ? ShortCarliniWagner : attack.Name;
            attacks.Add(specification);
            attacks.Add(Quantized + specification);
        }

        return attacks;
    }

    public void Dispose()
    {
        _images.Dispose();
        _labels.Dispose();
        _network.Dispose();
    }

    [Theory, MemberData(nameof(Attacks))]
    [Trait("speed", "slow")]
    public void No_image_takes_more_passes_and_those_that_need_no_more_are_unchanged(string attack)
    {
        using var scope = NewDisposeScope();
        using var free = Run(attack, null);
        foreach (var limit in Limits)
        {
            using var limited = Run(attack, limit);
            AssertLimited(attack, free, limited, limit);
        }
    }

    /// <summary>The counts of the classifier itself show that no pass is left out of the reported counts.</summary>
    [Theory, MemberData(nameof(Attacks))]
    [Trait("speed", "slow")]
    public void The_classifier_computes_the_counted_passes_only_and_an_image_alone_has_the_result_of_the_batch(string attack)
    {
        using var scope = NewDisposeScope();
        foreach (var limit in Limits)
        {
            using var together = Run(attack, limit);
            for (var row = 0; row < Count; row++)
            {
                AssertCounted(attack, together, limit, row);
            }
        }
    }

    [Theory, MemberData(nameof(Attacks))]
    [Trait("speed", "slow")]
    public void A_generous_limit_changes_nothing(string attack)
    {
        using var scope = NewDisposeScope();
        using var free = Run(attack, null);
        using var limited = Run(attack, int.MaxValue);
        Assert.Equal(free.Outcomes, limited.Outcomes);
        Assert.Equal(free.Adversarial.data<double>().ToArray(), limited.Adversarial.data<double>().ToArray());
    }

    /// <summary>The passes of an attack do not depend on the limit, so more passes can only shorten the best perturbation so far.</summary>
    [Theory]
    [InlineData(ShortCarliniWagner)]
    [InlineData("tr")]
    [InlineData("tr[norm=linf,target=best]")]
    [InlineData("ifgsm")]
    [InlineData("pgd")]
    public void The_result_is_the_nearest_adversarial_image_so_far(string attack)
    {
        using var scope = NewDisposeScope();
        using var free = Run(attack, null, row: 0);
        var total = free.Outcomes[0].Forwards + free.Outcomes[0].Backwards;
        var (shortest, interrupted) = (double.PositiveInfinity, 0);
        var norm = AttackCatalog.Create(attack).Attack.Norm;
        for (var limit = 1; limit <= total; limit = Math.Max(limit + 1, limit * 5 / 4))
        {
            using var limited = Run(attack, limit, row: 0);
            var outcome = limited.Outcomes[0];
            if (!outcome.Fooled)
            {
                Assert.Equal(AttackExit.PassLimit, outcome.Exit);
                Assert.True(double.IsInfinity(shortest), $"not fooled with {limit} passes, but with fewer");
                continue;
            }

            using var evaluation = _network.AsClassifier().EnterEvaluation();
            Assert.NotEqual(outcome.Label, _network.AsClassifier().Logits(limited.Adversarial).argmax(1).item<long>());
            Assert.True(_network.AsClassifier().Bounds.Contain(limited.Adversarial).item<bool>());
            var length = norm == Norm.L2 ? outcome.L2 : outcome.LInf;
            Assert.True(length <= shortest, $"{length} with {limit} passes, but {shortest} with fewer");
            (shortest, interrupted) = (length, interrupted + 1);
        }

        Assert.True(interrupted > 3);
        Assert.True((norm == Norm.L2 ? free.Outcomes[0].L2 : free.Outcomes[0].LInf) <= shortest);
    }

    /// <summary>An attack that did not end with its passes would take years here.</summary>
    [Theory]
    [InlineData("tr[refine=1000000000]")]
    [InlineData("tr[max-iterations=1000000000,overshoot=0,radius=0.00000001]")]
    [InlineData("tr[preset=authors,max-iterations=1000000000,radius=0.00000001]")]
    [InlineData("tr2[max-iterations=1000000000,radius=0.00000001]")]
    [InlineData("deepfool[max-iterations=1000000000,overshoot=0]")]
    [InlineData("ifgsm[max-iterations=1000000000,relative-step=0.000000001]")]
    [InlineData("pgd[max-iterations=1000000000,restarts=1000000000,epsilon=0.000000001]")]
    [InlineData("cw[max-iterations=1000000000,binary-search-steps=1000000000,learning-rate=0.000000001]")]
    public void An_attack_ends_when_all_images_are_out_of_passes(string attack)
    {
        using var scope = NewDisposeScope();
        using var result = Run(attack, 9);
        Assert.All(result.Outcomes, image => Assert.InRange(image.Iterations, 0, 9));
    }

    /// <summary>An attack of a user is limited like those of the catalogue, by the batch.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(9)]
    public void An_attack_of_a_user_is_limited_too(int limit)
    {
        using var scope = NewDisposeScope();
        using var result = new Endless().Run(_network.AsClassifier(), _images, _labels, maxPasses: limit);
        Assert.All(result.Outcomes, image => Assert.Equal((AttackExit.PassLimit, limit), (image.Exit, image.Forwards + image.Backwards)));
        Assert.True(result.Adversarial.equal(_images).all().item<bool>());
    }

    [Fact]
    public void Images_that_are_not_attacked_keep_their_exit()
    {
        using var scope = NewDisposeScope();
        using var wrong = _labels.clone();
        wrong[2] = (_labels[2] + 1) % 5;
        using var result = AttackCatalog.Create("tr").Attack.Run(_network.AsClassifier(), _images, wrong, maxPasses: 1);
        Assert.Equal(Enumerable.Range(0, Count).Select(row => row == 2 ? AttackExit.Misclassified : AttackExit.PassLimit), result.Outcomes.Select(image => image.Exit));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    public void A_limit_below_one_is_refused(int limit)
    {
        foreach (var attack in new[] { AttackCatalog.Create("tr"), AttackCatalog.Create("tr").Quantized() })
        {
            var error = Assert.Throws<BadInputException>(() => attack.Attack.Run(_network.AsClassifier(), _images, _labels, maxPasses: limit));
            Assert.Contains($"passes per image must be at least 1, but {limit} was given", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_option_is_that_of_every_attack()
    {
        Assert.All(AttackCatalog.All, attack => Assert.Equal(7, AttackCatalog.Create($"{attack.Name}[max-passes=7]", new Dictionary<string, string>(StringComparer.Ordinal) { ["max-passes"] = "9" }).MaxPasses));
        Assert.Equal(9, AttackCatalog.Create("tr", new Dictionary<string, string>(StringComparer.Ordinal) { ["max-passes"] = "9" }).Quantized().MaxPasses);
        Assert.Null(AttackCatalog.Create("tr").MaxPasses);
        Assert.All(["0", "-1", "1.5", "many", "99999999999"], text => Assert.Contains(
            $"whole number of at least 1, but '{text}' was given",
            Assert.Throws<BadInputException>(() => AttackCatalog.Create($"tr[max-passes={text}]")).Message,
            StringComparison.Ordinal));
    }

    private static void AssertLimited(string attack, AttackResult free, AttackResult limited, int limit)
    {
        for (var row = 0; row < Count; row++)
        {
            var (outcome, full) = (limited.Outcomes[row], free.Outcomes[row]);
            Assert.InRange(outcome.Forwards + outcome.Backwards, 1, limit);
            if (full.Forwards + full.Backwards > limit)
            {
                Assert.Contains(outcome.Exit, new[] { AttackExit.Fooled, AttackExit.PassLimit });
            }
            else if (!attack.StartsWith(Quantized, StringComparison.Ordinal) || full.Forwards + full.Backwards + RoundingPasses <= limit)
            {
                AssertSame(free, row, limited, row);
            }
        }
    }

    private void AssertCounted(string attack, AttackResult together, int limit, int row)
    {
        var counting = new CountingClassifier(_network.AsClassifier());
        using var alone = Run(attack, limit, row, counting);
        var outcome = alone.Outcomes[0];
        AssertSame(together, row, alone, 0);
        var isQuantized = attack.StartsWith(Quantized, StringComparison.Ordinal);
        var confirmations = counting.Forwards - outcome.Forwards;
        Assert.InRange(confirmations, isQuantized ? 1 : outcome.Fooled ? 1 : 0, (outcome.Fooled || outcome.Exit == AttackExit.Unconfirmed ? 1 : 0) + (isQuantized ? 2 : 0));
        // An exact product with the Hessian is no pass.
        Assert.Equal(outcome.Backwards + (attack.Contains("tr2", StringComparison.Ordinal) && !attack.Contains("differences", StringComparison.Ordinal) ? outcome.Products : 0), counting.Backwards);
    }

    private static void AssertSame(AttackResult expected, int expectedRow, AttackResult actual, int actualRow)
    {
        var (one, other) = (expected.Outcomes[expectedRow], actual.Outcomes[actualRow]);
        Assert.Equal((one.Exit, one.Target, one.Iterations, one.Forwards, one.Backwards, one.Products), (other.Exit, other.Target, other.Iterations, other.Forwards, other.Backwards, other.Products));
        Assert.True((expected.Adversarial[expectedRow] - actual.Adversarial[actualRow]).abs().max().item<double>() < 1e-9);
    }

    private AttackResult Run(string attack, int? limit, int? row = null, IClassifier? classifier = null)
    {
        var isQuantized = attack.StartsWith(Quantized, StringComparison.Ordinal);
        var created = AttackCatalog.Create(isQuantized ? attack[Quantized.Length..] : attack);
        created = isQuantized ? created.Quantized() : created;
        var (first, end) = row is { } one ? (one, one + 1) : (0, Count);
        return created.Attack.Run(classifier ?? _network.AsClassifier(), _images.slice(0, first, end, 1), _labels.slice(0, first, end, 1), created.Criterion, [.. Enumerable.Range(first, end - first).Select(index => (long)index)], limit);
    }

    /// <summary>An attack that never moves an image.</summary>
    private sealed class Endless : Brink.Attacks.Attack
    {
        public override string Name => "endless";

        public override Norm Norm => Norm.L2;

        protected override void Perturb(AttackedBatch batch)
        {
            for (var iteration = 0; batch.Count > 0; iteration++)
            {
                using var scope = NewDisposeScope();
                batch.Forward(batch.Images);
                batch.Keep(batch.Linearize(Norm), iteration, int.MaxValue);
            }
        }
    }
}
