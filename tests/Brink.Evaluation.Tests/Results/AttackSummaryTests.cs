using Brink.Attacks;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using static TorchSharp.torch;

namespace Brink.Evaluation.Tests.Results;

public sealed class AttackSummaryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Underflow_and_unattacked_images_are_counted_in_the_summary_and_in_the_saved_run()
    {
        AttackExit[] exits = [AttackExit.Fooled, AttackExit.Fooled, AttackExit.ZeroGradient, AttackExit.Misclassified, AttackExit.IterationLimit];
        using var result = Result(exits, underflowed: row => row is 0 or 2);
        var summary = AttackSummary.Of(Run(), result);
        Assert.Equal((2, new(ZeroGradient: 1, NotFinite: 0, IterationLimit: 1)), (summary.Underflowed, summary.Unattacked));
        Assert.Contains(summary.Warnings, warning => warning.Contains("2 of 4 attacked images", StringComparison.Ordinal) && warning.Contains("underflow", StringComparison.Ordinal) && warning.Contains("logit gap", StringComparison.Ordinal));
        Assert.Contains(summary.Warnings, warning => warning.Contains("2 of 4 attacked images the attack could not work (exit 1 zero-gradient, 1 iteration-limit)", StringComparison.Ordinal));
        Assert.Equal((new(4, 5), new(2, 5)), (summary.AccuracyBeforeInterval, summary.AccuracyAfterInterval));

        ResultFolder.Prepare(_folder.Path);
        ResultFolder.Write(_folder.Path, summary, result);
        using var saved = SavedRun.Read(_folder.Path);
        Assert.Equal([true, false, true, false, false], saved.Compared("tr", "tr").Images.Select(image => image.Underflowed));
        Assert.Equal(exits, saved.Compared("tr", "tr").Images.Select(image => image.Exit));
        Assert.Equal((summary.Underflowed, summary.Unattacked), (saved.Summary.Underflowed, saved.Summary.Unattacked));
        Assert.Equal(summary.Unattacked, saved.ReadRobustness().UnattackedAt(length: null));
    }

    [Fact]
    public void Without_underflow_and_unattacked_images_there_is_no_warning_of_them()
    {
        using var result = Result([AttackExit.Fooled, AttackExit.Fooled], underflowed: _ => false);
        Assert.Empty(AttackSummary.Of(Run(), result).Warnings);
    }

    [Theory]
    [InlineData("fgsm", 0.1, 1, true)]
    [InlineData("pgd", 0.1, 20, false)]
    [InlineData("fgsm", null, 1, false)]
    public void Only_a_single_step_of_a_given_length_is_warned_of(string attack, double? epsilon, int iterations, bool warned)
    {
        using var result = Result([AttackExit.Fooled], underflowed: _ => false);
        var options = new Dictionary<string, object>(Run().Options, StringComparer.Ordinal) { ["max-iterations"] = iterations };
        if (epsilon is { } length)
        {
            options["epsilon"] = length;
        }

        Assert.Equal(warned, AttackSummary.Of(Run() with { Attack = attack, Options = options }, result).Warnings.Any(warning => warning.Contains("single step", StringComparison.Ordinal)));
    }

    private static RunDescription Run() => new()
    {
        Attack = "tr",
        Norm = "l2",
        Space = "pixel",
        Target = "untargeted",
        Criterion = "misclassified",
        Model = "signs",
        Data = "signs",
        Seed = 0,
        Options = new Dictionary<string, object>(StringComparer.Ordinal) { ["mean"] = new[] { 0.5 }, ["std"] = new[] { 0.25 } },
    };

    private static EvaluationResult Result(AttackExit[] exits, Func<int, bool> underflowed)
    {
        var images = exits.Select((exit, row) => new EvaluatedImage(
            row,
            new()
            {
                Label = 0,
                PredictionBefore = exit == AttackExit.Misclassified ? 1 : 0,
                PredictionAfter = exit is AttackExit.Misclassified or AttackExit.Fooled ? 1 : 0,
                Target = -1,
                Exit = exit,
                L2 = exit == AttackExit.Fooled ? 0.5 : 0,
                LInf = exit == AttackExit.Fooled ? 0.5 : 0,
                L1 = exit == AttackExit.Fooled ? 0.5 : 0,
                Relative = exit == AttackExit.Fooled ? 1 : 0,
                Iterations = 1,
                Forwards = 1,
                Backwards = 1,
                Underflowed = underflowed(row),
            },
            RelativeNormalized: 1)).ToArray();
        return new([new(images, full([exits.Length, 1, 1, 1], 0.5f).DetachFromDisposeScope(), tensor(exits.Select(exit => exit == AttackExit.Fooled ? 1f : 0.5f).ToArray()).reshape(-1, 1, 1, 1).DetachFromDisposeScope(), Seconds: 1)], exits.Length);
    }
}
