using System.Globalization;
using System.Text.Json.Serialization;
using Brink.Cli.Terminal;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;

namespace Brink.Cli.Reproduce;

/// <summary>A table of the paper with measured values. The properties are those of <c>table1.json</c>.</summary>
internal sealed record ReproducedTable
{
    /// <summary>The name of the table, such as <c>table1</c>.</summary>
    public required string Table { get; init; }

    /// <summary>The title of the table.</summary>
    public required string Title { get; init; }

    /// <summary>All cells of the paper and all finished runs, in the order of the paper.</summary>
    public required IReadOnlyList<ReproducedRow> Rows { get; init; }

    /// <summary>The differences from the paper and other remarks.</summary>
    public required IReadOnlyList<string> Remarks { get; init; }

    /// <summary>The version of Brink.</summary>
    public required string BrinkVersion { get; init; }

    /// <summary>Combines finished runs with the cells of the paper.</summary>
    /// <param name="table">The table.</param>
    /// <param name="runs">The finished runs.</param>
    /// <param name="requested">The number of requested runs, larger than the number of finished runs after a cancellation.</param>
    public static ReproducedTable Of(PaperTable table, IReadOnlyList<ReproducedRun> runs, int requested)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(runs);
        var rows =
            from section in table.Sections
            from network in table.Networks
            from attack in section.Attacks
            let paper = attack.Column is { } column ? section.Figures.GetValueOrDefault((network, column)) : null
            let accuracies = attack.Column is { } row ? section.Accuracies.GetValueOrDefault((network, row)) : null
            let run = runs.FirstOrDefault(run => run.Network == network && run.Section == section && run.Attack == attack)
            where run is not null || paper is not null || accuracies is not null
            select new ReproducedRow
            {
                Norm = section.Norm,
                Network = network.Name,
                Key = attack.Key,
                Attack = attack.Name,
                Specification = attack.Specification,
                Paper = paper,
                Ours = run is null ? null : ReproducedFigures.Of(run.Summary),
                PaperAccuracies = accuracies,
                OurSteps = run?.Steps,
            };
        return new()
        {
            Table = table.Name,
            Title = table.Title,
            Rows = [.. rows],
            Remarks = [.. Remark(table, runs, requested)],
            BrinkVersion = AttackSummary.Version,
        };
    }

    private static IEnumerable<string> Remark(PaperTable table, IReadOnlyList<ReproducedRun> runs, int requested)
    {
        if (runs.Count < requested)
        {
            yield return $"Only {runs.Count} of {requested} runs were finished.";
        }

        yield return table.Steps is not null
            ? "Accuracy in per cent after 1, 2, … steps of length 1 in normalised space, over all images."
            : "Relative perturbation in normalised space, average / worst. The averages are those of the authors: over all images, with misclassified images counted as zero. The next column is the mean over the fooled images.";
        foreach (var network in table.Networks)
        {
            yield return Describe(network, runs.FirstOrDefault(run => run.Network == network && run.Attack.CorrectImages is null)?.Summary);
        }

        if (runs.FirstOrDefault(run => run.Attack.CorrectImages is null)?.Summary is { } whole)
        {
            yield return $"Images: the first {whole.Images} of {Path.GetFileName(Path.TrimEndingDirectorySeparator(whole.Data))}; the paper's are {table.Images}.";
        }

        if (runs.FirstOrDefault(run => run.Steps is not null) is { Steps.Intervals: [.., var last] })
        {
            // The interval is widest at an accuracy of one half.
            var widest = new AccuracyInterval(last.Images / 2, last.Images);
            yield return string.Create(CultureInfo.InvariantCulture, $"The 95 % interval of an accuracy over {last.Images} images is at most {(widest.Upper - widest.Lower) * 100:F1} points wide; the JSON file has the count and the interval of each.");
        }

        foreach (var run in runs.Where(run => run.Attack.CorrectImages is not null))
        {
            yield return $"{run.Attack.Name} on {run.Network.Name}: the first {run.Summary.Images} images, of which {run.Summary.Images - run.Summary.Misclassified} are classified correctly.";
        }

        foreach (var run in runs.Where(run => table.Steps is null && run.Summary.Fooled < Comparison.FooledThreshold * run.Summary.Attacked))
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{run.Attack.Name} on {run.Network.Name}, {run.Section.Norm}, fooled only {run.Summary.Fooled} of {run.Summary.Attacked} attacked images, fewer than {Comparison.FooledThreshold:P1}; its values are over the fooled images only.");
        }

        foreach (var remark in runs.Select(run => run.Attack.Remark).OfType<string>().Distinct(StringComparer.Ordinal))
        {
            yield return remark;
        }
    }

    private static string Describe(PaperNetwork network, AttackSummary? run)
    {
        var paper = network.Accuracy is { } accuracy ? string.Create(CultureInfo.InvariantCulture, $"{network.Name}, {accuracy} % accuracy in the paper") : network.Name;
        return run is { } summary
            ? string.Create(CultureInfo.InvariantCulture, $"{paper}: here the network {summary.Model} with the weights {Path.GetFileName($"{summary.Options["weights"]}")}, accuracy {AccuracyText.Of(summary.AccuracyBeforeInterval)}. {network.Remark}")
            : $"{paper}: not measured; to measure it, add --weights {network.Model}=FILE. {network.Remark}";
    }
}

