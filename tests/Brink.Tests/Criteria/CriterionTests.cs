using Brink.Attacks;
using static TorchSharp.torch;

namespace Brink.Tests.Criteria;

/// <summary>Tests of criteria: margins are positive exactly where the criterion is met, and attacks find the closed-form distance on linear classifiers.</summary>
public sealed class CriterionTests
{
    private const int Classes = 5;
    private const int Size = 24;
    private readonly Linear _classifier = Linear.Classes(Classes, Size, seed: 6, new Bounds(-10, 10));

    public static TheoryData<string, string> Attacks => new() { { "tr", "l2" }, { "tr", "linf" }, { "deepfool", "l2" }, { "cw", "l2" } };

    [Fact]
    public void A_margin_is_positive_exactly_where_the_criterion_is_met()
    {
        using var scope = NewDisposeScope();
        var logits = randn([500, Classes], dtype: ScalarType.Float64, generator: new Generator(1, CPU)).mul(3);
        var (labels, indices) = (arange(500).remainder(Classes), arange(500));
        var (probabilities, predictions) = (logits.softmax(1), logits.argmax(1));
        var targets = arange(500).add(2).remainder(Classes);
        AssertMet(Criterion.Misclassification, predictions.ne(labels));
        AssertMet(Criterion.TargetClass(2), predictions.eq(2));
        AssertMet(Criterion.TargetClasses(targets.data<long>().ToArray()), predictions.eq(targets));
        foreach (var confidence in new[] { 0.3, 0.5, 0.9 })
        {
            AssertMet(Criterion.MisclassificationWith(confidence), predictions.ne(labels).logical_and(probabilities.amax([1]).gt(confidence)));
            AssertMet(Criterion.TargetClass(2, confidence), predictions.eq(2).logical_and(probabilities.select(1, 2).gt(confidence)));
        }

        void AssertMet(Criterion criterion, Tensor expected)
        {
            Assert.Equal(expected.data<bool>().ToArray(), criterion.IsMet(logits, labels, indices).data<bool>().ToArray());
            Assert.InRange(expected.sum().item<long>(), 1, 499);
        }
    }

    [Fact]
    public void Logits_without_a_prediction_do_not_meet_a_criterion()
    {
        using var scope = NewDisposeScope();
        var logits = tensor(new[] { double.NaN, 1, 0, 0, double.PositiveInfinity, 1, 5, 0, double.NegativeInfinity }).reshape(3, 3);
        var (labels, indices) = (tensor(new long[] { 0, 0, 1 }), arange(3));
        Assert.Equal([false, false, true], Criterion.Misclassification.IsMet(logits, labels, indices).data<bool>().ToArray());
        Assert.Equal([false, false, false], Criterion.TargetClass(1).IsMet(logits, labels, indices).data<bool>().ToArray());
    }

    /// <summary>Each image has a class of its own, found by its index in the data set.</summary>
    [Theory, MemberData(nameof(Attacks))]
    [Trait("speed", "slow")]
    public void One_target_per_image(string attack, string normName)
    {
        using var scope = NewDisposeScope();
        var norm = Norm.Parse(normName);
        var (images, rows, labels) = Batch(8);
        const int first = 100;
        var targets = new long[first + rows.Length];
        for (var row = 0; row < rows.Length; row++)
        {
            targets[first + row] = (labels[row].item<long>() + 1 + (row % (Classes - 1))) % Classes;
        }

        using var result = Create(attack, norm).Run(_classifier, images, labels, Criterion.TargetClasses(targets), [.. Enumerable.Range(first, rows.Length).Select(index => (long)index)]);
        for (var row = 0; row < rows.Length; row++)
        {
            var target = targets[first + row];
            var image = result.Outcomes[row];
            Assert.Equal((true, target, target), (image.Fooled, image.PredictionAfter, image.Target));
            // The region of a class is an intersection of half-spaces; its distance is at least that to each of them.
            var least = Enumerable.Range(0, Classes).Where(other => other != target).Max(other => DistanceToRegion(rows[row], (int)target, other, norm));
            Assert.True((norm == Norm.L2 ? image.L2 : image.LInf) >= least * (1 - 1e-9));
        }

        // With two classes the region is one half-space, whose distance is known.
        var half = Linear.HalfSpace(Size, seed: 5, new Bounds(-10, 10));
        using var toOne = Create(attack, norm).Run(half, images, tensor(rows.Select(row => (long)half.ClassOf(row)).ToArray()), Criterion.TargetClasses([.. rows.Select(row => 1L - half.ClassOf(row))]));
        AssertLengths(toOne, norm, row => half.DistanceToFace(rows[row], half.ClassOf(rows[row]), 1 - half.ClassOf(rows[row]), norm));
    }

