using System.Globalization;
using System.Text.Json.Serialization;
using Brink.Attacks;

namespace Brink.Evaluation.Results;

/// <summary>The comparison of several attacks over the same images. Its properties are those of <c>comparison.json</c>.</summary>
internal sealed record Comparison
{
    /// <summary>The share of the attacked images that an attack must fool for its row not to be marked.</summary>
    /// <value>0.999 (Yao et al., CVPR 2019: attacks are compared that lower the accuracy below 0.1 %).</value>
    public const decimal FooledThreshold = 0.999m;

    /// <summary>The norm of the attacks: <c>l2</c>, <c>linf</c> or <c>l1</c>.</summary>
    public required string Norm { get; init; }

    /// <summary>The space in which lengths are measured: <c>pixel</c> or <c>normalized</c>.</summary>
    public required string Space { get; init; }

    /// <summary>The criterion for fooled images: <c>misclassified</c> or <c>target-class</c>.</summary>
    public required string Criterion { get; init; }

    /// <summary>The name of the model.</summary>
    public required string Model { get; init; }

    /// <summary>The name of the data set.</summary>
    public required string Data { get; init; }

    /// <summary>The number of images.</summary>
    public required int Images { get; init; }

    /// <summary>The number of images that were not attacked, because they were misclassified or their label is the target class.</summary>
    public required int NotAttacked { get; init; }

    /// <summary>The number of attacked images, equal for all attacks.</summary>
    public required int Attacked { get; init; }

    /// <summary>The number of images that every minimal attack fooled, or every attack if all are budgeted.</summary>
    public required int FooledByAll { get; init; }

    /// <summary>The worst case over all attacks, image by image. It is null in comparisons of older versions.</summary>
    public WorstCase? WorstCase { get; init; }

    /// <summary>The envelope, which the local optimality of the attacks is relative to. It is null in comparisons of older versions.</summary>
    public Envelope? Envelope { get; init; }

    /// <summary>One row per attack: earlier runs, then the attacks in the order of the list.</summary>
    public required IReadOnlyList<ComparedAttack> Attacks { get; init; }

    /// <summary>The seed of the random numbers.</summary>
    public required long Seed { get; init; }

    /// <summary>The version of Brink that made the comparison.</summary>
    public required string BrinkVersion { get; init; }

    /// <summary>The warnings that a reader of the numbers needs.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>The kind of the attacks whose lengths are compared, as the beginning of "attack" in a sentence: "minimal " if there are budgeted attacks too, otherwise empty.</summary>
    [JsonIgnore]
    public string ComparedKind => KindOf(Attacks);