/// <summary>A row of the table: a cell of the paper and the values measured for it.</summary>
internal sealed record ReproducedRow
{
    /// <summary><c>l2</c> or <c>linf</c>.</summary>
    public required string Norm { get; init; }

    /// <summary>The network, by its name in the paper.</summary>
    public required string Network { get; init; }

    /// <summary>The attack, as in <see cref="PaperAttack.Key"/>.</summary>
    public required string Key { get; init; }

    /// <summary>The name of the attack in the table.</summary>
    public required string Attack { get; init; }

    /// <summary>The attack with all its options.</summary>
    public required string Specification { get; init; }

    /// <summary>The cell of the paper; null if the paper has none.</summary>
    public required PaperFigures? Paper { get; init; }

    /// <summary>The measured values; null if the attack was not run.</summary>
    public required ReproducedFigures? Ours { get; init; }

    /// <summary>The accuracies of the paper after 1, 2, … steps, in per cent; null if the paper has none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<decimal>? PaperAccuracies { get; init; }

    /// <summary>The measured accuracies and costs of the steps; null if the attack was not run or the table counts no steps.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public StepFigures? OurSteps { get; init; }
}

/// <summary>The values measured for a cell. Lengths are relative, in normalised space, in per cent.</summary>
internal sealed record ReproducedFigures
{
    /// <summary>The average of the authors, comparable with the paper: misclassified images count as zero. Images that were attacked and not fooled have no length and are left out. Null if no image was fooled.</summary>
    public required double? Average { get; init; }

    /// <summary>The mean over the fooled images; null if there are none.</summary>
    public required double? MeanOverFooled { get; init; }

    /// <summary>The largest relative perturbation; null if no image was fooled.</summary>
    public required double? Worst { get; init; }

    /// <summary>The number of images of the run.</summary>
    public required int Images { get; init; }

    /// <summary>The number of attacked images.</summary>
    public required int Attacked { get; init; }

    /// <summary>The number of fooled images.</summary>
    public required int Fooled { get; init; }

    /// <summary>The number of forward passes, mean over the attacked images.</summary>
    public required double ForwardsPerImage { get; init; }

    /// <summary>The number of backward passes, mean over the attacked images.</summary>
    public required double BackwardsPerImage { get; init; }

    /// <summary>The time per attacked image, in seconds.</summary>
    public required double SecondsPerImage { get; init; }

    /// <summary>Computes the values from the summary of a run.</summary>
    public static ReproducedFigures Of(AttackSummary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        const int percent = 100;
        var mean = summary.RelativePerturbation.Mean * percent;
        return new()
        {
            Average = mean * summary.Fooled / Math.Max(1, summary.Fooled + summary.Misclassified),
            MeanOverFooled = mean,
            Worst = summary.RelativePerturbation.Worst * percent,
            Images = summary.Images,
            Attacked = summary.Attacked,
            Fooled = summary.Fooled,
            ForwardsPerImage = summary.ForwardsPerImage,
            BackwardsPerImage = summary.BackwardsPerImage,
            SecondsPerImage = summary.SecondsPerImage,
        };
    }
}

