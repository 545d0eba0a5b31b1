using static TorchSharp.torch;

namespace Brink.Tests.Targets;

public sealed class TargetSelectionTests
{
    private const int Classes = 6;
    private const int Size = 5;
    private readonly Linear _classifier = Linear.Classes(Classes, Size, seed: 3);

    [Theory]
    [InlineData("l2", false)]
    [InlineData("l2", true)]
    [InlineData("linf", false)]
    [InlineData("linf", true)]
    public void Best_and_hardest_are_the_nearest_and_farthest_face(string normName, bool hardest)
    {
        var norm = normName == "l2" ? Norm.L2 : Norm.LInf;
        using var scope = NewDisposeScope();
        var (images, rows, labels) = Batch(20);
        using var pass = ForwardPass.At(_classifier, images);
        var choice = (hardest ? TargetSelection.Hardest : TargetSelection.Best).Choose(pass, labels, norm, candidates: 9);
        var targets = choice.Targets.data<long>().ToArray();
        for (var row = 0; row < rows.Length; row++)
        {
            var label = _classifier.ClassOf(rows[row]);
            var others = Enumerable.Range(0, Classes).Where(other => other != label).ToArray();
            double Distance(int other) => _classifier.DistanceToFace(rows[row], label, other, norm);
            Assert.Equal(hardest ? others.MaxBy(Distance) : others.MinBy(Distance), (int)targets[row]);
        }

        Assert.Equal(Classes - 1, choice.BackwardPasses);
    }

