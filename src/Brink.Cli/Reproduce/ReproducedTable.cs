using System.Globalization;
using Brink.Evaluation.Results;

namespace Brink.Cli.Reproduce;

/// <summary>A table of the paper with one's own figures in it: what <c>table1.json</c> holds, property by property.</summary>
internal sealed record ReproducedTable
{
    /// <summary><c>table1</c>.</summary>
    public required string Table { get; init; }

    /// <summary>What it shows.</summary>
    public required string Title { get; init; }

    /// <summary>Every cell of the paper, and every run, in the order of the paper.</summary>
    public required IReadOnlyList<ReproducedRow> Rows { get; init; }

    /// <summary>What differs from the paper, and what a reader must know.</summary>
    public required IReadOnlyList<string> Remarks { get; init; }

    /// <summary>The version of Brink.</summary>
    public required string BrinkVersion { get; init; }

    /// <summary>Puts runs beside the paper's cells.</summary>
    /// <param name="table">The table.</param>
    /// <param name="runs">What was run of it.</param>
    /// <param name="requested">How many runs were asked for: more than there are after a cancellation.</param>
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
            ? "Accuracy in per cent after so many steps of a whole fixed radius 1 in normalised space; images that were wrong to begin with count as wrong."
            : "Relative perturbation in normalised space, average / worst. Averages are taken as the authors take them: over all images, misclassified ones counted as zero. Beside them the mean over the images that were fooled.";
        foreach (var network in table.Networks)
        {
            yield return Describe(network, runs.FirstOrDefault(run => run.Network == network && run.Attack.CorrectImages is null)?.Summary);
        }

        if (runs.FirstOrDefault(run => run.Attack.CorrectImages is null)?.Summary is { } whole)
        {
            yield return $"Images: the first {whole.Images} of {Path.GetFileName(Path.TrimEndingDirectorySeparator(whole.Data))}; the paper's are {table.Images}.";
        }

        foreach (var run in runs.Where(run => run.Attack.CorrectImages is not null))
        {
            yield return $"{run.Attack.Name} on {run.Network.Name}: the first {run.Summary.Images} images, of which the network gets {run.Summary.Images - run.Summary.Misclassified} right.";
        }

        foreach (var run in runs.Where(run => table.Steps is null && run.Summary.Fooled < Comparison.Bar * run.Summary.Attacked))
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{run.Attack.Name} on {run.Network.Name}, {run.Section.Norm}, fooled only {run.Summary.Fooled} of {run.Summary.Attacked} attacked images, fewer than {Comparison.Bar:P1}: its figures are of those.");
        }

        foreach (var remark in runs.Select(run => run.Attack.Remark).OfType<string>().Distinct(StringComparer.Ordinal))
        {
            yield return remark;
        }
    }

    private static string Describe(PaperNetwork network, AttackSummary? run)
    {
        var paper = network.Accuracy is { } accuracy ? string.Create(CultureInfo.InvariantCulture, $"{network.Name}, {accuracy} % right in the paper") : network.Name;
        return run is { } summary
            ? string.Create(CultureInfo.InvariantCulture, $"{paper}: here {summary.Model} with the weights {Path.GetFileName($"{summary.Options["weights"]}")}, {summary.AccuracyBefore * 100:F2} % right. {network.Remark}")
            : $"{paper}: not run; give weights with --weights {network.Model}=FILE. {network.Remark}";
    }
}
