using Brink.Attacks;
using static TorchSharp.torch;

namespace Brink.Tests.Attacks.FastGradient;

public sealed class FastGradientTests : IDisposable
{
    private readonly SmoothNetwork _network = new(12, 20, 5, seed: 1);
    private readonly Tensor _images;
    private readonly Tensor _labels;

    public FastGradientTests() => (_images, _labels) = _network.Batch(16, seed: 2);

    public static TheoryData<string, string> Methods => new()
    {
        { "fgsm", "l2" },
        { "fgsm", "linf" },
        { "ifgsm", "l2" },
        { "ifgsm", "linf" },
        { "pgd", "l2" },
        { "pgd", "linf" },
    };

    public void Dispose()
    {
        _images.Dispose();
        _labels.Dispose();
        _network.Dispose();
    }

    [Theory, MemberData(nameof(Methods))]
    public void Perturbations_stay_within_the_budget_and_a_larger_budget_fools_no_fewer_images(string method, string norm)
    {
        using var scope = NewDisposeScope();
        var fooled = 0;
        foreach (var epsilon in new[] { 0.01, 0.05, 0.2, 0.5 })
        {
            using var result = (Options(method, norm) with { Epsilon = epsilon }).CreateAttack().Run(_network.AsClassifier(), _images, _labels);
            Assert.All(result.Outcomes, image => Assert.InRange(norm == "l2" ? image.L2 : image.LInf, 0, epsilon * (1 + 1e-12)));
            // True on this smooth network; in general a longer step may pass over a narrow region.
            Assert.True(result.Outcomes.Count(image => image.Fooled) >= fooled);
            fooled = result.Outcomes.Count(image => image.Fooled);
        }

        Assert.InRange(fooled, 8, 16);
    }

    [Fact]
    public void The_smallest_epsilon_succeeds_as_a_budget_and_a_slightly_smaller_one_fails()
    {
        using var scope = NewDisposeScope();
        using var smallest = (FastGradientOptions.Single with { Tolerance = 1e-4 }).CreateAttack().Run(_network.AsClassifier(), _images, _labels);
        Assert.All(smallest.Outcomes.Where(image => image.Attacked), image => Assert.True(image.Fooled, image.Exit.Describe()));
        for (var row = 0; row < smallest.Outcomes.Count; row++)
        {
            if (smallest.Outcomes[row].Attacked)
            {
                // Only in L∞: in L2 a perturbation that is clipped to the bounds is shorter than its ε.
                Assert.True(IsFooled(row, smallest.Outcomes[row].LInf * 1.0002));
                Assert.False(IsFooled(row, smallest.Outcomes[row].LInf * 0.9995));
            }
        }

        bool IsFooled(int row, double epsilon)
        {
            using var result = (FastGradientOptions.Single with { Epsilon = epsilon }).CreateAttack().Run(_network.AsClassifier(), _images[row..(row + 1)], _labels[row..(row + 1)]);
            return result.Outcomes[0].Fooled;
        }
    }

    [Fact]
    public void One_step_takes_two_backward_passes_and_one_forward_pass_per_epsilon()
    {
        using var scope = NewDisposeScope();
        using var result = FastGradientOptions.Single.CreateAttack().Run(_network.AsClassifier(), _images, _labels);
        // Two backward passes: one of the gap, for the first ε, and one of the objective.
        Assert.All(result.Outcomes.Where(image => image.Attacked), image => Assert.Equal((image.Iterations + 1, 2), (image.Forwards, image.Backwards)));

        using var budgeted = (FastGradientOptions.Single with { Epsilon = 0.1 }).CreateAttack().Run(_network.AsClassifier(), _images, _labels);
        Assert.All(budgeted.Outcomes.Where(image => image.Attacked), image => Assert.Equal((1, 2, 1), (image.Iterations, image.Forwards, image.Backwards)));
    }

    [Fact]
    public void Restarts_fool_more_images_and_cost_nothing_for_images_fooled_at_the_first_start()
    {
        using var scope = NewDisposeScope();
        var once = FastGradientOptions.Projected with { MaxIterations = 2 };
        using var single = (once with { Epsilon = 0.09 }).CreateAttack().Run(_network.AsClassifier(), _images, _labels);
        using var several = (once with { Restarts = 20, Epsilon = 0.09 }).CreateAttack().Run(_network.AsClassifier(), _images, _labels);
        Assert.True(several.Outcomes.Count(image => image.Fooled) > single.Outcomes.Count(image => image.Fooled));
        Assert.All(single.Outcomes.Zip(several.Outcomes).Where(pair => pair.First.Fooled), pair => Assert.Equal(pair.First, pair.Second));
    }

    [Fact]
    public void Random_starts_are_determined_by_the_seed_and_the_index_in_the_data_set()
    {
        using var scope = NewDisposeScope();
        var attack = (FastGradientOptions.Projected with { Epsilon = 0.2 }).CreateAttack();
        long[] indices = [.. Enumerable.Range(100, 16)];
        using var whole = attack.Run(_network.AsClassifier(), _images, _labels, indices: indices);
        using var part = attack.Run(_network.AsClassifier(), _images[5..8], _labels[5..8], indices: indices[5..8]);
        Assert.True((whole.Adversarial[5..8] - part.Adversarial).abs().max().item<double>() < 1e-9);

        using var elsewhere = attack.Run(_network.AsClassifier(), _images, _labels);
        using var otherSeed = (FastGradientOptions.Projected with { Seed = 1, Epsilon = 0.2 }).CreateAttack().Run(_network.AsClassifier(), _images, _labels, indices: indices);
        Assert.False(whole.Adversarial.allclose(elsewhere.Adversarial));
        Assert.False(whole.Adversarial.allclose(otherSeed.Adversarial));
    }

    [Fact]
    public void Invalid_settings_are_refused_by_name()
    {
        Assert.Contains("epsilon", Assert.Throws<BadInputException>(() => new FastGradientOptions { Epsilon = 0 }.CreateAttack()).Message, StringComparison.Ordinal);
        Assert.Contains("tolerance", Assert.Throws<BadInputException>(() => new FastGradientOptions { Tolerance = -1 }.CreateAttack()).Message, StringComparison.Ordinal);
        Assert.Contains("relative step", Assert.Throws<BadInputException>(() => new FastGradientOptions { RelativeStep = 0 }.CreateAttack()).Message, StringComparison.Ordinal);
        Assert.Contains("random start", Assert.Throws<BadInputException>(() => new FastGradientOptions { Restarts = 2 }.CreateAttack()).Message, StringComparison.Ordinal);
        Assert.Contains("l2 and linf", Assert.Throws<BadInputException>(() => new FastGradientOptions { Norm = Norm.L1 }.CreateAttack()).Message, StringComparison.Ordinal);
    }

    private static FastGradientOptions Options(string method, string norm) => (method switch
    {
        "fgsm" => FastGradientOptions.Single,
        "ifgsm" => FastGradientOptions.Iterative,
        _ => FastGradientOptions.Projected,
    }) with
    {
        Norm = norm == "l2" ? Norm.L2 : Norm.LInf,
        Target = TargetSelection.Untargeted,
    };
}
