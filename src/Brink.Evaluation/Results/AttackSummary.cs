using System.Reflection;
using System.Text.Json.Serialization;

namespace Brink.Evaluation.Results;

/// <summary>The summary of a run. Its properties are those of <c>results.json</c>.</summary>
public sealed record AttackSummary
{
    /// <summary>The name of the attack.</summary>
    public required string Attack { get; init; }

    /// <summary>The norm of the attack: <c>l2</c>, <c>linf</c> or <c>l1</c>.</summary>
    public required string Norm { get; init; }

    /// <summary>The space in which lengths are measured: <c>pixel</c> or <c>normalized</c>.</summary>
    public required string Space { get; init; }

    /// <summary>The target: <c>untargeted</c>, <c>best</c>, <c>hardest</c>, the number of a class, or <c>per-image</c>.</summary>
    public required string Target { get; init; }

    /// <summary>The criterion for fooled images: <c>misclassified</c>, <c>target-class</c>, or <c>custom</c> for one of the user's own.</summary>
    public required string Criterion { get; init; }

    /// <summary>The name of the model.</summary>
    public required string Model { get; init; }

    /// <summary>The name of the data set.</summary>
    public required string Data { get; init; }

    /// <summary>The name of each class, in the order of the labels. The list is empty in runs of older versions.</summary>
    public IReadOnlyList<string> ClassNames { get; init; } = [];

    /// <summary>The number of images of the run.</summary>
    public required int Images { get; init; }

    /// <summary>The number of images that were misclassified before the attack. They are not attacked.</summary>
    public required int Misclassified { get; init; }

    /// <summary>The number of images that were not attacked because they meet the criterion already or their label is their target class.</summary>
    public required int Skipped { get; init; }

    /// <summary>The number of attacked images.</summary>
    public required int Attacked { get; init; }

    /// <summary>The number of fooled images, confirmed by a fresh forward pass.</summary>
    public required int Fooled { get; init; }

    /// <summary>The share of the images that are classified correctly before the attack.</summary>
    public required double AccuracyBefore { get; init; }

    /// <summary>The share of the images that are classified correctly after the attack.</summary>
    public required double AccuracyAfter { get; init; }

    /// <summary>The counts and the 95 % interval of <see cref="AccuracyBefore"/>.</summary>
    public AccuracyInterval AccuracyBeforeInterval => AccuracyInterval.Of(AccuracyBefore, Images);

    /// <summary>The counts and the 95 % interval of <see cref="AccuracyAfter"/>.</summary>
    public AccuracyInterval AccuracyAfterInterval => AccuracyInterval.Of(AccuracyAfter, Images);

    /// <summary>The attacked images on which the attack could not work.</summary>
    /// <value>No images by default, as in runs of older versions.</value>
    public UnattackedImages Unattacked { get; init; } = new(0, 0, 0);

    /// <summary>The number of attacked images for which the cross-entropy underflowed, so that the logit gap replaced it.</summary>
    public int Underflowed { get; init; }

    /// <summary>The relative perturbation ‖x′ − x‖_p / ‖x‖_p over the fooled images, in the norm and the space of the attack.</summary>
    public required Distribution RelativePerturbation { get; init; }

    /// <summary>The relative perturbation over the fooled images, measured after the normalisation of the model.</summary>
    public required Distribution RelativePerturbationNormalized { get; init; }

    /// <summary>The length of the perturbation in each norm over the fooled images, in the space of the attack.</summary>
    public required PerturbationLengths Perturbation { get; init; }

    /// <summary>Upper bounds of the accuracy at the requested lengths.</summary>
    public required IReadOnlyList<RobustAccuracy> RobustAccuracy { get; init; }

    /// <summary>The number of images that are still fooled after rounding to 8 bits, or null if no 8-bit images were saved.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RoundedImages? Rounded { get; init; }

    /// <summary>The mean number of forward passes over the attacked images, including the first classification and the choice of the target.</summary>
    public required double ForwardsPerImage { get; init; }

    /// <summary>The mean number of backward passes over the attacked images, including the choice of the target.</summary>
    public required double BackwardsPerImage { get; init; }

    /// <summary>The mean number of Hessian-vector products over the attacked images, 0 for attacks of first order.</summary>
    public double ProductsPerImage { get; init; }

    /// <summary>The duration of the attack in seconds.</summary>
    public required double Seconds { get; init; }

    /// <summary>The duration in seconds divided by the number of attacked images.</summary>
    public required double SecondsPerImage { get; init; }