    /// <summary>With two classes, a probability of p is a logit gap of log(p/(1 − p)).</summary>
    [Theory, MemberData(nameof(Attacks))]
    [Trait("speed", "slow")]
    public void A_confidence_of_nine_tenths(string attack, string normName)
    {
        using var scope = NewDisposeScope();
        var norm = Norm.Parse(normName);
        var classifier = Linear.HalfSpace(Size, seed: 5, new Bounds(-10, 10));
        var (images, rows, _) = Batch(8);
        using var result = Create(attack, norm).Run(classifier, images, tensor(rows.Select(row => (long)classifier.ClassOf(row)).ToArray()), Criterion.MisclassificationWith(0.9));
        var gradient = Gradient(classifier, [1, -1]);
        AssertLengths(result, norm, row => classifier.DistanceToFace(rows[row], classifier.ClassOf(rows[row]), 1 - classifier.ClassOf(rows[row]), norm) + (Math.Log(9) / norm.Dual.Of(gradient).item<double>()));
        var probabilities = classifier.Logits(result.Adversarial).softmax(1).amax([1]);
        Assert.All(probabilities.data<double>().ToArray(), probability => Assert.InRange(probability, 0.9, 0.93));
    }

    /// <summary>The criterion 2 z₀ − z₁ − z₂ + 3 &gt; 0 is a half-space in the input space of a linear classifier.</summary>
    [Theory, MemberData(nameof(Attacks))]
    [Trait("speed", "slow")]
    public void A_linear_property_of_three_logits(string attack, string normName)
    {
        using var scope = NewDisposeScope();
        var norm = Norm.Parse(normName);
        double[] coefficients = [2, -1, -1, 0, 0];
        var criterion = new LinearProperty(coefficients, 3);
        var (images, rows, labels) = Batch(12);
        using var result = Create(attack, norm).Run(_classifier, images, labels, criterion);
        using var logits = _classifier.Logits(images);
        var margins = criterion.Margins(logits, labels, labels).data<double>().ToArray();
        var slope = norm.Dual.Of(Gradient(_classifier, coefficients)).item<double>();
        Assert.Contains(result.Outcomes, image => image.Fooled);
        for (var row = 0; row < rows.Length; row++)
        {
            var image = result.Outcomes[row];
            Assert.Equal(margins[row] > 0 ? AttackExit.Skipped : AttackExit.Fooled, image.Exit);
            if (image.Fooled)
            {
                Assert.InRange(norm == Norm.L2 ? image.L2 : image.LInf, -margins[row] / slope * (1 - 1e-9), -margins[row] / slope * 1.01);
            }
        }
    }

