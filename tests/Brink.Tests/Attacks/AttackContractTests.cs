using Brink.Attacks;
using static TorchSharp.torch;

namespace Brink.Tests.Attacks;

/// <summary>Tests of the contract that all attacks share, on a small smooth network.</summary>
// One test compares the random state of the process before and after.
[Collection(nameof(ExclusiveCollection))]
public sealed class AttackContractTests : IDisposable
{
    private readonly SmoothNetwork _network = new(12, 20, 5, seed: 1);
    private readonly Tensor _images;
    private readonly Tensor _labels;

    public AttackContractTests() => (_images, _labels) = _network.Batch(16, seed: 2);

    public static TheoryData<string, string, string> Variants()
    {
        var variants = new TheoryData<string, string, string>();
        foreach (var norm in new[] { "l2", "linf" })
        {
            foreach (var target in new[] { "best", "hardest", "untargeted", "3" })
            {
                foreach (var preset in new[] { "paper", "refined", "deepfool", "tr2", "tr2 by differences" })
                {
                    if ((target, preset) is not ("untargeted", "deepfool") && (norm == "l2" || !preset.StartsWith("tr2", StringComparison.Ordinal)))
                    {
                        variants.Add(norm, target, preset);
                    }
                }
            }
        }

        variants.Add("l1", "untargeted", "refined");
        variants.Add("l1", "3", "effort");
        variants.Add("l2", "untargeted", "effort");
        variants.Add("linf", "best", "effort");
        variants.Add("linf", "3", "effort");

        // These take hundreds of passes per image.
        variants.Add("l2", "untargeted", "cw");
        variants.Add("l2", "3", "cw");
        variants.Add("linf", "untargeted", "ifgsm");
        variants.Add("l2", "hardest", "ifgsm");
        variants.Add("linf", "3", "pgd");
        variants.Add("l2", "untargeted", "budget");
        variants.Add("linf", "untargeted", "budget-fgsm");
        return variants;
    }

    /// <summary>Returns the variants in which every step takes one pass.</summary>
    public static IEnumerable<TheoryDataRow<string, string, string>> Steppers() => Variants().Where(variant => variant.Data.Item3 is "paper" or "deepfool");

    public void Dispose()
    {
        _images.Dispose();
        _labels.Dispose();
        _network.Dispose();
    }

    [Theory, MemberData(nameof(Variants))]
    public void Every_attacked_image_is_fooled_within_bounds(string norm, string target, string preset)
    {
        using var scope = NewDisposeScope();
        var classifier = _network.AsClassifier();
        using var result = Attack(norm, target, preset).Run(classifier, _images, _labels);
        Assert.Contains(result.Outcomes, image => image.Attacked);
        // A budgeted attack may not fool all images.
        var atLeast = preset.StartsWith("budget", StringComparison.Ordinal) ? 1 : result.Outcomes.Count(image => image.Attacked);
        Assert.True(result.Outcomes.Count(image => image.Fooled) >= atLeast, string.Join(' ', result.Outcomes.Select(image => image.Exit)));
        Assert.True(classifier.Bounds.Contain(result.Adversarial).all().item<bool>());
        // A graph would keep the points of whole passes in memory.
        Assert.False(result.Adversarial.requires_grad);
        using var evaluation = classifier.EnterEvaluation();
        var predictions = classifier.Logits(result.Adversarial).argmax(1).data<long>().ToArray();
        Assert.Equal(predictions, result.Outcomes.Select(image => image.PredictionAfter));
    }

    [Theory, MemberData(nameof(Variants))]
    public void Reported_lengths_are_those_of_the_returned_images(string norm, string target, string preset)
    {
        using var scope = NewDisposeScope();
        using var result = Attack(norm, target, preset).Run(_network.AsClassifier(), _images, _labels);
        var perturbations = result.Adversarial - _images;
        Assert.Equal(Norm.L2.Of(perturbations).data<double>().ToArray(), result.Outcomes.Select(image => image.L2));
        Assert.Equal(Norm.LInf.Of(perturbations).data<double>().ToArray(), result.Outcomes.Select(image => image.LInf));
        Assert.Equal(Norm.L1.Of(perturbations).data<double>().ToArray(), result.Outcomes.Select(image => image.L1));
    }

