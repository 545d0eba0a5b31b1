namespace Brink.Evaluation.Results;

/// <summary>Several attacks over the same images: what <c>comparison.json</c> holds, property by property.</summary>
public sealed record Comparison
{
    /// <summary>0.999: the share of the attacked images that an attack must fool for its row to stand unmarked (the paper asks that accuracy fall below 0.1 %).</summary>
    public const decimal Bar = 0.999m;

    /// <summary><c>l2</c> or <c>linf</c>.</summary>
    public required string Norm { get; init; }

    /// <summary><c>pixel</c> or <c>normalized</c>.</summary>
    public required string Space { get; init; }

    /// <summary><c>misclassified</c> or <c>target-class</c>.</summary>
    public required string Criterion { get; init; }

    /// <summary>The network.</summary>
    public required string Model { get; init; }

    /// <summary>The data set.</summary>
    public required string Data { get; init; }

    /// <summary>Images attempted.</summary>
    public required int Images { get; init; }

    /// <summary>Images that were not attacked: the network got them wrong to begin with, or they are in the class to reach.</summary>
    public required int NotAttacked { get; init; }

    /// <summary>Images attacked, the same by every attack.</summary>
    public required int Attacked { get; init; }

    /// <summary>Images that every attack fooled.</summary>
    public required int FooledByAll { get; init; }

    /// <summary>One row an attack, in the order of the list.</summary>
    public required IReadOnlyList<ComparedAttack> Attacks { get; init; }

    /// <summary>The seed of random draws.</summary>
    public required long Seed { get; init; }

    /// <summary>The version of Brink.</summary>
    public required string BrinkVersion { get; init; }

    /// <summary>What a reader of these numbers must know.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Puts finished runs beside each other.</summary>
    /// <param name="runs">At least one run, all over the same images, in one norm and space.</param>
    /// <param name="requested">How many attacks were asked for: more than there are runs after a cancellation.</param>
    /// <exception cref="ArgumentException">There is no run, or the runs are of different images.</exception>
    public static Comparison Of(IReadOnlyList<ComparedRun> runs, int requested)
    {
        ArgumentNullException.ThrowIfNull(runs);
        if (runs.Count == 0 || !runs.All(run => run.Images.Select(image => image.Index).SequenceEqual(runs[0].Images.Select(image => image.Index))))
        {
            throw new ArgumentException("A comparison needs at least one run, and all of them over the same images.", nameof(runs));
        }

        var rows = Enumerable.Range(0, runs[0].Images.Count);
        var attacked = rows.Where(row => runs.All(run => run.Images[row].Attacked)).ToArray();
        var common = attacked.Where(row => runs.All(run => run.Images[row].Fooled)).ToArray();
        var baseline = runs.FirstOrDefault(run => run.Run.Attack == "cw");
        var attacks = runs.Select(run => Row(run, attacked, common, baseline)).ToArray();
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
            Attacks = attacks,
            Seed = model.Seed,
            BrinkVersion = AttackSummary.Version,
            Warnings = [.. Warn(attacks, requested, attacked.Length, common.Length), .. runs.SelectMany(run => run.Run.Warnings()).Distinct(StringComparer.Ordinal)],
        };
    }

    private static ComparedAttack Row(ComparedRun run, int[] attacked, int[] common, ComparedRun? baseline)
    {
        var images = run.Images;
        var fooled = attacked.Count(row => images[row].Fooled);
        return new()
        {
            Attack = run.Attack,
            Folder = run.Folder,
            Target = run.Run.Target,
            Fooled = fooled,
            BelowBar = fooled < Bar * attacked.Length,
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
            var all = attacked.Select(row => images[row].Fooled && length(images[row]) is var found && double.IsFinite(found) ? found : double.PositiveInfinity).Order().ToArray();
            var median = all.Length == 0 ? double.PositiveInfinity : Distribution.MedianOf(all);
            return Distribution.Of(common.Select(row => length(images[row]))) with { Median = double.IsFinite(median) ? median : null };
        }
    }

    private static IEnumerable<string> Warn(ComparedAttack[] attacks, int requested, int attacked, int common)
    {
        if (attacks.Length < requested)
        {
            yield return $"Only {attacks.Length} of {requested} attacks were finished; the numbers are of these.";
        }

        if (attacked == 0)
        {
            yield return "No image was attacked: the network gets none right that is not in the class to reach; check that model and data belong together.";
        }
        else if (common < attacked)
        {
            yield return $"{common} of {attacked} attacked images were fooled by every attack; means and worst are over these, medians over all attacked images, with those not fooled counted as infinite.";
        }

        var below = attacks.Where(attack => attack.BelowBar).Select(attack => attack.Attack).ToArray();
        if (below.Length > 0)
        {
            yield return FormattableString.Invariant($"Fooled fewer than {Bar:P1} of the attacked images, marked *: {string.Join(", ", below)}.");
        }
    }
}