    /// <summary>Computes the comparison of finished runs.</summary>
    /// <param name="runs">At least one run, all over the same images, in one norm and space.</param>
    /// <param name="requested">The number of requested attacks, which exceeds the number of runs after a cancellation.</param>
    /// <param name="lengths">The lengths at which the accuracy of the worst case is computed, or null for none.</param>
    /// <param name="filed">The attacks of envelope files in the norm of the runs, or null for none.</param>
    /// <returns>The comparison.</returns>
    /// <exception cref="ArgumentException">There is no run, or the runs cover different images.</exception>
    public static Comparison Of(IReadOnlyList<ComparedRun> runs, int requested, IEnumerable<double>? lengths = null, IReadOnlyList<FiledAttack>? filed = null)
    {
        ArgumentNullException.ThrowIfNull(runs);
        filed ??= [];
        if (runs.Count == 0 || !runs.All(run => run.Images.Select(image => image.Index).SequenceEqual(runs[0].Images.Select(image => image.Index))))
        {
            throw new ArgumentException("A comparison needs at least one run, and all of them over the same images.", nameof(runs));
        }

        var rows = Enumerable.Range(0, runs[0].Images.Count);
        var attacked = rows.Where(row => runs.All(run => run.Images[row].Attacked)).ToArray();
        // The lengths of budgeted attacks are not compared, so these attacks do not decide which images the means cover.
        var measured = runs.Where(run => run.Run.Epsilon is null).ToArray() is { Length: > 0 } minimal ? minimal : [.. runs];
        var common = attacked.Where(row => Array.TrueForAll(measured, run => run.Images[row].Fooled)).ToArray();
        var baseline = runs.FirstOrDefault(run => run.Run.Attack == "cw");
        var robustness = new Robustness(runs);
        var indices = attacked.Select(row => runs[0].Images[row].Index).ToArray();
        var smallest = attacked.Select((row, position) => filed.Select(attack => attack.Length(indices[position]) ?? double.PositiveInfinity).Append(robustness.SmallestLength(row)).Min()).ToArray();
        var optimality = new LocalOptimality(smallest);
        var attacks = runs.Select(run => Row(run, attacked, common, baseline) with
        {
            LocalOptimality = run.Run.Epsilon is null ? optimality.Of(attacked.Select(row => (double?)run.SmallestLength(row))) : null,
        }).ToArray();
        var envelope = new Envelope(optimality.Images, optimality.LeftOut, optimality.Largest, [.. filed.Select(Filed)]);
        var (model, images) = (runs[0].Run, runs[0].Images.Count);
        return new()
        {
            Norm = model.Norm,
            Space = model.Space,
            Criterion = model.Criterion,
            Model = model.Model,
            Data = model.Data,
            Images = images,
            NotAttacked = images - attacked.Length,
            Attacked = attacked.Length,
            FooledByAll = common.Length,
            WorstCase = WorstCase.Of(robustness, lengths ?? []),
            Envelope = envelope,
            Attacks = attacks,
            Seed = model.Seed,
            BrinkVersion = AttackSummary.Version,
            Warnings = [.. Warn(attacks, requested, attacked.Length, common.Length), .. WarnOfAttacks(attacks, robustness), .. WarnOfFiles(envelope), .. runs.SelectMany(run => run.Run.Warnings()).Distinct(StringComparer.Ordinal)],
        };

        EnvelopeRow Filed(FiledAttack attack)
        {
            var lengths = indices.Select(attack.Length).ToArray();
            return new(attack.Attack, attack.File, lengths.Zip(smallest).Count(pair => pair.First is not null && double.IsFinite(pair.Second)), attack.Forwards, attack.Backwards, optimality.Of(lengths));
        }
    }

    private static string KindOf(IReadOnlyList<ComparedAttack> attacks) => attacks.Any(attack => attack.Epsilon is null) && attacks.Any(attack => attack.Epsilon is not null) ? "minimal " : "";

    private static ComparedAttack Row(ComparedRun run, int[] attacked, int[] common, ComparedRun? baseline)
    {
        var images = run.Images;
        var fooled = attacked.Count(row => images[row].Fooled);
        var epsilon = run.Run.Epsilon;
        return new()
        {
            Attack = run.Attack,
            Folder = run.Folder,
            Target = run.Run.Target,
            Epsilon = epsilon,
            Fooled = fooled,
            Unattacked = new Robustness([run]).UnattackedAt(length: null),
            Underflowed = attacked.Count(row => images[row].Underflowed),
            BelowThreshold = epsilon is null && fooled < FooledThreshold * attacked.Length,
            RelativePerturbation = Perturbation(image => image.Relative),
            RelativePerturbationNormalized = Perturbation(image => image.RelativeNormalized),
            ForwardsPerImage = attacked.Length == 0 ? 0 : attacked.Average(row => images[row].Forwards),
            BackwardsPerImage = attacked.Length == 0 ? 0 : attacked.Average(row => images[row].Backwards),
            Seconds = run.Seconds,
            SecondsPerImage = attacked.Length == 0 ? 0 : run.Seconds / attacked.Length,
            SpeedUpOverCw = baseline is null ? null : baseline.Seconds / run.Seconds,
            Options = run.Run.Options,
        };

        Distribution Perturbation(Func<ComparedImage, double> length)
        {
            if (epsilon is not null)
            {
                return new(null, null, null);
            }

            var all = attacked.Select(row => images[row].Fooled && length(images[row]) is var found && double.IsFinite(found) ? found : double.PositiveInfinity).Order().ToArray();
            var median = all.Length == 0 ? double.PositiveInfinity : Distribution.MedianOf(all);
            return Distribution.Of(common.Select(row => length(images[row]))) with { Median = double.IsFinite(median) ? median : null };
        }
    }

