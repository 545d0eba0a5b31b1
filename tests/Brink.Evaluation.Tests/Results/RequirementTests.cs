using Brink.Attacks;
using Brink.Evaluation.Results;

namespace Brink.Evaluation.Tests.Results;

public sealed class RequirementTests
{
    // Ten images: one misclassified, one skipped, one not fooled, seven fooled at 0.1, 0.2, …, 0.7.
    private static readonly EvaluatedImage[] Images =
    [
        Image(AttackExit.Misclassified, double.NaN),
        Image(AttackExit.Skipped, double.NaN),
        Image(AttackExit.IterationLimit, double.NaN),
        .. Enumerable.Range(1, 7).Select(tenth => Image(AttackExit.Fooled, tenth / 10.0)),
    ];

    [Theory]
    [InlineData(0, 0.9)]
    [InlineData(0.05, 0.9)]
    [InlineData(0.1, 0.8)]
    [InlineData(0.35, 0.6)]
    [InlineData(0.7, 0.2)]
    [InlineData(100, 0.2)]
    public void Accuracy_is_over_all_images_and_counts_images_not_fooled_as_correct(double length, double accuracy) =>
        Assert.Equal(accuracy, Robustness.Of(Run("l2"), Images).AccuracyAt(length).Share, 12);

    [Fact]
    public void The_median_counts_images_not_fooled_as_infinite()
    {
        // Eight attacked: 0.1 … 0.7, ∞.
        Assert.Equal(0.45, Robustness.Of(Run("l2"), Images).MedianLength, 12);
        Assert.Equal(double.PositiveInfinity, Robustness.Of(Run("l2"), Images.Take(4)).MedianLength);
        Assert.Equal(double.NaN, Robustness.Of(Run("l2"), Images.Take(2)).MedianLength);
    }

    [Theory]
    [InlineData("l2", 0.45)]
    [InlineData("linf", 0.0045)]
    [InlineData("l1", 4.5)]
    public void Lengths_are_those_of_the_norm(string norm, double median)
    {
        Assert.Equal(median, Robustness.Of(Run(norm), Images).MedianLength, 12);
        Assert.Contains(Norm.Parse(norm).DisplayName, Requirement.Parse("median>=10").Check(Robustness.Of(Run(norm), Images), allowUnattacked: true).Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("accuracy@0.35>=0.6", true)]
    [InlineData(" accuracy@3.5e-1 >= 0.6 ", true)]
    [InlineData("accuracy@0.35>0.6", false)]
    [InlineData("accuracy@0.35>=0.61", false)]
    [InlineData("accuracy@35/100>=6/10", true)]
    [InlineData("accuracy@35/100>6/10", false)]
    [InlineData("median>=9/20", true)]
    [InlineData("median>=0.45", true)]
    [InlineData("median>0.45", false)]
    [InlineData("median>=0.46", false)]
    public void A_threshold_is_met_or_reported(string text, bool met)
    {
        var (isMet, sentence) = Requirement.Parse(text).Check(Robustness.Of(Run("l2"), Images), allowUnattacked: true);
        Assert.Equal(met, isMet);
        Assert.True(met || (sentence!.Contains(text, StringComparison.Ordinal) && sentence.Contains(text.StartsWith('m') ? "0.45" : "0.6", StringComparison.Ordinal)), sentence);
    }

    [Theory]
    [InlineData("median>=0.45001", "length 0.45 or")]
    [InlineData("median>=0.45", "length 0.44999", -9e-6)]
    [InlineData("accuracy@0.5>=0.5", "at most 0.4 (4 of 10 images", -1e-7)]
    public void A_value_below_the_threshold_is_printed_below_it(string threshold, string fragment, double less = 0)
    {
        // The two middle lengths become slightly shorter.
        var images = Images.Select(image => image with { Outcome = image.Outcome with { L2 = image.Outcome.L2 + (image.Outcome.L2 is > 0.39 and < 0.51 ? less : 0) } });
        Assert.Contains(fragment, Requirement.Parse(threshold).Check(Robustness.Of(Run("l2"), images), allowUnattacked: true).Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_attacked_images_no_median_is_met()
    {
        Assert.Contains("already is the target class", Requirement.Parse("median>=0").Check(Robustness.Of(Run("l2"), Images.Take(2)), allowUnattacked: true).Sentence, StringComparison.Ordinal);
        Assert.Contains("every image is misclassified", Requirement.Parse("median>=0").Check(Robustness.Of(Run("l2"), Images.Take(1)), allowUnattacked: true).Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("accuracy>=0.5")]
    [InlineData("accuracy@>=0.5")]
    [InlineData("accuracy@0.5<=0.5")]
    [InlineData("accuracy@0,5>=0.5")]
    [InlineData("median>=")]
    [InlineData("median>=-0.1")]
    [InlineData("accuracy@-0.1>=0.5")]
    [InlineData("accuracy@0.1>=-0.5")]
    [InlineData("accuracy@1/0>=0.5")]
    [InlineData("median>=1/2/3")]
    [InlineData("median>=0.1x")]
    [InlineData("median>=--1")]
    [InlineData("median>=1e999")]
    [InlineData("mean>=0.1")]
    [InlineData("accuracy@0.5>=60")]
    public void A_malformed_threshold_is_refused(string text)
    {
        var message = Assert.Throws<BadInputException>(() => Requirement.Parse(text)).Message;
        Assert.Contains($"'{text}'", message, StringComparison.Ordinal);
    }

    private static RunDescription Run(string norm) => new() { Attack = "tr", Norm = norm, Space = "pixel", Target = "untargeted", Criterion = "misclassified", Model = "signs", Data = "signs", Seed = 0, Options = new Dictionary<string, object>(StringComparer.Ordinal) };

    private static EvaluatedImage Image(AttackExit exit, double length) => new(0, new()
    {
        Label = 1,
        PredictionBefore = exit == AttackExit.Misclassified ? 2 : 1,
        PredictionAfter = exit is AttackExit.Fooled or AttackExit.Misclassified ? 2 : 1,
        Target = -1,
        Exit = exit,
        L2 = exit == AttackExit.Fooled ? length : 0,
        LInf = exit == AttackExit.Fooled ? length / 100 : 0,
        L1 = exit == AttackExit.Fooled ? length * 10 : 0,
        Relative = 0,
        Iterations = 1,
        Forwards = 1,
        Backwards = 1,
        Products = 0,
    }, 0);
}
