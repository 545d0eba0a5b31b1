using Brink.Attacks;
using Brink.Evaluation.Results;

namespace Brink.Evaluation.Tests.Results;

public sealed class ComparisonTests
{
    // An image has a relative perturbation, or one of these values: misclassified before the attack, or not fooled.
    private const double Misclassified = -1;
    private const double NotFooled = double.PositiveInfinity;

    [Fact]
    public void Means_and_worst_are_over_the_images_that_all_attacks_fooled()
    {
        var comparison = Compare(("tr", [0.1, 0.2, 0.6, Misclassified]), ("deepfool", [0.3, 0.5, NotFooled, Misclassified]));
        Assert.Equal((4, 1, 3, 2), (comparison.Images, comparison.NotAttacked, comparison.Attacked, comparison.FooledByAll));
        Assert.Equal(0.15, comparison.Attacks[0].RelativePerturbation.Mean!.Value, 12);
        Assert.Equal(0.2, comparison.Attacks[0].RelativePerturbation.Worst);
        Assert.Equal(0.4, comparison.Attacks[1].RelativePerturbation.Mean!.Value, 12);
        Assert.Equal(0.5, comparison.Attacks[1].RelativePerturbation.Worst);
        Assert.Contains("2 of 3 attacked images were fooled by every attack", comparison.Warnings[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Failing_on_difficult_images_improves_neither_mean_nor_median()
    {
        var complete = Compare(("tr", [0.1, 0.2, 0.9]), ("deepfool", [0.1, 0.2, 0.9]));
        var partial = Compare(("tr", [0.1, 0.2, 0.9]), ("deepfool", [0.1, 0.2, NotFooled]));
        // The image that deepfool did not fool is left out of both means.
        Assert.Equal(partial.Attacks[0].RelativePerturbation.Mean, partial.Attacks[1].RelativePerturbation.Mean);
        Assert.True(partial.Attacks[1].RelativePerturbation.Median >= complete.Attacks[1].RelativePerturbation.Median);
        Assert.True(partial.Attacks[1].BelowThreshold);
        Assert.False(partial.Attacks[0].BelowThreshold);
    }

    [Fact]
    public void The_median_is_over_all_attacked_images_with_failures_counted_as_infinite()
    {
        var comparison = Compare(("a", [0.4, 0.1, NotFooled, 0.2, 0.3]), ("b", [0.1, 0.2, NotFooled, NotFooled, NotFooled]), ("c", [0.1, 0.2, 0.3, 0.4, 0.5]));
        Assert.Equal(0.3, comparison.Attacks[0].RelativePerturbation.Median);
        Assert.Null(comparison.Attacks[1].RelativePerturbation.Median);
        Assert.Equal(0.3, comparison.Attacks[2].RelativePerturbation.Median);
    }

    [Fact]
    public void A_median_between_a_fooled_and_another_image_is_infinite() =>
        Assert.Null(Compare(("a", [0.1, NotFooled])).Attacks[0].RelativePerturbation.Median);

    [Theory]
    [InlineData(1000, 1000, false)]
    [InlineData(1000, 999, false)]
    [InlineData(1000, 998, true)]
    [InlineData(999, 998, true)]
    [InlineData(100, 99, true)]
    public void A_row_is_marked_below_99_point_9_percent(int attacked, int fooled, bool marked)
    {
        var comparison = Compare(("tr", [.. Enumerable.Range(0, attacked).Select(image => image < fooled ? 0.1 : NotFooled)]));
        Assert.Equal(marked, comparison.Attacks[0].BelowThreshold);
        Assert.Equal(marked, comparison.Warnings.Any(warning => warning == "Fooled fewer than 99.9 % of the attacked images, marked *: tr."));
    }

    [Fact]
    public void Speed_is_relative_to_the_first_Carlini_Wagner_attack()
    {
        Assert.All(Compare(("tr", [0.1]), ("deepfool", [0.1])).Attacks, attack => Assert.Null(attack.SpeedUpOverCw));
        // The runs take 1, 2, 3 and 4 seconds.
        var comparison = Compare(("tr", [0.1]), ("cw", [0.1]), ("deepfool", [0.1]), ("cw", [0.1]));
        Assert.Equal([2, 1, 2.0 / 3, 0.5], comparison.Attacks.Select(attack => attack.SpeedUpOverCw!.Value));
    }

    [Fact]
    public void Passes_and_seconds_are_per_attacked_image()
    {
        var attack = Compare(("tr", [0.1, Misclassified, Misclassified, 0.1])).Attacks[0];
        Assert.Equal(0.5, attack.SecondsPerImage);
        Assert.Equal(2, attack.ForwardsPerImage); // images 0 and 3 took 1 and 3, those in between 10 each
        Assert.Equal(20, attack.BackwardsPerImage);
    }

    [Fact]
    public void Without_fooled_images_there_are_no_lengths()
    {
        var comparison = Compare(("tr", [NotFooled, NotFooled]), ("deepfool", [0.1, 0.2]));
        Assert.Equal(0, comparison.FooledByAll);
        Assert.Equal(new(null, null, null), comparison.Attacks[0].RelativePerturbation);
        Assert.Equal((null, null), (comparison.Attacks[1].RelativePerturbation.Mean, comparison.Attacks[1].RelativePerturbation.Worst));
        Assert.Equal(0.15, comparison.Attacks[1].RelativePerturbation.Median!.Value, 12);
    }

    [Fact]
    public void Without_attacked_images_there_is_a_warning()
    {
        var comparison = Compare(("tr", [Misclassified]));
        Assert.Contains("No image was attacked", Assert.Single(comparison.Warnings), StringComparison.Ordinal);
        Assert.False(comparison.Attacks[0].BelowThreshold);
        Assert.Equal(new(null, null, null), comparison.Attacks[0].RelativePerturbation);
    }

    [Fact]
    public void Runs_over_different_images_are_refused()
    {
        var runs = new[] { Run("tr", [0.1, 0.2], 1), Run("deepfool", [0.1], 1) };
        Assert.Throws<ArgumentException>(() => Comparison.Of(runs, requested: 2));
    }

    [Fact]
    public void A_warning_about_settings_appears_once()
    {
        var run = Run("tr", [0.1], 1);
        run = run with { Run = run.Run with { Options = new Dictionary<string, object>(StringComparer.Ordinal) { ["preset"] = "authors" } } };
        Assert.Contains("constants for normalised CIFAR-10", Assert.Single(Comparison.Of([run, run], requested: 2).Warnings), StringComparison.Ordinal);
        Assert.Empty(Comparison.Of([run with { Run = run.Run with { Space = "normalized" } }], requested: 1).Warnings);
    }

    [Fact]
    public void Budgeted_attacks_have_no_lengths_and_do_not_decide_which_images_the_means_cover()
    {
        var alone = Compare(("tr", [0.1, 0.2, 0.6]), ("deepfool", [0.3, 0.5, 0.7]));
        var comparison = Comparison.Of([Run("tr", [0.1, 0.2, 0.6], 1), Run("deepfool", [0.3, 0.5, 0.7], 2), Budgeted("pgd", 0.9, [0.3, NotFooled, NotFooled])], requested: 3, [0.3, 0.9]);
        Assert.Equal(alone.Attacks.Select(attack => attack.RelativePerturbation), comparison.Attacks.Take(2).Select(attack => attack.RelativePerturbation));
        Assert.Equal(3, comparison.FooledByAll);
        var pgd = comparison.Attacks[2];
        Assert.Equal((0.9, 1, false), (pgd.Epsilon, pgd.Fooled, pgd.BelowThreshold));
        Assert.Equal(new(null, null, null), pgd.RelativePerturbation);
        Assert.Contains(comparison.Warnings, warning => warning.StartsWith("pgd only tried perturbations up to 0.9", StringComparison.Ordinal));
        Assert.Equal(["tr, deepfool", "tr, deepfool, pgd"], comparison.WorstCase!.RobustAccuracy.Select(entry => string.Join(", ", entry.Attacks)), StringComparer.Ordinal);
    }

    [Fact]
    public void The_worst_case_is_the_smallest_length_of_each_image()
    {
        // Lengths are three times the relative perturbations.
        var worst = Comparison.Of([Run("tr", [0.1, 0.5, NotFooled, Misclassified], 1), Run("deepfool", [0.2, 0.3, NotFooled, Misclassified], 1)], requested: 2, [0.3, 1]).WorstCase!;
        Assert.Equal([(0.3, "tr"), (0.9, "deepfool"), (null, null), (null, null)], worst.ImageResults.Select(image => (image.Length is { } length ? Math.Round(length, 9) : (double?)null, image.Attack)));
        Assert.Equal([2, 1], worst.RobustAccuracy.Select(entry => entry.Interval.Correct));
        Assert.Equal([0.5, 0.25], worst.RobustAccuracy.Select(entry => entry.Accuracy));
        Assert.Equal((0.75, 0.25), (worst.AccuracyBefore, worst.AccuracyAfter));
        Assert.Equal(0.9, worst.MedianLength!.Value, 9);
    }

    [Fact]
    public void Local_optimality_is_relative_to_the_smallest_length_over_attacks_and_files()
    {
        // Lengths are three times the relative perturbations; a* = 0.3 (file), 0.6 (tr), 1.2 (deepfool), and no attack fooled the fourth image.
        var file = new FiledAttack("fab", "other.json", 10, 20, new Dictionary<long, double> { [0] = 0.3, [1] = NotFooled, [2] = 1.5, [3] = NotFooled, [99] = 0.01 });
        var comparison = Comparison.Of([Run("tr", [0.2, 0.2, 0.6, NotFooled, Misclassified], 1), Run("deepfool", [NotFooled, 0.3, 0.4, NotFooled, Misclassified], 1)], requested: 2, filed: [file]);
        var envelope = comparison.Envelope!;
        Assert.Equal((3, 1), (envelope.Images, envelope.LeftOut));
        Assert.Equal(1.2, envelope.Largest!.Value, 12);
        Assert.Equal((0.6 + 0.6 + 0) / (0.9 + 0.6 + 0), comparison.Attacks[0].LocalOptimality!.Value, 12);
        Assert.Equal((0 + 0.3 + 0) / (0.9 + 0.6 + 0), comparison.Attacks[1].LocalOptimality!.Value, 12);
        var row = Assert.Single(envelope.Files);
        Assert.Equal(("fab", "other.json", 3, 10, 20), (row.Attack, row.File, row.Images, row.ForwardsPerImage, row.BackwardsPerImage));
        Assert.Equal((0.9 + 0 + 0) / (0.9 + 0.6 + 0), row.LocalOptimality!.Value, 12);
        // Files enter nothing else.
        Assert.Equal(0.6, comparison.WorstCase!.ImageResults[0].Length!.Value, 12);
        Assert.DoesNotContain(comparison.Warnings, warning => warning.Contains("other.json", StringComparison.Ordinal));
    }

    [Fact]
    public void An_attack_of_a_file_is_measured_over_the_images_that_the_file_has()
    {
        // a* = 0.3, 0.6, 0.9.
        var file = new FiledAttack("fab", "other.json", 10, 20, new Dictionary<long, double> { [1] = 0.75, [2] = 0.9 });
        var comparison = Comparison.Of([Run("tr", [0.1, 0.2, 0.3], 1)], requested: 1, filed: [file]);
        Assert.Equal(0.15 / 0.3, comparison.Envelope!.Files[0].LocalOptimality!.Value, 12);
        Assert.Equal(1, comparison.Attacks[0].LocalOptimality);
        Assert.Contains("The envelope file other.json has only 2 of the 3 images of the local optimality; that of its attacks is over these images.", comparison.Warnings, StringComparer.Ordinal);
    }

    [Fact]
    public void A_budgeted_attack_enters_the_smallest_lengths_as_its_epsilon_and_has_no_local_optimality()
    {
        // As in the worst case: a* = 0.3, 0.6, 0.9, the last by the budgeted attack, although the length that it found is 0.6.
        var comparison = Comparison.Of([Run("tr", [0.1, 0.2, NotFooled], 1), Budgeted("pgd", 0.9, [0.1, 0.1, 0.2])], requested: 2);
        Assert.Equal(comparison.WorstCase!.ImageResults.Max(image => image.Length), comparison.Envelope!.Largest);
        Assert.Equal(0.9, comparison.Envelope.Largest);
        Assert.Equal(1, comparison.Attacks[0].LocalOptimality);
        Assert.Null(comparison.Attacks[1].LocalOptimality);
    }

    [Fact]
    public void Missing_attacks_cause_a_warning() =>
        Assert.Contains("Only 1 of 3 attacks", Comparison.Of([Run("tr", [0.1], 1)], requested: 3).Warnings[0], StringComparison.Ordinal);

    private static Comparison Compare(params (string Attack, double[] Relative)[] runs) =>
        Comparison.Of([.. runs.Select((run, position) => Run(run.Attack, run.Relative, position + 1))], runs.Length);

    private static ComparedRun Run(string attack, double[] relative, double seconds) => new(
        attack,
        attack,
        new() { Attack = attack, Norm = "l2", Space = "pixel", Target = "best", Criterion = "misclassified", Model = "signs", Data = "signs", Seed = 0, Options = new Dictionary<string, object>(StringComparer.Ordinal) },
        [.. relative.Select((length, index) => Image(index, length))],
        seconds);

    private static ComparedRun Budgeted(string attack, double epsilon, double[] relative)
    {
        var run = Run(attack, relative, 1);
        return run with { Run = run.Run with { Options = new Dictionary<string, object>(StringComparer.Ordinal) { ["epsilon"] = epsilon } } };
    }

    private static ComparedImage Image(int index, double relative)
    {
        var (attacked, fooled) = (relative != Misclassified, relative is not (Misclassified or NotFooled));
        var passes = !attacked ? 10 : index == 0 ? 1 : index;
        var exit = fooled ? AttackExit.Fooled : attacked ? AttackExit.Rounded : AttackExit.Misclassified;
        return new(index, exit, fooled ? 3 * relative : 0, fooled ? relative : 0, fooled ? 2 * relative : 0, passes, 10 * passes, Underflowed: false);
    }
}
