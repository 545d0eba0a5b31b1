using static TorchSharp.torch;

namespace Brink.Tests.Classifiers;

public sealed class ModuleClassifierTests
{
    [Fact]
    public void The_mode_of_every_submodule_is_restored()
    {
        using var module = nn.Sequential(("a", nn.Linear(2, 2)), ("b", nn.Sequential(("c", nn.Dropout()), ("d", nn.BatchNorm1d(2)))), ("e", nn.Linear(2, 2)));
        module.train();
        var frozen = module.named_modules().Single(part => part.name == "b.d").module;
        frozen.eval();
        var before = Modes(module);
        using (new ModuleClassifier(module, 2, Bounds.Pixels).EnterEvaluation())
        {
            Assert.DoesNotContain(true, Modes(module));
        }

        Assert.Equal(before, Modes(module));
        Assert.Contains(false, before);
        Assert.Contains(true, before);
    }

    [Fact]
    public void A_module_that_throws_is_reported_in_one_sentence()
    {
        using var module = new Custom(_ => throw new FormatException("custom failure"));
        var error = Assert.Throws<BadInputException>(() => Classify(module));
        Assert.Contains("custom failure", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void A_wrong_image_size_is_reported_in_one_sentence()
    {
        using var module = nn.Linear(7, 3);
        var error = Assert.Throws<BadInputException>(() => Classify(module));
        Assert.Contains("[4, 2]", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void An_output_that_is_not_batch_by_classes_is_reported()
    {
        using var flat = new Custom(images => images.sum(1));
        Assert.Contains("[4]", Assert.Throws<BadInputException>(() => Classify(flat)).Message, StringComparison.Ordinal);
        using var wide = nn.Linear(2, 5);
        Assert.Contains("[4, 5]", Assert.Throws<BadInputException>(() => Classify(wide)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_classifier_needs_at_least_two_classes()
    {
        using var module = nn.Linear(2, 1);
        Assert.Throws<BadInputException>(() => new ModuleClassifier(module, 1, Bounds.Pixels));
    }

    [Fact]
    public void A_ReLU_in_any_submodule_means_first_derivatives_only_unless_overridden()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(Derivatives.First, Of(nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.LeakyReLU()), nn.Linear(2, 2))));
        Assert.Equal(Derivatives.First, Of(nn.ReLU()));
        Assert.Equal(Derivatives.AtLeastFirst, Of(nn.Sequential(nn.Linear(2, 2), nn.SiLU(), nn.Linear(2, 2))));
        Assert.Equal(Derivatives.Second, Of(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), Derivatives.Second));
        IClassifier pixels = new NormalizedClassifier(new ModuleClassifier(nn.ReLU(), 2, Bounds.Pixels), Normalization.Cifar10);
        Assert.Equal(Derivatives.First, pixels.Derivatives);

        static Derivatives Of(nn.Module<Tensor, Tensor> module, Derivatives? derivatives = null) => new ModuleClassifier(module, 2, Bounds.Pixels, derivatives: derivatives).Derivatives;
    }

    private static void Classify(nn.Module<Tensor, Tensor> module) => new ModuleClassifier(module, 3, Bounds.Pixels).Logits(ones(4, 2));

    private static bool[] Modes(nn.Module module) => [.. module.modules().Prepend(module).Select(part => part.training)];

    private sealed class Custom(Func<Tensor, Tensor> compute) : nn.Module<Tensor, Tensor>("custom")
    {
        public override Tensor forward(Tensor input) => compute(input);
    }
}
