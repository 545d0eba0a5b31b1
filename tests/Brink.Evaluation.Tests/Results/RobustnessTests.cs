using Brink.Attacks;
using Brink.Evaluation.Results;

namespace Brink.Evaluation.Tests.Results;

public sealed class RobustnessTests
{
    private const double Epsilon = 8.0 / 255;

    [Theory]
    [InlineData(1e-6, true)]
    [InlineData(-1e-6, true)]
    [InlineData(1e-3, false)]
    public void A_length_that_differs_by_rounding_is_within_the_length(double relative, bool within) =>
        Assert.Equal(within ? 0 : 1, new Robustness([Run("tr", (AttackExit.Fooled, Epsilon * (1 + relative)))]).AccuracyAt(Epsilon).Correct);

    [Fact]
    public void The_tolerance_is_one_unit_in_the_last_place_at_the_largest_value_of_the_box()
    {
        var options = new Dictionary<string, object>(StringComparer.Ordinal) { ["mean"] = new[] { 0.5, 0.25 }, ["std"] = new[] { 0.5, 0.05 } };
        // The largest value is (1 − 0.25)/0.05 = 15, where floats have the distance 2⁻²⁰; below 1 they have at most 2⁻²³ above it.
        foreach (var (space, unit) in new[] { ("pixel", Math.Pow(2, -23)), ("normalized", Math.Pow(2, -20)) })
        {
            var tolerance = LengthTolerance.Of(space, options);
            Assert.True(tolerance.IsAtMost(0.99 * unit, 0), space);
            Assert.False(tolerance.IsAtMost(1.01 * unit, 0), space);
        }
    }

    [Fact]
    public void Settings_read_from_a_file_give_the_same_tolerance()
    {
        var options = System.Text.Json.JsonSerializer.Deserialize<Dictionary<string, object>>("""{"mean": [0.5, 0.25], "std": [0.5, 0.05]}""")!;
        var unit = Math.Pow(2, -20);
        Assert.True(LengthTolerance.Of("normalized", options).IsAtMost(0.99 * unit, 0));
        Assert.False(LengthTolerance.Of("normalized", options).IsAtMost(1.01 * unit, 0));
    }

    [Fact]
    public void A_median_equal_to_the_threshold_up_to_rounding_reaches_it()
    {
        // Two levels of an 8-bit image, as the difference of two floats.
        var robustness = new Robustness([Run("tr", (AttackExit.Fooled, (double)((130f / 255) - (128f / 255))))]);
        Assert.True(Requirement.Parse("median>=2/255").Check(robustness, allowUnattacked: false).Met);
        Assert.False(Requirement.Parse("median>2/255").Check(robustness, allowUnattacked: false).Met);
    }

    [Theory]
    [InlineData(0, 20)]
    [InlineData(7, 20)]
    [InlineData(20, 20)]
    [InlineData(133, 500)]
    public void The_ends_of_the_interval_solve_Wilsons_equation(int correct, int images)
    {
        const double quantile = 1.959963984540054;
        var interval = new AccuracyInterval(correct, images);
        Assert.InRange(interval.Share, interval.Lower, interval.Upper);
        Assert.All([interval.Lower, interval.Upper], end => Assert.Equal(quantile * quantile * end * (1 - end) / images, Math.Pow(interval.Share - end, 2), 12));
    }

    [Fact]
    public void Without_images_the_interval_covers_everything()
    {
        var interval = new AccuracyInterval(0, 0);
        Assert.Equal((0, 0, 1), (interval.Share, interval.Lower, interval.Upper));
    }

    [Fact]
    public void At_the_iteration_limit_an_image_withstood_a_budgeted_attack_but_not_a_minimal_one_and_at_the_limit_of_passes_none()
    {
        (AttackExit, double)[] images = [(AttackExit.Fooled, 0.01), (AttackExit.IterationLimit, 0), (AttackExit.ZeroGradient, 0), (AttackExit.NotFinite, 0), (AttackExit.Misclassified, 0), (AttackExit.Rounded, 0), (AttackExit.PassLimit, 0)];
        Assert.Equal(new(ZeroGradient: 1, NotFinite: 1, IterationLimit: 1, PassLimit: 1), new Robustness([Run("tr", images)]).UnattackedAt(0.5));
        Assert.Equal(new(ZeroGradient: 1, NotFinite: 1, IterationLimit: 0, PassLimit: 1), new Robustness([Run("pgd", Epsilon, images)]).UnattackedAt(0.5));
    }

