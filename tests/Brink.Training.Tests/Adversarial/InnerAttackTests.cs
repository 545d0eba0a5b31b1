using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Training.Tests.Adversarial;

public sealed class InnerAttackTests
{
    private const double Epsilon = 0.1;

    public static TheoryData<AdversarialMethod, string, int> Methods()
    {
        var data = new TheoryData<AdversarialMethod, string, int>();
        foreach (var method in Enum.GetValues<AdversarialMethod>())
        {
            foreach (var norm in new[] { "l2", "linf" })
            {
                data.Add(method, norm, method == AdversarialMethod.FastGradient ? 1 : 3);
                data.Add(method, norm, 1);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Perturbations_are_within_epsilon_and_the_bounds_and_increase_the_loss(AdversarialMethod method, string norm, int steps)
    {
        using var scope = NewDisposeScope();
        var (model, pixels, labels) = Task();
        using var owned = model;
        var options = new AdversarialOptions { Method = method, Norm = Of(norm), Epsilon = Epsilon, Steps = steps };
        var adversarial = new InnerAttack(SmallTask.Classifier(model), options).Perturb(pixels, labels, seed: 3);
        Assert.True((Of(norm).Of(adversarial - pixels) <= Epsilon * (1 + 1e-9)).all().item<bool>());
        Assert.True((adversarial >= 0).logical_and(adversarial <= 1).all().item<bool>());
        Assert.False(adversarial.requires_grad);
        Assert.True(Loss(model, adversarial, labels) > Loss(model, pixels, labels) + 1e-3);
    }

    [Fact]
    public void The_fast_gradient_step_is_epsilon_times_the_sign_of_the_gradient()
    {
        using var scope = NewDisposeScope();
        var (model, pixels, labels) = Task();
        using var owned = model;
        var adversarial = new InnerAttack(SmallTask.Classifier(model), new() { Method = AdversarialMethod.FastGradient, Epsilon = Epsilon }).Perturb(pixels, labels, seed: 0);
        var leaf = pixels.clone().requires_grad_();
        nn.functional.cross_entropy(model.Module.call(model.Normalization.Apply(leaf)), labels).backward();
        Assert.True((adversarial - (pixels + (Epsilon * leaf.grad!.sign())).clamp(0, 1)).abs().max().item<double>() < 1e-12);
    }

    [Theory]
    [InlineData("l2")]
    [InlineData("linf")]
    public void A_trust_region_step_ends_just_beyond_the_boundary_or_at_epsilon(string name)
    {
        using var scope = NewDisposeScope();
        using var model = TwoClasses();
        var norm = Of(name);
        // f = z_1 − z_0 = ⟨w, x⟩ + b is linear, so the distance to the boundary is −f/‖w‖_q exactly.
        var pixels = tensor(new[] { 0.5, 0.5, 0.5, 0.2, 0.4, 0.3 }).reshape(2, 3, 1, 1);
        var labels = zeros([2], dtype: ScalarType.Int64);
        var gaps = Gaps(model, pixels);
        var weights = tensor(new[] { 4.0, 2, 1 });
        var distances = gaps.neg().div(norm.Dual.Of(weights.unsqueeze(0)));
        Assert.True((gaps < 0).all().item<bool>());

        var options = new AdversarialOptions { Method = AdversarialMethod.TrustRegion, Norm = norm, Epsilon = 10 };
        var adversarial = new InnerAttack(SmallTask.Classifier(model), options).Perturb(pixels, labels, seed: 0);
        Assert.True((Gaps(model, adversarial) > 0).all().item<bool>());
        Assert.True((norm.Of(adversarial - pixels) - (1.02 * distances)).abs().max().item<double>() < 1e-9);

        var small = distances.min().item<double>() / 2;
        var shortened = new InnerAttack(SmallTask.Classifier(model), options with { Epsilon = small }).Perturb(pixels, labels, seed: 0);
        Assert.True((norm.Of(shortened - pixels) - small).abs().max().item<double>() < 1e-9);
    }

    [Fact]
    public void A_trust_region_step_does_not_change_misclassified_images()
    {
        using var scope = NewDisposeScope();
        using var model = TwoClasses();
        var pixels = tensor(new[] { 0.5, 0.5, 0.5 }).reshape(1, 3, 1, 1);
        var wrong = ones([1], dtype: ScalarType.Int64);
        var adversarial = new InnerAttack(SmallTask.Classifier(model), new() { Method = AdversarialMethod.TrustRegion, Epsilon = 1 }).Perturb(pixels, wrong, seed: 0);
        Assert.True(adversarial.equal(pixels).all().item<bool>());
    }

    [Theory]
    [InlineData(AdversarialTarget.MostLikely)]
    [InlineData(AdversarialTarget.LeastLikely)]
    public void A_trust_region_step_increases_the_logit_gap_of_the_chosen_class(AdversarialTarget target)
    {
        using var scope = NewDisposeScope();
        var (model, pixels, labels) = Task();
        using var owned = model;
        var before = model.Module.call(model.Normalization.Apply(pixels)).detach();
        var correct = before.argmax(1).eq(labels);
        var adversarial = new InnerAttack(SmallTask.Classifier(model), new() { Method = AdversarialMethod.TrustRegion, Norm = Norm.L2, Epsilon = 0.01, Target = target }).Perturb(pixels, labels, seed: 0);
        var after = model.Module.call(model.Normalization.Apply(adversarial)).detach();
        Assert.InRange(correct.sum().item<long>(), 3, 11);
        for (var row = 0; row < labels.shape[0]; row++)
        {
            if (!correct[row].item<bool>())
            {
                continue;
            }

            // The two classes other than the label, by logit.
            var others = Enumerable.Range(0, 3).Where(other => other != labels[row].item<long>()).OrderBy(other => before[row, other].item<double>()).ToArray();
            var targetClass = target == AdversarialTarget.MostLikely ? others[1] : others[0];
            var increase = after[row, targetClass] - after[row, labels[row].item<long>()] - before[row, targetClass] + before[row, labels[row].item<long>()];
            Assert.True(increase.item<double>() > 0);
        }
    }

    [Fact]
    public void Random_starts_are_determined_by_the_seed()
    {
        using var scope = NewDisposeScope();
        var (model, pixels, labels) = Task();
        using var owned = model;
        var attack = new InnerAttack(SmallTask.Classifier(model), new() { Method = AdversarialMethod.Projected, Epsilon = Epsilon });
        Assert.True(attack.Perturb(pixels, labels, seed: 1).equal(attack.Perturb(pixels, labels, seed: 1)).all().item<bool>());
        Assert.False(attack.Perturb(pixels, labels, seed: 1).equal(attack.Perturb(pixels, labels, seed: 2)).all().item<bool>());
    }

    [Fact]
    public void The_mode_the_buffers_and_the_gradients_of_the_network_do_not_change()
    {
        using var scope = NewDisposeScope();
        using var model = SmallTask.Network();
        model.Module.train();
        var before = SmallTask.Weights(model);
        var images = SmallTask.Images(8, seed: 1);
        new InnerAttack(SmallTask.Classifier(model), new()).Perturb(images.Images(0, 8), images.Labels(0, 8), seed: 0);
        Assert.Equal(before, SmallTask.Weights(model));
        Assert.All(model.Module.modules(), part => Assert.True(part.training));
        Assert.All(model.Module.parameters(), weight => Assert.Null(weight.grad));
    }

    [Theory]
    [InlineData(AdversarialMethod.FastGradient, 1)]
    [InlineData(AdversarialMethod.IterativeFastGradient, 3)]
    [InlineData(AdversarialMethod.Projected, 3)]
    [InlineData(AdversarialMethod.TrustRegion, 1)]
    public void A_step_takes_one_forward_pass_and_the_default_number_of_steps_is_the_documented_one(AdversarialMethod method, int passes)
    {
        using var scope = NewDisposeScope();
        using var counting = new CountingModule();
        using var model = new LoadedModel("counting", counting, 3, new([0.5, 0.5, 0.5], [0.25, 0.25, 0.25]));
        var images = SmallTask.Images(8, seed: 1);
        new InnerAttack(SmallTask.Classifier(model), new() { Method = method }).Perturb(images.Images(0, 8), images.Labels(0, 8), seed: 0);
        Assert.Equal(passes, counting.Passes);
    }

    [Theory]
    [InlineData(0, 3, 0.5, "epsilon")]
    [InlineData(0.1, 3, 1.5, "adversarial share")]
    [InlineData(0.1, 1001, 0.5, "attack steps")]
    public void Settings_out_of_range_are_rejected_with_their_name(double epsilon, int steps, double share, string name)
    {
        using var model = SmallTask.Network();
        var options = new AdversarialOptions { Epsilon = epsilon, Steps = steps, Share = share };
        Assert.Contains(name, Assert.Throws<BadInputException>(() => new Trainer(model, new() { Adversarial = options })).Message, StringComparison.Ordinal);
    }

    private static Norm Of(string name) => name == "l2" ? Norm.L2 : Norm.LInf;

    private static (LoadedModel Model, Tensor Pixels, Tensor Labels) Task()
    {
        var model = SmallTask.SmoothNetwork();
        model.Module.eval();
        var images = SmallTask.Images(12, seed: 3);
        return (model, images.Images(0, 12).to(ScalarType.Float64), images.Labels(0, 12));
    }

    /// <summary>Creates a model of one pixel with the logits (0, 4r + 2g + b − 4).</summary>
    private static LoadedModel TwoClasses()
    {
        var layer = nn.Linear(3, 2, dtype: ScalarType.Float64);
        using (no_grad())
        {
            layer.weight.copy_(tensor(new[] { 0.0, 0, 0, 4, 2, 1 }).reshape(2, 3));
            layer.bias!.copy_(tensor(new[] { 0.0, -4 }));
        }

        return new("line", nn.Sequential(nn.Flatten(), layer), 2, new([0, 0, 0], [1, 1, 1]));
    }

    private static Tensor Gaps(LoadedModel model, Tensor pixels)
    {
        var logits = model.Module.call(pixels).detach();
        return logits[TensorIndex.Colon, 1] - logits[TensorIndex.Colon, 0];
    }

    private static double Loss(LoadedModel model, Tensor pixels, Tensor labels) =>
        nn.functional.cross_entropy(model.Module.call(model.Normalization.Apply(pixels)), labels).item<double>();

    private sealed class CountingModule : nn.Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Linear _layer = nn.Linear(3 * 8 * 8, 3);

        public CountingModule()
            : base(nameof(CountingModule)) => RegisterComponents();

        public int Passes { get; private set; }

        public override Tensor forward(Tensor input)
        {
            Passes++;
            return _layer.forward(input.flatten(1));
        }
    }
}