    [Theory, MemberData(nameof(Variants))]
    [Trait("speed", "slow")]
    public void An_image_has_the_same_result_alone_and_in_a_batch(string norm, string target, string preset)
    {
        using var scope = NewDisposeScope();
        var attack = Attack(norm, target, preset);
        using var together = attack.Run(_network.AsClassifier(), _images, _labels);
        for (var row = 0; row < together.Outcomes.Count; row++)
        {
            using var alone = attack.Run(_network.AsClassifier(), _images.slice(0, row, row + 1, 1), _labels.slice(0, row, row + 1, 1), indices: [row]);
            var (one, other) = (alone.Outcomes[0], together.Outcomes[row]);
            Assert.True((alone.Adversarial[0] - together.Adversarial[row]).abs().max().item<double>() < 1e-9);
            Assert.Equal((one.Exit, one.Target, one.Iterations, one.Forwards, one.Backwards, one.Products), (other.Exit, other.Target, other.Iterations, other.Forwards, other.Backwards, other.Products));
        }
    }

    [Theory, MemberData(nameof(Variants))]
    [Trait("speed", "slow")]
    public void The_order_of_the_batch_does_not_matter(string norm, string target, string preset)
    {
        using var scope = NewDisposeScope();
        var attack = Attack(norm, target, preset);
        using var forward = attack.Run(_network.AsClassifier(), _images, _labels);
        using var backward = attack.Run(_network.AsClassifier(), _images.flip(0), _labels.flip(0), indices: [.. Enumerable.Range(0, 16).Reverse().Select(row => (long)row)]);
        Assert.True((forward.Adversarial - backward.Adversarial.flip(0)).abs().max().item<double>() < 1e-9);
    }

    [Fact]
    public void Two_equal_runs_give_identical_images()
    {
        using var scope = NewDisposeScope();
        using var first = Attack("l2", "best", "paper").Run(_network.AsClassifier(), _images, _labels);
        using var second = Attack("l2", "best", "paper").Run(_network.AsClassifier(), _images, _labels);
        Assert.Equal(first.Adversarial.data<double>().ToArray(), second.Adversarial.data<double>().ToArray());
    }

    [Theory, MemberData(nameof(Steppers))]
    public void An_image_fooled_after_k_steps_took_at_most_k_plus_1_passes_besides_the_choice_of_class(string norm, string target, string preset)
    {
        using var scope = NewDisposeScope();
        using var result = Attack(norm, target, preset).Run(_network.AsClassifier(), _images, _labels);
        var (choiceForwards, choiceBackwards) = target is "untargeted" or "3" ? (0, 0) : (1, 4);
        Assert.All(result.Outcomes.Where(image => image.Attacked), image =>
        {
            // DeepFool with the target best chooses the class anew at every point.
            var choices = preset == "deepfool" && target == "best" ? image.Iterations + 1 : 1;
            // A gradient that is differentiated once more is computed again after the choice of the class; a finite difference takes two passes.
            var again = preset == "tr2" ? 1 : 0;
            var differences = preset == "tr2 by differences" ? 2 * image.Products : 0;
            Assert.InRange(image.Forwards, 1, image.Iterations + 1 + choiceForwards + differences);
            Assert.InRange(image.Backwards, 1, image.Iterations + 1 + (choices * choiceBackwards) + again + differences);
            Assert.InRange(image.Products, preset.StartsWith("tr2", StringComparison.Ordinal) ? image.Iterations : 0, preset.StartsWith("tr2", StringComparison.Ordinal) ? 2 * image.Iterations : 0);
        });
    }

