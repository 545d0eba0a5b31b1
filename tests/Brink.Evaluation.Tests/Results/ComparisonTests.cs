using Brink.Evaluation.Results;

namespace Brink.Evaluation.Tests.Results;

public sealed class ComparisonTests
{
    // Misclassified to begin with, or the relative perturbation; infinite where the attack gave up.
    private const double Wrong = -1;
    private const double GaveUp = double.PositiveInfinity;

    [Fact]
    public void Means_and_worst_are_over_the_images_that_all_attacks_fooled()
    {
        var comparison = Compare(("tr", [0.1, 0.2, 0.6, Wrong]), ("deepfool", [0.3, 0.5, GaveUp, Wrong]));
        Assert.Equal((4, 1, 3, 2), (comparison.Images, comparison.NotAttacked, comparison.Attacked, comparison.FooledByAll));
        Assert.Equal(0.15, comparison.Attacks[0].RelativePerturbation.Mean!.Value, 12);
        Assert.Equal(0.2, comparison.Attacks[0].RelativePerturbation.Worst);
        Assert.Equal(0.4, comparison.Attacks[1].RelativePerturbation.Mean!.Value, 12);
        Assert.Equal(0.5, comparison.Attacks[1].RelativePerturbation.Worst);
        Assert.Contains("2 of 3 attacked images were fooled by every attack", comparison.Warnings[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Giving_up_on_the_hard_images_pays_in_neither_figure()
    {
        var persistent = Compare(("tr", [0.1, 0.2, 0.9]), ("deepfool", [0.1, 0.2, 0.9]));
        var quitter = Compare(("tr", [0.1, 0.2, 0.9]), ("deepfool", [0.1, 0.2, GaveUp]));
        // What deepfool dropped from its own mean is dropped from the other's too.
        Assert.Equal(quitter.Attacks[0].RelativePerturbation.Mean, quitter.Attacks[1].RelativePerturbation.Mean);
        Assert.True(quitter.Attacks[1].RelativePerturbation.Median >= persistent.Attacks[1].RelativePerturbation.Median);
        Assert.True(quitter.Attacks[1].BelowBar);
        Assert.False(quitter.Attacks[0].BelowBar);
    }

    [Fact]
    public void The_median_is_over_all_attacked_images_with_failures_counted_as_infinite()
    {
        var comparison = Compare(("a", [0.4, 0.1, GaveUp, 0.2, 0.3]), ("b", [0.1, 0.2, GaveUp, GaveUp, GaveUp]), ("c", [0.1, 0.2, 0.3, 0.4, 0.5]));
        Assert.Equal(0.3, comparison.Attacks[0].RelativePerturbation.Median);
        Assert.Null(comparison.Attacks[1].RelativePerturbation.Median);
        Assert.Equal(0.3, comparison.Attacks[2].RelativePerturbation.Median);
    }

    [Fact]
    public void A_median_between_a_found_and_a_failed_image_is_infinite() =>
        Assert.Null(Compare(("a", [0.1, GaveUp])).Attacks[0].RelativePerturbation.Median);

    [Theory]
    [InlineData(1000, 1000, false)]
    [InlineData(1000, 999, false)]
    [InlineData(1000, 998, true)]
    [InlineData(999, 998, true)]
    [InlineData(100, 99, true)]
    public void A_row_is_marked_below_99_point_9_percent(int attacked, int fooled, bool marked)
    {
        var comparison = Compare(("tr", [.. Enumerable.Range(0, attacked).Select(image => image < fooled ? 0.1 : GaveUp)]));
        Assert.Equal(marked, comparison.Attacks[0].BelowBar);
        Assert.Equal(marked, comparison.Warnings.Any(warning => warning == "Fooled fewer than 99.9 % of the attacked images, marked *: tr."));
    }

    [Fact]
    public void Speed_is_compared_with_the_first_CW_and_with_nothing_else()
    {
        Assert.All(Compare(("tr", [0.1]), ("deepfool", [0.1])).Attacks, attack => Assert.Null(attack.SpeedUpOverCw));
        // The runs take 1, 2, 3 and 4 seconds.
        var comparison = Compare(("tr", [0.1]), ("cw", [0.1]), ("deepfool", [0.1]), ("cw", [0.1]));
        Assert.Equal([2, 1, 2.0 / 3, 0.5], comparison.Attacks.Select(attack => attack.SpeedUpOverCw!.Value));
    }

    [Fact]
    public void Passes_and_seconds_are_of_attacked_images()
    {
        var attack = Compare(("tr", [0.1, Wrong, Wrong, 0.1])).Attacks[0];
        Assert.Equal(0.5, attack.SecondsPerImage);
        Assert.Equal(2, attack.ForwardsPerImage); // images 0 and 3 took 1 and 3, those in between 10 each
        Assert.Equal(20, attack.BackwardsPerImage);
    }

    [Fact]
    public void Where_nothing_was_fooled_there_are_no_lengths()
    {
        var comparison = Compare(("tr", [GaveUp, GaveUp]), ("deepfool", [0.1, 0.2]));
        Assert.Equal(0, comparison.FooledByAll);
        Assert.Equal(new(null, null, null), comparison.Attacks[0].RelativePerturbation);
        Assert.Equal((null, null), (comparison.Attacks[1].RelativePerturbation.Mean, comparison.Attacks[1].RelativePerturbation.Worst));
        Assert.Equal(0.15, comparison.Attacks[1].RelativePerturbation.Median!.Value, 12);
    }

    [Fact]
    public void Where_nothing_was_attacked_a_warning_says_so()
    {
        var comparison = Compare(("tr", [Wrong]));
        Assert.Contains("No image was attacked", Assert.Single(comparison.Warnings), StringComparison.Ordinal);
        Assert.False(comparison.Attacks[0].BelowBar);
        Assert.Equal(new(null, null, null), comparison.Attacks[0].RelativePerturbation);
    }

    [Fact]
    public void Runs_over_different_images_are_refused()
    {
        var runs = new[] { Run("tr", [0.1, 0.2], 1), Run("deepfool", [0.1], 1) };
        Assert.Throws<ArgumentException>(() => Comparison.Of(runs, requested: 2));
    }

    [Fact]
    public void What_is_questionable_about_an_attacks_settings_is_said_once()
    {
        var run = Run("tr", [0.1], 1);
        run = run with { Run = run.Run with { Options = new Dictionary<string, object>(StringComparer.Ordinal) { ["preset"] = "authors" } } };
        Assert.Contains("constants for normalised CIFAR-10", Assert.Single(Comparison.Of([run, run], requested: 2).Warnings), StringComparison.Ordinal);
        Assert.Empty(Comparison.Of([run with { Run = run.Run with { Space = "normalized" } }], requested: 1).Warnings);
    }

    [Fact]
    public void Attacks_that_are_missing_are_mentioned() =>
        Assert.Contains("Only 1 of 3 attacks", Comparison.Of([Run("tr", [0.1], 1)], requested: 3).Warnings[0], StringComparison.Ordinal);

    private static Comparison Compare(params (string Attack, double[] Relative)[] runs) =>
        Comparison.Of([.. runs.Select((run, position) => Run(run.Attack, run.Relative, position + 1))], runs.Length);

    private static ComparedRun Run(string attack, double[] relative, double seconds) => new(
        attack,
        attack,
        new() { Attack = attack, Norm = "l2", Space = "pixel", Target = "best", Criterion = "misclassified", Model = "signs", Data = "signs", Seed = 0, Options = new Dictionary<string, object>(StringComparer.Ordinal) },
        [.. relative.Select((length, index) => Image(index, length))],
        seconds);

    private static ComparedImage Image(int index, double relative)
    {
        var (attacked, fooled) = (relative != Wrong, relative is not (Wrong or GaveUp));
        var passes = !attacked ? 10 : index == 0 ? 1 : index;
        return new(index, attacked, fooled, fooled ? relative : 0, fooled ? 2 * relative : 0, passes, 10 * passes);
    }
}
