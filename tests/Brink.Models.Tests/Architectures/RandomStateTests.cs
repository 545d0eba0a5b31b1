using Brink.Models.Tests.Golden;
using static TorchSharp.torch;

namespace Brink.Models.Tests.Architectures;

/// <summary>Tests of the random state. They do not run in parallel with others, because the state is global and a network created meanwhile would change it.</summary>
[CollectionDefinition(nameof(RandomStateTests), DisableParallelization = true)]
[Collection(nameof(RandomStateTests))]
public sealed class RandomStateTests
{
    [Theory]
    [InlineData("resnet20")]
    [InlineData("wresnet16-4")]
    [InlineData("alexlike-s")]
    [InlineData("signs")]
    public void Random_weights_depend_only_on_the_seed_and_give_logits_of_moderate_size(string name)
    {
        using var scope = NewDisposeScope();
        using var before = random.get_rng_state();
        using var one = ModelCatalog.WithRandomWeights(name, seed: 5);
        Assert.True(before.equal(random.get_rng_state()).all().item<bool>());
        random.manual_seed(123);
        using var same = ModelCatalog.WithRandomWeights(name, seed: 5);
        using var other = ModelCatalog.WithRandomWeights(name, seed: 6);
        Assert.All(one.Module.state_dict(), entry => Assert.True(entry.Value.equal(same.Module.state_dict()[entry.Key]).all().item<bool>(), entry.Key));

        using var image = FormulaWeights.Image(32);
        var (logits, otherLogits) = (one.Module.call(image), other.Module.call(image));
        Assert.False(logits.allclose(otherLogits));
        // From 1.3 (signs) to 6.9 (resnet20) with this seed.
        Assert.InRange(logits.std().item<float>(), 1, 10);
        Assert.False(one.Module.training);
    }

    [Fact]
    public void Loading_does_not_change_the_global_random_state()
    {
        using var scope = NewDisposeScope();
        using var before = random.get_rng_state();
        using var loaded = ModelCatalog.Load("signs", weights: null);
        Assert.True(before.equal(random.get_rng_state()).all().item<bool>());
    }
}
