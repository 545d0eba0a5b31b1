using System.Reflection;
using System.Text.Json.Serialization;

namespace Brink.Evaluation.Results;

/// <summary>A run in numbers: what <c>results.json</c> holds, property by property.</summary>
public sealed record AttackSummary
{
    /// <summary>The attack.</summary>
    public required string Attack { get; init; }

    /// <summary><c>l2</c> or <c>linf</c>.</summary>
    public required string Norm { get; init; }

    /// <summary><c>pixel</c> or <c>normalized</c>.</summary>
    public required string Space { get; init; }

    /// <summary><c>best</c>, <c>hardest</c> or the number of a class.</summary>
    public required string Target { get; init; }

    /// <summary><c>misclassified</c> or <c>target-class</c>.</summary>
    public required string Criterion { get; init; }

    /// <summary>The network.</summary>
    public required string Model { get; init; }

    /// <summary>The data set.</summary>
    public required string Data { get; init; }

    /// <summary>The name of each class, in the order of the labels; empty in runs of a Brink that did not keep them.</summary>
    public IReadOnlyList<string> ClassNames { get; init; } = [];

    /// <summary>Images attempted.</summary>
    public required int Images { get; init; }

    /// <summary>Images the network got wrong to begin with; they are not attacked.</summary>
    public required int Misclassified { get; init; }

    /// <summary>Images whose label is the class to reach; they are not attacked.</summary>
    public required int Skipped { get; init; }

    /// <summary>Images attacked.</summary>
    public required int Attacked { get; init; }

    /// <summary>Images fooled, confirmed in a fresh pass.</summary>
    public required int Fooled { get; init; }

    /// <summary>The share of the images that the network gets right.</summary>
    public required double AccuracyBefore { get; init; }

    /// <summary>The share of the images that it still gets right after the attack.</summary>
    public required double AccuracyAfter { get; init; }

    /// <summary>‖x′ − x‖_p / ‖x‖_p over fooled images, in the attack's norm and space.</summary>
    public required Distribution RelativePerturbation { get; init; }

    /// <summary>The same images measured after the network's normalisation.</summary>
    public required Distribution RelativePerturbationNormalized { get; init; }

    /// <summary>The perturbations' lengths in both norms, over fooled images, in the attack's space.</summary>
    public required PerturbationLengths Perturbation { get; init; }

    /// <summary>Upper bounds of the accuracy at the lengths that were asked for.</summary>
    public required IReadOnlyList<RobustAccuracy> RobustAccuracy { get; init; }

    /// <summary>What is left of the adversarial images as 8-bit pictures; null where they were not saved as such.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RoundedImages? Rounded { get; init; }

    /// <summary>Forward passes, mean over attacked images, the first classification and the choice of class included.</summary>
    public required double ForwardsPerImage { get; init; }

    /// <summary>Backward passes, mean over attacked images, the choice of class included.</summary>
    public required double BackwardsPerImage { get; init; }

    /// <summary>Hessian-vector products, mean over attacked images; 0 for attacks of first order.</summary>
    public double ProductsPerImage { get; init; }

    /// <summary>How long the attack took.</summary>
    public required double Seconds { get; init; }

    /// <summary><see cref="Seconds"/> divided by the images attacked.</summary>
    public required double SecondsPerImage { get; init; }

    /// <summary>The seed of random draws.</summary>
    public required long Seed { get; init; }

    /// <summary>The version of Brink.</summary>
    public required string BrinkVersion { get; init; }

    /// <summary>Every setting, by its name in kebab case.</summary>
    public required IReadOnlyDictionary<string, object> Options { get; init; }

    /// <summary>What a reader of these numbers must know.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>The version of this assembly, with the commit it was built from.</summary>
    public static string Version { get; } =
        typeof(AttackSummary).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>Sums a run up.</summary>
    /// <param name="run">What was run.</param>
    /// <param name="result">What came out.</param>
    public static AttackSummary Of(RunDescription run, EvaluationResult result)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(result);
        var images = result.Images;
        var attacked = images.Where(image => image.Outcome.Attacked).ToArray();
        var fooled = attacked.Where(image => image.Outcome.Fooled).ToArray();
        var right = images.Count(image => image.Outcome.PredictionBefore == image.Outcome.Label);
        var rightAfter = images.Count(image => image.Outcome.PredictionAfter == image.Outcome.Label);
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
            Misclassified = images.Count - right,
            Skipped = right - attacked.Length,
            Attacked = attacked.Length,
            Fooled = fooled.Length,
            AccuracyBefore = Share(right, images.Count),
            AccuracyAfter = Share(rightAfter, images.Count),
            RelativePerturbation = Distribution.Of(fooled.Select(image => image.Outcome.Relative)),
            RelativePerturbationNormalized = Distribution.Of(fooled.Select(image => image.RelativeNormalized)),
            Perturbation = new(Distribution.Of(fooled.Select(image => image.Outcome.L2)), Distribution.Of(fooled.Select(image => image.Outcome.LInf))),
            RobustAccuracy = Robustness.Of(run.Norm, images).AccuraciesAt(run.RobustAt),
            ForwardsPerImage = attacked.Length == 0 ? 0 : attacked.Average(image => image.Outcome.Forwards),
            BackwardsPerImage = attacked.Length == 0 ? 0 : attacked.Average(image => image.Outcome.Backwards),
            ProductsPerImage = attacked.Length == 0 ? 0 : attacked.Average(image => image.Outcome.Products),
            Seconds = result.Seconds,
            SecondsPerImage = attacked.Length == 0 ? 0 : result.Seconds / attacked.Length,
            Seed = run.Seed,
            BrinkVersion = Version,
            Options = run.Options,
            Warnings = [.. Warn(run, result, attacked, fooled)],
        };
    }

    private static double Share(int part, int whole) => whole == 0 ? 0 : (double)part / whole;

    private static IEnumerable<string> Warn(RunDescription run, EvaluationResult result, EvaluatedImage[] attacked, EvaluatedImage[] fooled)
    {
        if (!result.IsComplete)
        {
            yield return $"The run {(result.Failure is null ? "was cancelled" : "failed")} after {result.Images.Count} of {result.Requested} images; the numbers are of these.";
        }

        foreach (var warning in run.Warnings())
        {
            yield return warning;
        }

        if (attacked.Length == 0 && result.Images.Count > 0)
        {
            yield return "No image was attacked: the network gets none right that is not in the class to reach; check that model and data belong together.";
        }

        if (attacked.Length > fooled.Length)
        {
            yield return $"{attacked.Length - fooled.Length} of {attacked.Length} attacked images were not fooled; the perturbations are of the others, and images.parquet says how each ended.";
        }

        var blank = fooled.Count(image => !double.IsFinite(image.Outcome.Relative) || !double.IsFinite(image.RelativeNormalized));
        if (blank > 0)
        {
            yield return $"{blank} fooled images have length 0, in the space of the attack or normalised, so their relative perturbation is not defined; its figures leave them out.";
        }
    }
}