    /// <summary>The seed of the random numbers.</summary>
    public required long Seed { get; init; }

    /// <summary>The version of Brink that computed the run.</summary>
    public required string BrinkVersion { get; init; }

    /// <summary>The SHA-256 of <c>images.parquet</c> and of <c>adversarial.safetensors</c> by the name of the file, or null before the files are written and in runs of older versions.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, string>? Checksums { get; init; }

    /// <summary>Every setting of the attack and of the run, by its name in kebab case.</summary>
    public required IReadOnlyDictionary<string, object> Options { get; init; }

    /// <summary>The warnings that a reader of the numbers needs.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>The version of this assembly, with the commit that it was built from.</summary>
    internal static string Version { get; } =
        typeof(AttackSummary).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>Computes the summary of a run.</summary>
    /// <param name="run">The description of the run.</param>
    /// <param name="result">The result of the run.</param>
    /// <returns>The summary.</returns>
    public static AttackSummary Of(RunDescription run, EvaluationResult result)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(result);
        var images = result.Images;
        var attacked = images.Where(image => image.Outcome.Attacked).ToArray();
        var fooled = attacked.Where(image => image.Outcome.Fooled).ToArray();
        var correct = images.Count(image => image.Outcome.PredictionBefore == image.Outcome.Label);
        var robustness = Robustness.Of(run, images);
        var unattacked = robustness.UnattackedAt(length: null);
        var correctAfter = images.Count(image => image.Outcome.PredictionAfter == image.Outcome.Label);
        return new()
        {
            Attack = run.Attack,
            Norm = run.Norm,
            Space = run.Space,
            Target = run.Target,
            Criterion = run.Criterion,
            Model = run.Model,
            Data = run.Data,
            ClassNames = run.ClassNames,
            Images = images.Count,
            Misclassified = images.Count - correct,
            Skipped = correct - attacked.Length,
            Attacked = attacked.Length,
            Fooled = fooled.Length,
            AccuracyBefore = Share(correct, images.Count),
            AccuracyAfter = Share(correctAfter, images.Count),
            RelativePerturbation = Distribution.Of(fooled.Select(image => image.Outcome.Relative)),
            RelativePerturbationNormalized = Distribution.Of(fooled.Select(image => image.RelativeNormalized)),
            Perturbation = new(Distribution.Of(fooled.Select(image => image.Outcome.L2)), Distribution.Of(fooled.Select(image => image.Outcome.LInf)), Distribution.Of(fooled.Select(image => image.Outcome.L1))),
            Unattacked = unattacked,
            Underflowed = attacked.Count(image => image.Outcome.Underflowed),
            RobustAccuracy = robustness.AccuraciesAt(run.RobustAt),
            ForwardsPerImage = attacked.Length == 0 ? 0 : attacked.Average(image => image.Outcome.Forwards),
            BackwardsPerImage = attacked.Length == 0 ? 0 : attacked.Average(image => image.Outcome.Backwards),
            ProductsPerImage = attacked.Length == 0 ? 0 : attacked.Average(image => image.Outcome.Products),
            Seconds = result.Seconds,
            SecondsPerImage = attacked.Length == 0 ? 0 : result.Seconds / attacked.Length,
            Seed = run.Seed,
            BrinkVersion = Version,
            Options = run.Options,
            Warnings = [.. Warn(run, result, attacked, fooled, unattacked)],
        };
    }

    /// <summary>Returns this summary with the numbers that depend on requested lengths, and with the counts of unattacked images, which summaries of older versions lack.</summary>
    /// <param name="robustness">The robustness that the run measured.</param>
    /// <param name="lengths">The requested lengths; if there are none, the accuracies stay.</param>
    internal AttackSummary Updated(Robustness robustness, IReadOnlyList<double> lengths) => this with
    {
        Unattacked = robustness.UnattackedAt(length: null),
        RobustAccuracy = lengths.Count > 0 ? robustness.AccuraciesAt(lengths) : RobustAccuracy,
    };

    /// <summary>Returns the description of the run, without the warnings about its input.</summary>
    internal RunDescription Describe() => new()
    {
        Attack = Attack,
        Norm = Norm,
        Space = Space,
        Target = Target,
        Criterion = Criterion,
        Model = Model,
        Data = Data,
        Seed = Seed,
        Options = Options,
    };

    private static double Share(int part, int whole) => whole == 0 ? 0 : (double)part / whole;

    private static IEnumerable<string> Warn(RunDescription run, EvaluationResult result, EvaluatedImage[] attacked, EvaluatedImage[] fooled, UnattackedImages unattacked)
    {
        if (!result.IsComplete)
        {
            yield return $"The run {(result.Failure is null ? "was cancelled" : "failed")} after {result.Images.Count} of {result.Requested} images; the results are those of these images only.";
        }

        foreach (var warning in run.Warnings())
        {
            yield return warning;
        }

        if (attacked.Length == 0 && result.Images.Count > 0)
        {
            yield return "No image was attacked: every image is misclassified or has the target class as its label; check that the model was trained for these classes.";
        }

        if (attacked.Length > fooled.Length)
        {
            yield return $"{attacked.Length - fooled.Length} of {attacked.Length} attacked images were not fooled; the perturbations cover the others, and images.parquet has the exit reason of each image.";
        }

        foreach (var warning in RunWarnings.Of("the attack", "the attack could not work", unattacked, attacked.Length, attacked.Count(image => image.Outcome.Underflowed)))
        {
            yield return warning;
        }

        var undefined = fooled.Count(image => !double.IsFinite(image.Outcome.Relative) || !double.IsFinite(image.RelativeNormalized));
        if (undefined > 0)
        {
            yield return $"{undefined} fooled images have length 0 in the space of the attack or after normalisation, so their relative perturbation is undefined; its statistics leave them out.";
        }
    }
}