    [Fact]
    public void A_criterion_without_one_margin_per_image_is_refused()
    {
        using var scope = NewDisposeScope();
        var (images, _, labels) = Batch(3);
        var error = Assert.Throws<BadInputException>(() => new TrustRegionAttack().Run(_classifier, images, labels, new WrongShape()));
        Assert.Contains("one margin per image, shape [3], but WrongShape returned the shape [3, 5]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Margins_without_a_gradient_are_refused_by_the_name_of_the_criterion()
    {
        using var scope = NewDisposeScope();
        var (images, _, labels) = Batch(3);
        var error = Assert.Throws<BadInputException>(() => new TrustRegionAttack().Run(_classifier, images, labels, new Predicate()));
        Assert.Contains("those of Predicate are not", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_cross_entropy_is_refused_for_a_criterion_that_is_not_about_classes()
    {
        using var scope = NewDisposeScope();
        var (images, _, labels) = Batch(3);
        var criterion = new LinearProperty([1, 0, 0, 0, 0], 0);
        var error = Assert.Throws<BadInputException>(() => FastGradientOptions.Iterative.CreateAttack().Run(_classifier, images, labels, criterion));
        Assert.Contains("use the objective gap", error.Message, StringComparison.Ordinal);
        using var result = (FastGradientOptions.Iterative with { Objective = Objective.Gap }).CreateAttack().Run(_classifier, images, labels, criterion);
        Assert.All(result.Outcomes, image => Assert.True(image.Fooled || image.Exit == AttackExit.Skipped));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(Classes)]
    public void A_class_that_does_not_exist_is_refused(int target)
    {
        Assert.Contains("0 to 4", Assert.Throws<BadInputException>(() => Criterion.TargetClass(target).Check(_classifier, [0])).Message, StringComparison.Ordinal);
        Assert.Contains("image 1 ", Assert.Throws<BadInputException>(() => Criterion.TargetClasses([0, target]).Check(_classifier, [0, 1])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_image_without_a_target_class_is_refused() =>
        Assert.Contains("image 2 has none", Assert.Throws<BadInputException>(() => Criterion.TargetClasses([0, 1]).Check(_classifier, [0, 1, 2])).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1)]
    [InlineData(double.NaN)]
    public void A_confidence_that_is_no_probability_is_refused(double confidence) =>
        Assert.Contains("probability", Assert.Throws<BadInputException>(() => Criterion.MisclassificationWith(confidence)).Message, StringComparison.Ordinal);

    private static void AssertLengths(AttackResult result, Norm norm, Func<int, double> exact)
    {
        for (var row = 0; row < result.Outcomes.Count; row++)
        {
            Assert.True(result.Outcomes[row].Fooled, result.Outcomes[row].Exit.Describe());
            Assert.InRange(norm == Norm.L2 ? result.Outcomes[row].L2 : result.Outcomes[row].LInf, exact(row) * (1 - 1e-9), exact(row) * 1.01);
        }
    }

    /// <summary>Returns the distance to the half-space z_target &gt; z_other, 0 inside it.</summary>
    private double DistanceToRegion(double[] row, int target, int other, Norm norm) => Math.Max(0, _classifier.DistanceToFace(row, other, target, norm));

    private static Tensor Gradient(Linear classifier, double[] coefficients)
    {
        var point = zeros([1, Size], dtype: ScalarType.Float64).requires_grad_();
        classifier.Logits(point).mul(tensor(coefficients)).sum().backward();
        return point.grad!;
    }

    private static IAttack Create(string name, Norm norm) => name switch
    {
        "tr" => new TrustRegionAttack(new() { Norm = norm }),
        // With the defaults, the overshoot of 2 % and the step length of Adam, which is a share of the width of the bounds, would be the whole error.
        "deepfool" => new DeepFoolAttack(new() { Norm = norm, Overshoot = 1e-3, ExtraLength = 1e-6 }),
        _ => new CarliniWagnerAttack(new() { LearningRate = 0.001 }),
    };

    private (Tensor Images, double[][] Rows, Tensor Labels) Batch(int count)
    {
        var random = new Random(4);
        double[][] rows = [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, Size).Select(_ => (random.NextDouble() * 2) - 1).ToArray())];
        return (tensor(rows.SelectMany(row => row).ToArray()).reshape(count, Size), rows, tensor(rows.Select(row => (long)_classifier.ClassOf(row)).ToArray()));
    }

    private sealed class LinearProperty(double[] coefficients, double offset) : Criterion
    {
        public override Tensor Margins(Tensor logits, Tensor labels, Tensor indices)
        {
            using var scope = NewDisposeScope();
            return logits.mul(tensor(coefficients)).sum(1).add(offset).MoveToOuterDisposeScope();
        }
    }

    private sealed class Predicate : Criterion
    {
        public override Tensor Margins(Tensor logits, Tensor labels, Tensor indices) => logits.select(1, 0).gt(100).to(ScalarType.Float64);
    }

    private sealed class WrongShape : Criterion
    {
        public override Tensor Margins(Tensor logits, Tensor labels, Tensor indices) => logits;
    }
}
