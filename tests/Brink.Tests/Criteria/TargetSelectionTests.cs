using static TorchSharp.torch;

namespace Brink.Tests.Criteria;

public sealed class TargetSelectionTests
{
    private const int Classes = 6;
    private const int Size = 5;
    private int _backwards;
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
        using var pass = ForwardPass.At(_classifier, images, countBackward: Count);
        var choice = Choose(pass, labels, hardest, norm);
        var targets = choice.Targets.data<long>().ToArray();
        for (var row = 0; row < rows.Length; row++)
        {
            var label = _classifier.ClassOf(rows[row]);
            var others = Enumerable.Range(0, Classes).Where(other => other != label).ToArray();
            double Distance(int other) => _classifier.DistanceToFace(rows[row], label, other, norm);
            Assert.Equal(hardest ? others.MaxBy(Distance) : others.MinBy(Distance), (int)targets[row]);
        }

        Assert.Equal(Classes - 1, _backwards);
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
        using var pass = ForwardPass.At(classifier, images, countBackward: Count);
        var targets = Choose(pass, labels, hardest, Norm.Parse(normName)).Targets.data<long>().ToArray();
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
        using var pass = ForwardPass.At(_classifier, images, countBackward: Count);
        var chosen = Choose(pass, labels, hardest, Norm.L2).Targets;
        var mask = zeros(20, Classes, dtype: ScalarType.Bool).scatter(1, chosen.unsqueeze(1), ones_like(chosen, dtype: ScalarType.Bool).unsqueeze(1));
        using var maskedPass = ForwardPass.At(new ChangedLogits(_classifier, logits => logits.masked_fill(mask, double.NegativeInfinity)), images);
        var ofMasked = Choose(maskedPass, labels, hardest, Norm.L2).Targets;
        var ofExcluded = Choose(pass, labels, hardest, Norm.L2, excluded: mask).Targets;
        Assert.True(ofMasked.ne(chosen).all().item<bool>());
        Assert.True(ofMasked.eq(ofExcluded).all().item<bool>());
    }

    [Fact]
    public void Only_the_classes_with_the_largest_logits_are_compared()
    {
        using var scope = NewDisposeScope();
        var (images, _, labels) = Batch(20);
        using var pass = ForwardPass.At(_classifier, images, countBackward: Count);
        var choice = Choose(pass, labels, hardest: true, Norm.L2, candidates: 1);
        var second = pass.Logits.detach().topk(2, 1).indexes.select(1, 1);
        Assert.True(choice.Targets.eq(second).all().item<bool>());
        Assert.Equal(1, _backwards);
    }

    [Fact]
    public void The_gap_and_gradient_of_the_choice_are_those_of_the_chosen_class()
    {
        using var scope = NewDisposeScope();
        var (images, _, labels) = Batch(20);
        using var pass = ForwardPass.At(_classifier, images, countBackward: Count);
        var choice = Choose(pass, labels, hardest: false, Norm.L2);
        var gaps = LogitGap.Of(pass.Logits, choice.Targets, labels);
        Assert.True(choice.Margins.allclose(gaps));
        Assert.True(choice.Gradients.allclose(pass.Gradients(gaps)));
    }

    private bool[]? Count()
    {
        _backwards++;
        return null;
    }

    private ComparedClasses Choose(ForwardPass pass, Tensor labels, bool hardest, Norm norm, int candidates = 9, Tensor? excluded = null) =>
        ComparedClasses.Choose(pass, Criterion.Misclassification, hardest, labels, norm, candidates, excluded: excluded);

    private (Tensor Images, double[][] Rows, Tensor Labels) Batch(int count)
    {
        var random = new Random(4);
        var rows = Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, Size).Select(_ => (random.NextDouble() * 4) - 2).ToArray()).ToArray();
        return (tensor(rows.SelectMany(row => row).ToArray()).reshape(count, Size), rows, tensor(rows.Select(row => (long)_classifier.ClassOf(row)).ToArray()));
    }
}