/// <summary>The mean, the median and the maximum of a set of numbers. All three are null if the set is empty.</summary>
/// <param name="Mean">The arithmetic mean.</param>
/// <param name="Median">The median; of an even count, the mean of the two middle numbers.</param>
/// <param name="Worst">The maximum.</param>
public sealed record Distribution(double? Mean, double? Median, double? Worst)
{
    /// <summary>Computes the distribution of numbers, without those that are not finite.</summary>
    /// <param name="values">The numbers.</param>
    /// <returns>The distribution.</returns>
    internal static Distribution Of(IEnumerable<double> values)
    {
        var sorted = values.Where(double.IsFinite).Order().ToArray();
        return sorted.Length == 0
            ? new(null, null, null)
            : new(sorted.Average(), MedianOf(sorted), sorted[^1]);
    }

    /// <summary>Computes the median of numbers in ascending order, including infinite ones.</summary>
    /// <param name="sorted">The numbers in ascending order, at least one.</param>
    /// <returns>The middle number, or the mean of the two middle numbers.</returns>
    internal static double MedianOf(double[] sorted) => (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
}

/// <summary>The lengths of the perturbations of fooled images in each norm, in the space of the attack.</summary>
/// <param name="L2">The lengths ‖x′ − x‖₂.</param>
/// <param name="LInf">The lengths ‖x′ − x‖_∞.</param>
/// <param name="L1">The lengths ‖x′ − x‖₁; null in runs of older versions.</param>
public sealed record PerturbationLengths(Distribution L2, [property: JsonPropertyName("linf")] Distribution LInf, Distribution? L1 = null);

/// <summary>The effect of rounding adversarial images to 8 bits per value, as in PNG files.</summary>
/// <param name="Images">The number of fooled images.</param>
/// <param name="StillFooled">The number of these that are still fooled after rounding.</param>
public sealed record RoundedImages(int Images, int StillFooled);

/// <summary>Warnings about an attack that could not work as intended, of a run or of an attack of a comparison.</summary>
internal static class RunWarnings
{
    /// <summary>Returns the warnings.</summary>
    /// <param name="attack">The attack, as the object of a sentence.</param>
    /// <param name="couldNotWork">The subject and the verb of the sentence about unattacked images: "the attack could not work".</param>
    /// <param name="unattacked">The attacked images on which the attack could not work.</param>
    /// <param name="attacked">The number of attacked images.</param>
    /// <param name="underflowed">The number of attacked images for which the cross-entropy underflowed.</param>
    public static IEnumerable<string> Of(string attack, string couldNotWork, UnattackedImages unattacked, int attacked, int underflowed)
    {
        if (unattacked.AreTooMany(attacked))
        {
            yield return $"On {unattacked.Total} of {attacked} attacked images {couldNotWork} (exit {unattacked.Counts}), so the accuracy is not to be trusted; {unattacked.Advice}.";
        }

        if (underflowed > 0)
        {
            yield return $"On {underflowed} of {attacked} attacked images the underflow of the cross-entropy left {attack} without a gradient, so the logit gap replaced it there; reduce the scale of the logits, or set the objective gap.";
        }
    }
}