    private static IEnumerable<string> Warn(ComparedAttack[] attacks, int requested, int attacked, int common)
    {
        if (attacks.Length < requested)
        {
            yield return $"Only {attacks.Length} of {requested} attacks were finished; the numbers cover these attacks only.";
        }

        if (attacked == 0)
        {
            yield return "No image was attacked: every image is misclassified or has the target class as its label; check that the model was trained for these classes.";
        }
        else if (common < attacked && Array.Exists(attacks, attack => attack.Epsilon is null))
        {
            yield return $"{common} of {attacked} attacked images were fooled by every {KindOf(attacks)}attack; mean and worst are over these images, medians over all attacked images, those not fooled counted as infinite.";
        }

        var below = attacks.Where(attack => attack.BelowThreshold).Select(attack => attack.Attack).ToArray();
        if (below.Length > 0)
        {
            yield return FormattableString.Invariant($"Fooled fewer than {FooledThreshold:P1} of the attacked images, marked *: {string.Join(", ", below)}.");
        }
    }

    private static IEnumerable<string> WarnOfFiles(Envelope envelope) => envelope.Files.Where(attack => attack.Images < envelope.Images).DistinctBy(attack => attack.File, StringComparer.Ordinal)
        .Select(attack => $"The envelope file {attack.File} has only {attack.Images} of the {envelope.Images} images of the local optimality; that of its attacks is over these images.");

    private static IEnumerable<string> WarnOfAttacks(ComparedAttack[] attacks, Robustness robustness)
    {
        foreach (var attack in attacks)
        {
            if (attack.Epsilon is { } epsilon)
            {
                yield return string.Create(CultureInfo.InvariantCulture, $"{attack.Attack} only tried perturbations up to {epsilon:G4}: in the worst case it counts from that length on, and below it does not count.");
            }

            foreach (var warning in RunWarnings.Of(attack.Attack, $"{attack.Attack} could not work", attack.Unattacked, robustness.Attacked, attack.Underflowed))
            {
                yield return warning;
            }
        }

        if (attacks.Length > 1)
        {
            foreach (var warning in RunWarnings.Of("no attack", $"no {KindOf(attacks)}attack could work", robustness.UnattackedAt(length: null), robustness.Attacked, underflowed: 0))
            {
                yield return warning;
            }
        }
    }
}

/// <summary>One row of a comparison.</summary>
internal sealed record ComparedAttack
{
    /// <summary>The attack with its options, as written in the list.</summary>
    public required string Attack { get; init; }

    /// <summary>The name of the subfolder of the run.</summary>
    public required string Folder { get; init; }

    /// <summary>The target: <c>untargeted</c>, <c>best</c>, <c>hardest</c> or the number of a class.</summary>
    public required string Target { get; init; }

    /// <summary>The largest length ε of the perturbations of a budgeted attack, or null for a minimal attack.</summary>
    public double? Epsilon { get; init; }

    /// <summary>The number of fooled images, confirmed by a fresh forward pass.</summary>
    public required int Fooled { get; init; }

    /// <summary>The attacked images on which the attack could not work.</summary>
    public UnattackedImages Unattacked { get; init; } = new(0, 0, 0);

    /// <summary>The number of attacked images for which the cross-entropy underflowed, so that the logit gap replaced it.</summary>
    public int Underflowed { get; init; }

    /// <summary>Indicates whether a minimal attack fooled fewer than <see cref="Comparison.FooledThreshold"/> of the attacked images. The rest of the row is then not comparable.</summary>
    [JsonPropertyName("belowBar")]
    public required bool BelowThreshold { get; init; }

    /// <summary>The relative perturbation ‖x′ − x‖_p / ‖x‖_p in the space of the attack.</summary>
    /// <remarks>Mean and worst are over the images that all minimal attacks fooled; the median is over all attacked images, those not fooled counted as infinite, and null if it is infinite. All three are null for a budgeted attack, whose lengths are all close to ε.</remarks>
    public required Distribution RelativePerturbation { get; init; }

    /// <summary>The relative perturbation, measured after the normalisation of the model.</summary>
    public required Distribution RelativePerturbationNormalized { get; init; }