/// <summary>The accuracy of a network after each step of an attack, and the cost of the steps.</summary>
internal sealed record StepFigures
{
    /// <summary>The accuracy after 1, 2, … steps, in per cent, over all images including misclassified ones.</summary>
    public IReadOnlyList<double> Accuracies => [.. Intervals.Select(interval => 100 * interval.Share)];

    /// <summary>The counts and the 95 % interval of each accuracy.</summary>
    public required IReadOnlyList<AccuracyInterval> Intervals { get; init; }

    /// <summary>The number of Hessian-vector products per step of an image; 0 for attacks of first order.</summary>
    public required double ProductsPerStep { get; init; }

    /// <summary>The duration of the attack divided by the number of steps of all images, in seconds.</summary>
    public required double SecondsPerStep { get; init; }

    /// <summary>The time for the first 1, 2, … steps, in seconds per image. Fooled images take no further steps.</summary>
    public required IReadOnlyList<double> Seconds { get; init; }

    /// <summary>Computes the values from the result of an attack.</summary>
    /// <param name="result">The result.</param>
    /// <param name="steps">The maximum number of steps of an image.</param>
    public static StepFigures Of(EvaluationResult result, int steps)
    {
        ArgumentNullException.ThrowIfNull(result);
        return Of([.. result.Images.Select(image => image.Outcome).Select(image => (image.Attacked, image.Fooled, (long)image.Iterations, (long)image.Products))], result.Seconds, steps);
    }

    /// <summary>Computes the values from a saved run.</summary>
    /// <param name="run">The saved run.</param>
    /// <param name="steps">The maximum number of steps of an image.</param>
    /// <exception cref="BadInputException">The run cannot be read.</exception>
    public static StepFigures Of(SavedRun run, int steps)
    {
        ArgumentNullException.ThrowIfNull(run);
        return Of([.. run.ReadTable().Select(image => (image.Attacked, image.Fooled, image.Iterations, image.Products))], run.Summary.Seconds, steps);
    }

    private static StepFigures Of((bool Attacked, bool Fooled, long Iterations, long Products)[] images, double seconds, int steps)
    {
        var attacked = images.Where(image => image.Attacked).ToArray();
        var all = Math.Max(1, attacked.Sum(image => image.Iterations));
        double Taken(int step) => attacked.Sum(image => Math.Min(image.Iterations, step));
        return new()
        {
            Intervals = [.. Enumerable.Range(1, steps).Select(step => new AccuracyInterval(attacked.Count(image => !image.Fooled || image.Iterations > step), images.Length))],
            ProductsPerStep = (double)attacked.Sum(image => image.Products) / all,
            SecondsPerStep = seconds / all,
            Seconds = [.. Enumerable.Range(1, steps).Select(step => seconds / all * Taken(step) / Math.Max(1, images.Length))],
        };
    }

    /// <summary>Returns the time until the accuracy is below a value, in seconds per image; null if it never is.</summary>
    /// <param name="target">The accuracy, in per cent.</param>
    public double? SecondsUntilBelow(double target)
    {
        var step = Accuracies.Select((accuracy, number) => (accuracy, number)).FirstOrDefault(pair => pair.accuracy < target, (0, -1)).Item2;
        return step < 0 ? null : Seconds[step];
    }
}

/// <summary>A finished run of one attack of a table on one network.</summary>
/// <param name="Network">The network.</param>
/// <param name="Section">The section of the table.</param>
/// <param name="Attack">The attack.</param>
/// <param name="Summary">The results.</param>
internal sealed record ReproducedRun(PaperNetwork Network, PaperSection Section, PaperAttack Attack, AttackSummary Summary)
{
    /// <summary>The accuracy after each step, for a table that counts steps; otherwise null.</summary>
    public StepFigures? Steps { get; init; }
}