    [Theory, MemberData(nameof(Variants))]
    [Trait("speed", "slow")]
    public void Counted_passes_equal_those_of_the_classifier(string norm, string target, string preset)
    {
        using var scope = NewDisposeScope();
        // One image per run, so that its counts are those of the classifier.
        for (var row = 0; row < 4; row++)
        {
            var counting = new CountingClassifier(_network.AsClassifier());
            using var result = Attack(norm, target, preset).Run(counting, _images.slice(0, row, row + 1, 1), _labels.slice(0, row, row + 1, 1));
            Assert.Equal(counting.Forwards - (result.Outcomes[0].Fooled ? 1 : 0), result.Outcomes[0].Forwards);
            Assert.Equal(counting.Backwards, result.Outcomes[0].Backwards + (preset == "tr2" ? result.Outcomes[0].Products : 0));
        }
    }

    [Theory]
    [InlineData("best")]
    [InlineData("3")]
    public void Finished_rows_cause_no_further_passes(string target)
    {
        using var scope = NewDisposeScope();
        var counting = new CountingClassifier(_network.AsClassifier());
        var labels = _labels.clone();
        labels[3] = (_labels[3] + 1) % 5;
        using var result = Attack("l2", target, "paper").Run(counting, _images, labels);
        // The confirmation at the end, one pass of the whole batch, is not counted.
        Assert.Equal(counting.Forwards - _images.shape[0], result.Outcomes.Sum(image => image.Forwards));
        // With a given class, images that are not attacked are part of one backward pass, which is not counted for them.
        var shared = target == "best" ? 0 : result.Outcomes.Count(image => !image.Attacked);
        Assert.Equal(counting.Backwards - shared, result.Outcomes.Sum(image => image.Backwards));
        Assert.True(result.Outcomes.Max(image => image.Iterations) > result.Outcomes.Min(image => image.Iterations));
    }

    [Fact]
    public void Misclassified_images_cost_one_pass_and_are_returned_unchanged()
    {
        using var scope = NewDisposeScope();
        var wrong = _labels.clone();
        wrong[3] = (_labels[3] + 1) % 5;
        using var result = Attack("linf", "best", "paper").Run(_network.AsClassifier(), _images, wrong);
        Assert.Equal((AttackExit.Misclassified, 1, 0, 0.0), (result.Outcomes[3].Exit, result.Outcomes[3].Forwards, result.Outcomes[3].Backwards, result.Outcomes[3].L2));
        Assert.True(result.Adversarial[3].equal(_images[3]).all().item<bool>());
        Assert.All(result.Outcomes.Where((_, row) => row != 3), image => Assert.True(image.Fooled));
    }

    [Fact]
    public void Images_whose_label_is_the_target_class_are_skipped()
    {
        using var scope = NewDisposeScope();
        var label = _labels[0].item<long>();
        using var result = Attack("l2", label.ToString(System.Globalization.CultureInfo.InvariantCulture), "paper").Run(_network.AsClassifier(), _images, _labels);
        Assert.All(result.Outcomes, image => Assert.Equal(image.Label == label, image.Exit == AttackExit.Skipped));
    }

    [Theory]
    [InlineData("l2", "best")]
    [InlineData("linf", "hardest")]
    [InlineData("l2", "3")]
    [InlineData("l2", "best", true)]
    [InlineData("l2", "untargeted", true)]
    public void Cross_entropy_fools_a_smooth_network_too(string norm, string target, bool secondOrder = false)
    {
        using var scope = NewDisposeScope();
        var options = new TrustRegionOptions { Curvature = secondOrder ? new() : null, Norm = norm == "l2" ? Norm.L2 : Norm.LInf, Target = TargetOf(target), Objective = Objective.CrossEntropy };
        using var result = new TrustRegionAttack(options).Run(_network.AsClassifier(), _images, _labels, CriterionOf(target));
        Assert.All(result.Outcomes.Where(image => image.Attacked), image => Assert.True(image.Fooled, image.Exit.Describe()));
    }