    /// <summary>A class whose half-space does not meet the box cannot be reached, however near its boundary is outside the box.</summary>
    [Theory]
    [InlineData("l2", false)]
    [InlineData("l2", true)]
    [InlineData("linf", false)]
    [InlineData("linf", true)]
    public void Only_classes_that_can_be_reached_within_the_bounds_are_chosen(string normName, bool hardest)
    {
        using var scope = NewDisposeScope();
        var classifier = Linear.Classes(Classes, Size, seed: 3, new Bounds(-0.1, 0.1));
        var (images, rows, labels) = Batch(200);
        (images, rows) = (images * 0.05, [.. rows.Select(row => row.Select(value => value * 0.05).ToArray())]);
        labels = classifier.Logits(images).argmax(1);
        using var pass = ForwardPass.At(classifier, images);
        var targets = (hardest ? TargetSelection.Hardest : TargetSelection.Best).Choose(pass, labels, Norm.Parse(normName), candidates: 9).Targets.data<long>().ToArray();
        var unreachable = 0;
        for (var row = 0; row < rows.Length; row++)
        {
            var label = classifier.ClassOf(rows[row]);
            bool Reachable(int other) => double.IsFinite(classifier.DistanceToFaceInBox(rows[row], label, other, Norm.LInf, -0.1, 0.1));
            var others = Enumerable.Range(0, Classes).Where(other => other != label).ToArray();
            unreachable += others.Count(other => !Reachable(other));
            Assert.True(!others.Any(Reachable) || Reachable((int)targets[row]));
        }

        Assert.True(unreachable > 0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_masked_or_excluded_class_is_not_chosen(bool hardest)
    {
        using var scope = NewDisposeScope();
        var (images, _, labels) = Batch(20);
        using var pass = ForwardPass.At(_classifier, images);
        var chosen = new LinearizedDistanceSelection(hardest).Choose(pass, labels, Norm.L2, candidates: 9).Targets;
        var mask = zeros(20, Classes, dtype: ScalarType.Bool).scatter(1, chosen.unsqueeze(1), ones_like(chosen, dtype: ScalarType.Bool).unsqueeze(1));
        using var maskedPass = ForwardPass.At(new ChangedLogits(_classifier, logits => logits.masked_fill(mask, double.NegativeInfinity)), images);
        var ofMasked = new LinearizedDistanceSelection(hardest).Choose(maskedPass, labels, Norm.L2, candidates: 9).Targets;
        var ofExcluded = new LinearizedDistanceSelection(hardest, mask).Choose(pass, labels, Norm.L2, candidates: 9).Targets;
        Assert.True(ofMasked.ne(chosen).all().item<bool>());
        Assert.True(ofMasked.eq(ofExcluded).all().item<bool>());
    }

    [Fact]
    public void Only_the_classes_with_the_largest_logits_are_compared()
    {
        using var scope = NewDisposeScope();
        var (images, _, labels) = Batch(20);
        using var pass = ForwardPass.At(_classifier, images);
        var choice = TargetSelection.Hardest.Choose(pass, labels, Norm.L2, candidates: 1);
        var second = pass.Logits.detach().topk(2, 1).indexes.select(1, 1);
        Assert.True(choice.Targets.eq(second).all().item<bool>());
        Assert.Equal(1, choice.BackwardPasses);
    }

    [Fact]
    public void The_gap_and_gradient_of_the_choice_are_those_of_the_chosen_class()
    {
        using var scope = NewDisposeScope();
        var (images, _, labels) = Batch(20);
        using var pass = ForwardPass.At(_classifier, images);
        var choice = TargetSelection.Best.Choose(pass, labels, Norm.L2, candidates: 9);
        var gaps = LogitGap.Instance.Values(pass.Logits, choice.Targets, labels);
        Assert.True(choice.Gaps.allclose(gaps));
        Assert.True(choice.Gradients.allclose(pass.Gradients(gaps)));
    }

    [Fact]
    public void The_gap_of_a_given_class_is_measured_against_the_largest_other_logit()
    {
        using var scope = NewDisposeScope();
        var logits = tensor(new double[] { 5, 1, 4, 3 }).reshape(1, 4);
        var labels = tensor(new long[] { 2 });
        var targets = tensor(new long[] { 3 });
        Assert.Equal(3 - 5, TargetSelection.Given(3).Values(LogitGap.Instance, logits, labels, targets).item<double>());
        Assert.Equal(3 - 4, TargetSelection.Best.Values(LogitGap.Instance, logits, labels, targets).item<double>());
    }

    [Fact]
    public void An_untargeted_attack_follows_the_largest_other_logit_and_chooses_no_class()
    {
        using var scope = NewDisposeScope();
        var (images, _, labels) = Batch(20);
        using var pass = ForwardPass.At(_classifier, images);
        var choice = TargetSelection.Untargeted.Choose(pass, labels, Norm.L2, candidates: 9);
        var others = pass.Logits.detach().topk(2, 1).values;
        Assert.True(choice.Targets.eq(-1).all().item<bool>());
        Assert.True(choice.Gaps.allclose(others.select(1, 1) - others.select(1, 0)));
        Assert.True(TargetSelection.Untargeted.Values(LogitGap.Instance, pass.Logits, labels, choice.Targets).detach().allclose(choice.Gaps));
        Assert.Equal(1, choice.BackwardPasses);
    }

    [Fact]
    public void A_missing_prediction_does_not_count_as_fooled()
    {
        using var scope = NewDisposeScope();
        var predictions = tensor(new long[] { -1, 0, 1, 3 });
        var labels = tensor(new long[] { 1, 1, 1, 1 });
        var targets = tensor(new long[] { 3, 3, 3, 3 });
        Assert.Equal([false, true, false, true], TargetSelection.Best.Fooled(predictions, labels, targets).data<bool>().ToArray());
        Assert.Equal([false, false, false, true], TargetSelection.Given(3).Fooled(predictions, labels, targets).data<bool>().ToArray());
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(Classes)]
    public void A_class_that_does_not_exist_is_refused(int classIndex)
    {
        var error = Assert.Throws<BadInputException>(() => TargetSelection.Given(classIndex).Check(_classifier));
        Assert.Contains("0 to 5", error.Message, StringComparison.Ordinal);
    }

    private (Tensor Images, double[][] Rows, Tensor Labels) Batch(int count)
    {
        var random = new Random(4);
        var rows = Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, Size).Select(_ => (random.NextDouble() * 4) - 2).ToArray()).ToArray();
        return (tensor(rows.SelectMany(row => row).ToArray()).reshape(count, Size), rows, tensor(rows.Select(row => (long)_classifier.ClassOf(row)).ToArray()));
    }
}