    /// <summary>The local optimality, relative to <see cref="Comparison.Envelope"/>.</summary>
    /// <value>null without a value, for a budgeted attack, and in comparisons of older versions.</value>
    public double? LocalOptimality { get; init; }

    /// <summary>The mean number of forward passes over the attacked images.</summary>
    public required double ForwardsPerImage { get; init; }

    /// <summary>The mean number of backward passes over the attacked images.</summary>
    public required double BackwardsPerImage { get; init; }

    /// <summary>The duration of the attack in seconds.</summary>
    public required double Seconds { get; init; }

    /// <summary>The duration in seconds divided by the number of attacked images.</summary>
    public required double SecondsPerImage { get; init; }

    /// <summary>The duration of the first Carlini–Wagner attack divided by that of this attack, or null without a Carlini–Wagner attack.</summary>
    public required double? SpeedUpOverCw { get; init; }

    /// <summary>Every setting, by its name in kebab case.</summary>
    public required IReadOnlyDictionary<string, object> Options { get; init; }
}

/// <summary>The finished run of one attack of a comparison.</summary>
/// <param name="Attack">The attack, as written in the list.</param>
/// <param name="Folder">The name of the folder of the run.</param>
/// <param name="Run">The description of the run.</param>
/// <param name="Images">The result for each image.</param>
/// <param name="Seconds">The duration of the attack in seconds.</param>
internal sealed record ComparedRun(string Attack, string Folder, RunDescription Run, IReadOnlyList<ComparedImage> Images, double Seconds)
{
    /// <summary>Returns the length up to which an image is known to be fooled: at least ε for a budgeted attack, and infinite if the image was not fooled.</summary>
    /// <param name="row">The row of the image.</param>
    public double SmallestLength(int row) => Images[row] is { Fooled: true } image ? Math.Max(image.Length, Run.Epsilon ?? 0) : double.PositiveInfinity;

    /// <summary>Determines whether the attack could not work on an image. An image at the iteration limit of a budgeted attack withstood it.</summary>
    /// <param name="row">The row of the image.</param>
    public bool CouldNotWork(int row) => Images[row].Exit is AttackExit.ZeroGradient or AttackExit.NotFinite or AttackExit.PassLimit || (Images[row].Exit == AttackExit.IterationLimit && Run.Epsilon is null);
}

/// <summary>The result for one image of one run, as a comparison uses it.</summary>
/// <param name="Index">The index of the image in the data set.</param>
/// <param name="Exit">The exit reason.</param>
/// <param name="Length">The length of the perturbation, in the norm and the space of the attack.</param>
/// <param name="Relative">The relative perturbation ‖x′ − x‖_p / ‖x‖_p, in the norm and the space of the attack.</param>
/// <param name="RelativeNormalized">The relative perturbation after the normalisation of the model.</param>
/// <param name="Forwards">The number of forward passes.</param>
/// <param name="Backwards">The number of backward passes.</param>
/// <param name="Underflowed">A value that indicates whether the cross-entropy underflowed and the logit gap replaced it.</param>
internal sealed record ComparedImage(long Index, AttackExit Exit, double Length, double Relative, double RelativeNormalized, long Forwards, long Backwards, bool Underflowed)
{
    /// <summary>Indicates whether the image was attacked.</summary>
    public bool Attacked => Exit is not (AttackExit.Misclassified or AttackExit.Skipped);

    /// <summary>Indicates whether the image was fooled, confirmed by a fresh forward pass.</summary>
    public bool Fooled => Exit == AttackExit.Fooled;

    /// <summary>Converts the result for an image of a run in memory.</summary>
    /// <param name="image">The image.</param>
    /// <param name="norm">The norm of the attack: <c>l2</c>, <c>linf</c> or <c>l1</c>.</param>
    /// <returns>The result as a comparison uses it.</returns>
    public static ComparedImage Of(EvaluatedImage image, string norm)
    {
        ArgumentNullException.ThrowIfNull(image);
        var outcome = image.Outcome;
        return new(image.Index, outcome.Exit, outcome.Length(norm), outcome.Relative, image.RelativeNormalized, outcome.Forwards, outcome.Backwards, outcome.Underflowed);
    }
}