    [Fact]
    public void Classifier_images_and_random_state_are_left_unchanged()
    {
        using var scope = NewDisposeScope();
        _network.train();
        (_network.parameters().First().sum() * 3).backward();
        var parameters = _network.parameters().Select(parameter => (parameter, parameter.detach().clone(), parameter.grad?.clone(), parameter.requires_grad)).ToArray();
        var (images, labels) = (_images.clone(), _labels.clone());
        using var before = torch.random.get_rng_state();
        using (Attack("l2", "best", "paper").Run(_network.AsClassifier(), _images, _labels))
        {
        }

        using var after = torch.random.get_rng_state();
        Assert.True(before.equal(after).all().item<bool>());
        Assert.All(_network.modules().Prepend(_network), module => Assert.True(module.training));
        Assert.True(images.equal(_images).all().item<bool>() && labels.equal(_labels).all().item<bool>());
        Assert.False(_images.requires_grad);
        Assert.All(parameters, entry =>
        {
            var (parameter, values, gradient, requiresGradient) = entry;
            Assert.True(parameter.equal(values).all().item<bool>());
            Assert.Equal(requiresGradient, parameter.requires_grad);
            Assert.True(gradient is null ? parameter.grad is null : parameter.grad!.equal(gradient).all().item<bool>());
        });
    }

    [Theory]
    [InlineData("paper")]
    [InlineData("ifgsm")]
    [InlineData("pgd")]
    [InlineData("cw")]
    [InlineData("budget")]
    public void A_flat_objective_ends_with_zero_gradient(string preset)
    {
        using var scope = NewDisposeScope();
        var classifier = new Linear([new double[12], new double[12], new double[12], new double[12], new double[12]], [1, 0, 0, 0, 0], new Bounds(-3, 3));
        using var result = Attack("l2", "untargeted", preset).Run(classifier, _images, zeros_like(_labels));
        Assert.All(result.Outcomes, image => Assert.Equal(AttackExit.ZeroGradient, image.Exit));
        Assert.True(result.Adversarial.equal(_images).all().item<bool>());
    }

    [Theory]
    [InlineData("ifgsm")]
    [InlineData("pgd")]
    [InlineData("cw")]
    [InlineData("budget")]
    public void Every_attack_can_be_cancelled_without_leaks(string preset)
    {
        using var cancellation = new CancellationTokenSource();
        var passes = 0;
        _network.train();
        var classifier = new Altered(_network.AsClassifier(), (_, logits) =>
        {
            if (++passes == 3)
            {
                cancellation.Cancel();
            }

            return logits.alias();
        });
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Assert.Throws<OperationCanceledException>(() => Attack("l2", "untargeted", preset).Run(classifier, _images, _labels, cancellationToken: cancellation.Token));
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Assert.All(_network.modules().Prepend(_network), module => Assert.True(module.training));
    }

    [Theory]
    [InlineData("ifgsm")]
    [InlineData("pgd")]
    [InlineData("cw")]
    [InlineData("budget")]
    public void NaN_logits_away_from_the_image_end_every_attack_as_not_finite(string preset)
    {
        using var scope = NewDisposeScope();
        var classifier = new Altered(_network.AsClassifier(), (points, logits) =>
            where((points - _images[..1]).abs().amax([1]).gt(1e-9).unsqueeze(1), full_like(logits, double.NaN), logits));
        using var result = Attack("l2", "untargeted", preset).Run(classifier, _images[..1], _labels[..1]);
        Assert.Equal((AttackExit.NotFinite, 0.0), (result.Outcomes[0].Exit, result.Outcomes[0].L2));
    }

    [Fact]
    public void The_mode_is_restored_and_no_tensor_leaks_when_the_attack_is_cancelled()
    {
        using var cancellation = new CancellationTokenSource();
        _network.train();
        var classifier = _network.AsClassifier();
        var progress = new CallbackProgress<AttackProgress>(_ => cancellation.Cancel());
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Assert.Throws<OperationCanceledException>(() => new TrustRegionAttack(new() { Radius = RadiusPolicy.Fixed(1e-3) }).Run(classifier, _images, _labels, progress: progress, cancellationToken: cancellation.Token));
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Assert.All(_network.modules().Prepend(_network), module => Assert.True(module.training));
        Assert.True(is_grad_enabled());
    }