    [Fact]
    public void An_image_is_unattacked_in_the_worst_case_only_if_no_attack_that_counts_could_work()
    {
        var minimal = Run("tr", (AttackExit.ZeroGradient, 0), (AttackExit.ZeroGradient, 0), (AttackExit.NotFinite, 0));
        var budgeted = Run("pgd", Epsilon, (AttackExit.Fooled, Epsilon), (AttackExit.IterationLimit, 0), (AttackExit.NotFinite, 0));
        var both = new Robustness([minimal, budgeted]);
        Assert.Equal(1, both.UnattackedAt(Epsilon).Total); // the first is fooled, and the second withstood
        Assert.Equal(3, both.UnattackedAt(Epsilon / 2).Total); // there the budgeted attack does not count
        Assert.Equal(2, both.UnattackedAt(length: null).Total); // withstanding one length says nothing about the smallest one
        Assert.Equal(2, both.UnattackedAt(2 * Epsilon).Total); // or about larger ones
        Assert.Equal(1, new Robustness([budgeted]).UnattackedAt(2 * Epsilon).Total); // alone, a budgeted attack is judged by what it tried
    }

    [Fact]
    public void A_budgeted_attack_counts_from_its_epsilon_on()
    {
        // It found the first image at 0.9 ε.
        var minimal = Run("tr", (AttackExit.Fooled, 2 * Epsilon), (AttackExit.Fooled, Epsilon / 4), (AttackExit.Misclassified, 0), (AttackExit.IterationLimit, 0));
        var budgeted = Run("pgd", Epsilon, (AttackExit.Fooled, 0.9 * Epsilon), (AttackExit.Fooled, Epsilon * (1 + 1e-7)), (AttackExit.Misclassified, 0), (AttackExit.IterationLimit, 0));
        var both = new Robustness([minimal, budgeted]);
        Assert.Equal([3, 2, 2, 1, 1], new[] { Epsilon / 8, Epsilon / 4, 0.95 * Epsilon, Epsilon, 3 * Epsilon }.Select(length => both.AccuracyAt(length).Correct));
        Assert.Equal([Epsilon, Epsilon / 4, double.PositiveInfinity, double.PositiveInfinity], Enumerable.Range(0, 4).Select(both.SmallestLength));
        Assert.Equal(Epsilon, both.MedianLength); // of ε/4, ε and ∞
        Assert.Equal([Epsilon], new Robustness([budgeted]).AccuraciesAt([Epsilon / 4, Epsilon]).Select(entry => entry.Epsilon));
    }

    [Theory]
    [InlineData(5, true)]
    [InlineData(6, false)]
    public void More_than_5_percent_of_unattacked_images_fail_a_threshold_unless_they_are_allowed(int flat, bool met)
    {
        var robustness = new Robustness([Run("tr", [.. Enumerable.Range(0, 100).Select(image => image < flat ? (AttackExit.ZeroGradient, 0) : (AttackExit.Fooled, 1.0))])]);
        foreach (var threshold in new[] { "accuracy@0.5>=0.5", "median>=0.5" })
        {
            var (isMet, sentence) = Requirement.Parse(threshold).Check(robustness, allowUnattacked: false);
            Assert.Equal(met, isMet);
            Assert.True(met ? sentence is null : sentence!.Contains($"{flat} of 100 attacked images ({flat} zero-gradient)", StringComparison.Ordinal) && sentence.Contains("--allow-unattacked", StringComparison.Ordinal), sentence);
            Assert.True(Requirement.Parse(threshold).Check(robustness, allowUnattacked: true).Met);
        }
    }

    [Fact]
    public void A_threshold_inside_the_interval_is_noted_whether_it_is_met_or_not()
    {
        var robustness = new Robustness([Run("tr", [.. Enumerable.Range(0, 20).Select(image => (AttackExit.Fooled, image < 10 ? 0.1 : 1))])]);
        Assert.Contains("inside the 95 % interval", Requirement.Parse("accuracy@0.5>=0.4").Check(robustness, allowUnattacked: false).Sentence, StringComparison.Ordinal);
        var (met, sentence) = Requirement.Parse("accuracy@0.5>=0.6").Check(robustness, allowUnattacked: false);
        Assert.False(met);
        Assert.Contains("10 of 20 images, 95 % interval 0.2993 to 0.7007, in which the threshold lies", sentence, StringComparison.Ordinal);
        Assert.Null(Requirement.Parse("accuracy@0.5>=0.2").Check(robustness, allowUnattacked: false).Sentence);
        Assert.DoesNotContain("threshold lies", Requirement.Parse("accuracy@0.5>=0.9").Check(robustness, allowUnattacked: false).Sentence, StringComparison.Ordinal);
    }

    private static ComparedRun Run(string attack, params (AttackExit Exit, double Length)[] images) => Run(attack, epsilon: null, images);

    private static ComparedRun Run(string attack, double? epsilon, params (AttackExit Exit, double Length)[] images)
    {
        var options = new Dictionary<string, object>(StringComparer.Ordinal);
        if (epsilon is { } length)
        {
            options["epsilon"] = length;
        }

        return new(
            attack,
            attack,
            new() { Attack = attack, Norm = "linf", Space = "pixel", Target = "untargeted", Criterion = "misclassified", Model = "signs", Data = "signs", Seed = 0, Options = options },
            [.. images.Select((image, index) => new ComparedImage(index, image.Exit, image.Length, image.Length, image.Length, 1, 1, Underflowed: false))],
            Seconds: 1);
    }
}