    [Theory, MemberData(nameof(Variants))]
    [Trait("speed", "slow")]
    public void No_tensors_leak(string norm, string target, string preset)
    {
        var attack = Attack(norm, target, preset);
        var classifier = _network.AsClassifier();
        attack.Run(classifier, _images, _labels).Dispose();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        attack.Run(classifier, _images, _labels).Dispose();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Gradients_disabled_by_the_caller_are_enabled_during_the_attack_only()
    {
        using var scope = NewDisposeScope();
        using (no_grad())
        {
            using var result = Attack("l2", "best", "paper").Run(_network.AsClassifier(), _images, _labels);
            Assert.All(result.Outcomes, image => Assert.True(image.Fooled));
            Assert.False(is_grad_enabled());
        }

        using (inference_mode(true))
        {
            using var result = Attack("l2", "best", "paper").Run(_network.AsClassifier(), _images.clone(), _labels.clone());
            Assert.All(result.Outcomes, image => Assert.True(image.Fooled));
        }
    }

    [Fact]
    public void The_iteration_limit_is_an_exit_reason()
    {
        using var scope = NewDisposeScope();
        using var result = new TrustRegionAttack(new() { Radius = RadiusPolicy.Fixed(1e-6), MaxIterations = 2, Refinement = new() }).Run(_network.AsClassifier(), _images, _labels);
        Assert.All(result.Outcomes, image => Assert.Equal((AttackExit.IterationLimit, 2, 0.0), (image.Exit, image.Iterations, image.L2)));
        Assert.True(result.Adversarial.equal(_images).all().item<bool>());
    }

    [Fact]
    public void Images_are_misclassified_if_the_weights_are_not_finite()
    {
        using var scope = NewDisposeScope();
        using (no_grad())
        {
            _network.parameters().Last().fill_(double.NaN);
        }

        using var result = Attack("l2", "best", "paper").Run(_network.AsClassifier(), _images, _labels);
        Assert.All(result.Outcomes, image => Assert.Equal((AttackExit.Misclassified, -1L), (image.Exit, image.PredictionBefore)));
    }

    [Fact]
    public void Logits_that_become_NaN_during_the_attack_end_it_as_not_finite()
    {
        using var scope = NewDisposeScope();
        var image = _images[..1];
        // Away from the image the lowest logit is NaN, which affects neither the gap nor its gradient.
        var lowest = _network.AsClassifier().Logits(image).argmin().item<long>();
        var classifier = new Altered(_network.AsClassifier(), (points, logits) =>
        {
            var changed = logits.clone();
            changed[.., (int)lowest] = double.NaN;
            return where((points - image).abs().amax([1]).gt(1e-9).unsqueeze(1), changed, logits);
        });
        using var result = new TrustRegionAttack(new() { Radius = RadiusPolicy.Fixed(1e-6), Candidates = 1, MaxIterations = 5 }).Run(classifier, image, _labels[..1]);
        Assert.Equal((AttackExit.NotFinite, 1, 0.0), (result.Outcomes[0].Exit, result.Outcomes[0].Iterations, result.Outcomes[0].L2));
    }

    [Fact]
    public void A_result_that_a_fresh_pass_does_not_confirm_is_discarded()
    {
        using var scope = NewDisposeScope();
        var inner = _network.AsClassifier();
        // The pass without a graph, which is the confirmation, always predicts the label.
        var classifier = new Altered(inner, (images, logits) => images.requires_grad ? logits : logits + nn.functional.one_hot(_labels, 5).mul(1000));
        using var result = Attack("l2", "best", "paper").Run(classifier, _images, _labels);
        Assert.All(result.Outcomes, image => Assert.Equal((AttackExit.Unconfirmed, false, 0.0, image.Label), (image.Exit, image.Fooled, image.L2, image.PredictionAfter)));
        Assert.True(result.Adversarial.equal(_images).all().item<bool>());
    }

    [Theory]
    [InlineData("paper", "l2", 0)]
    [InlineData("paper", "linf", 0)]
    [InlineData("paper", "l2", 1e-6)]
    [InlineData("paper", "linf", 1e-6)]
    [InlineData("ifgsm", "l2", 0)]
    [InlineData("ifgsm", "linf", 0)]
    [InlineData("ifgsm", "linf", 1e-6)]
    [InlineData("ifgsm", "linf", 1e-4)]
    [InlineData("pgd", "linf", 1e-4)]
    [InlineData("cw", "l2", 1e-6)]
    public void An_image_on_or_next_to_the_boundary_is_fooled_in_single_precision(string preset, string norm, double margin)
    {
        using var scope = NewDisposeScope();
        var weights = Enumerable.Range(0, 3072).Select(entry => entry % 2 == 0 ? 0.02 : -0.02).ToArray();
        // All pixels are 0.6, so the weights cancel and the gap is the offset. In a tie argmax gives the first class.
        var classifier = new Linear([new double[3072], weights], [0, -margin], Bounds.Pixels);
        var images = full([2, 3072], 0.6, dtype: ScalarType.Float32);
        using var result = Attack(norm, "best", preset).Run(classifier, images, zeros(2, dtype: ScalarType.Int64));
        Assert.All(result.Outcomes, image => Assert.True(image.Fooled, image.Exit.Describe()));
        // The steps of Adam have a fixed length.
        Assert.All(result.Outcomes, image => Assert.InRange(image.LInf, 0, preset == "cw" ? 0.05 : 1e-4));
    }

    [Fact]
    public void A_network_that_detaches_its_input_is_refused_although_its_parameters_have_gradients()
    {
        using var scope = NewDisposeScope();
        var inner = _network.AsClassifier();
        var classifier = new Detached(inner);
        var error = Assert.Throws<BadInputException>(() => Attack("l2", "best", "paper").Run(classifier, _images, _labels));
        Assert.Contains("differentiable", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(0.999999, false)]
    [InlineData(0.999999, true)]
    public void An_image_is_never_attacked_toward_its_own_class(double confidence, bool perImage)
    {
        using var scope = NewDisposeScope();
        var criterion = perImage ? Criterion.TargetClasses([.. _labels.data<long>().Select((label, row) => row % 2 == 0 ? label : (label + 1) % 5)], confidence) : Criterion.TargetClass((int)_labels[0].item<long>(), confidence);
        using var result = new TrustRegionAttack().Run(_network.AsClassifier(), _images, _labels, criterion);
        for (var row = 0; row < 16; row++)
        {
            var isOwn = perImage ? row % 2 == 0 : result.Outcomes[row].Label == result.Outcomes[0].Label;
            Assert.Equal(isOwn, result.Outcomes[row].Exit == AttackExit.Skipped);
        }
    }

    /// <summary>Calls of the public batch in any order give the margins of the images that are still active.</summary>
    [Fact]
    public void Images_that_leave_a_batch_leave_its_last_pass_too()
    {
        using var scope = NewDisposeScope();
        var attack = new Steps(batch =>
        {
            batch.Forward(batch.Images);
            var flags = Enumerable.Range(0, batch.Count).Select(position => position % 3 == 1).ToArray();
            var kept = batch.Keep(flags);
            var model = batch.Linearize(Norm.L2);
            var logits = _network.AsClassifier().Logits(_images).index_select(0, kept);
            Assert.True(model.Values.allclose(Criterion.Misclassification.Margins(logits, batch.Labels, kept)));
            Assert.Equal(batch.Count, model.Gradients.shape[0]);
            Assert.Throws<InvalidOperationException>(() => batch.Linearize(Norm.L2));
            Assert.Throws<ArgumentException>(() => batch.Keep(new bool[batch.Count + 1]));
            Assert.Throws<ArgumentException>(() => batch.Finish(0, AttackExit.Fooled, 1, zeros(1)));
        });
        using var result = attack.Run(_network.AsClassifier(), _images, _labels);
        Assert.All(result.Outcomes, image => Assert.Equal(AttackExit.IterationLimit, image.Exit));
    }

    private sealed class Steps(Action<AttackedBatch> perturb) : Brink.Attacks.Attack
    {
        public override string Name => "steps";

        public override Norm Norm => Norm.L2;

        protected override void Perturb(AttackedBatch batch) => perturb(batch);
    }

    private static IAttack Attack(string norm, string target, string preset) => new WithCriterion(Untargeted(norm, target, preset), CriterionOf(target));

    private static IAttack Untargeted(string norm, string target, string preset)
    {
        var length = Norm.Parse(norm);
        if (preset == "deepfool")
        {
            return new DeepFoolAttack(new() { Norm = length, Target = target == "hardest" ? TargetSelection.Hardest : TargetSelection.Best });
        }

        var (steps, fewSteps) = (FastGradientOptions.Iterative with { Norm = length, Target = TargetOf(target) }, FastGradientOptions.Projected with { Norm = length, Target = TargetOf(target), MaxIterations = 5 });
        return preset switch
        {
            "budget" => (fewSteps with { Restarts = 2, Epsilon = 0.5 }).CreateAttack(),
            "budget-fgsm" => (FastGradientOptions.Single with { Norm = length, Target = TargetOf(target), Epsilon = 0.5 }).CreateAttack(),
            "cw" => new CarliniWagnerAttack(new() { Target = TargetOf(target), LearningRate = 0.05, MaxIterations = 40, BinarySearchSteps = 3, InitialConstant = 1 }),
            "ifgsm" => (steps with { Tolerance = 0.01 }).CreateAttack(),
            "pgd" => (fewSteps with { Tolerance = 0.01 }).CreateAttack(),
            "paper" => new TrustRegionAttack(TrustRegionOptions.Paper(length) with { Target = TargetOf(target) }),
            "refined" => new TrustRegionAttack(new() { Norm = length, Target = TargetOf(target), Refinement = new() }),
            "effort" => new TrustRegionAttack(new() { Norm = length, Target = TargetOf(target), Refinement = new() { Effort = 60 } }),
            "tr2" => new TrustRegionAttack(TrustRegionOptions.SecondOrder with { Norm = length, Target = TargetOf(target) }),
            _ => new TrustRegionAttack(TrustRegionOptions.SecondOrder with { Norm = length, Target = TargetOf(target), Curvature = new() { Products = HessianProductMethod.FiniteDifferences } }),
        };
    }

    private static TargetSelection TargetOf(string name) => name switch
    {
        "best" => TargetSelection.Best,
        "hardest" => TargetSelection.Hardest,
        _ => TargetSelection.Untargeted,
    };

    private static Criterion CriterionOf(string target) => int.TryParse(target, System.Globalization.CultureInfo.InvariantCulture, out var number) ? Criterion.TargetClass(number) : Criterion.Misclassification;

    /// <summary>An attack with a criterion.</summary>
    private sealed class WithCriterion(IAttack inner, Criterion criterion) : IAttack
    {
        public string Name => inner.Name;

        public Norm Norm => inner.Norm;

        public AttackResult Run(IClassifier classifier, Tensor images, Tensor labels, Criterion? _ = null, IReadOnlyList<long>? indices = null, int? maxPasses = null, IProgress<AttackProgress>? progress = null, CancellationToken cancellationToken = default) =>
            inner.Run(classifier, images, labels, criterion, indices, maxPasses, progress, cancellationToken);
    }

    /// <summary>A classifier with altered logits.</summary>
    private sealed class Altered(IClassifier inner, Func<Tensor, Tensor, Tensor> alter) : IClassifier
    {
        public string Name => inner.Name;

        public int ClassCount => inner.ClassCount;

        public Bounds Bounds => inner.Bounds;

        public Tensor Logits(Tensor images)
        {
            using var scope = NewDisposeScope();
            return alter(images, inner.Logits(images)).MoveToOuterDisposeScope();
        }

        public IDisposable EnterEvaluation() => inner.EnterEvaluation();
    }

    /// <summary>A classifier that detaches its input from the graph.</summary>
    private sealed class Detached(IClassifier inner) : IClassifier
    {
        public string Name => inner.Name;

        public int ClassCount => inner.ClassCount;

        public Bounds Bounds => inner.Bounds;

        public Tensor Logits(Tensor images) => inner.Logits(images.detach());

        public IDisposable EnterEvaluation() => inner.EnterEvaluation();
    }
}
