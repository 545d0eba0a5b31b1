using System.Globalization;
using Brink.Cli.Inputs;
using Brink.Cli.Terminal;
using Brink.Evaluation.Results;
using Spectre.Console;

namespace Brink.Cli.Compare;

/// <summary>The results of a comparison as a table of at most 80 columns.</summary>
internal static class ComparisonTable
{
    /// <summary>Prints the table and the warnings.</summary>
    public static void Write(TextWriter output, Comparison comparison)
    {
        var console = Screen.Create(output);
        var norm = Norm.Parse(comparison.Norm).DisplayName;
        console.WriteLine($"{comparison.Model}, {comparison.Data}: {comparison.Images} images, {comparison.Attacked} attacked, {comparison.FooledByAll} fooled by every {comparison.ComparedKind}attack");
        console.WriteLine($"relative {norm} perturbation in %, {InputSpaces.Units(comparison.Space)}; passes and time per image");

        var timed = comparison.Attacks.Any(attack => attack.SpeedUpOverCw is not null);
        var table = new Table().Border(TableBorder.Rounded);
        table.AddColumn("attack");
        foreach (var header in new[] { "fooled", "mean", "median", "worst", "LO", "passes", timed ? $"time{Environment.NewLine}× cw" : "time" })
        {
            table.AddColumn(new TableColumn(header).RightAligned().NoWrap());
        }

        foreach (var attack in comparison.Attacks)
        {
            var lengths = attack.RelativePerturbation;
            string[] cells =
            [
                attack.Attack,
                $"{attack.Fooled}{(attack.BelowThreshold ? "*" : "")}",
                Percent(lengths.Mean, "–"),
                Percent(lengths.Median, comparison.Attacked > 0 && attack.Epsilon is null ? "∞" : "–"),
                Percent(lengths.Worst, "–"),
                Optimality(attack.LocalOptimality),
                $"{Passes(attack.ForwardsPerImage)} F{Environment.NewLine}{Passes(attack.BackwardsPerImage)} B",
                // Beside LO, another column would leave no room for the attack.
                $"{Time(attack.SecondsPerImage)}{(timed ? $"{Environment.NewLine}{Factor(attack.SpeedUpOverCw!.Value)}" : "")}",
            ];
            // Text is not parsed as markup, because options are written in brackets.
            table.AddRow(cells.Select(cell => new Text(cell)));
        }

        console.Write(table);
        if (comparison.Envelope is { } envelope)
        {
            WriteEnvelope(console, comparison, envelope);
        }

        if (comparison.WorstCase is { } worst)
        {
            console.WriteLine("worst case over these attacks, image by image: the result to report");
            console.Write(WorstCaseTable(comparison, worst, norm));
        }

        Screen.WriteWarnings(console, comparison.Warnings);
    }

    /// <summary>Writes the attacks of envelope files, and what the local optimality is relative to.</summary>
    private static void WriteEnvelope(IAnsiConsole console, Comparison comparison, Envelope envelope)
    {
        if (envelope.Files.Count > 0)
        {
            console.WriteLine("attacks of envelope files, with the passes that these state");
            var table = new Table().Border(TableBorder.Rounded).AddColumns("attack", "file");
            table.AddColumn(new TableColumn("LO").RightAligned().NoWrap());
            table.AddColumn(new TableColumn("passes").RightAligned().NoWrap());
            foreach (var attack in envelope.Files)
            {
                table.AddRow(new Text(attack.Attack), new Text(attack.File), new Text(Optimality(attack.LocalOptimality)), new Text($"{Passes(attack.ForwardsPerImage)} F, {Passes(attack.BackwardsPerImage)} B"));
            }

            console.Write(table);
        }

        var names = string.Join(", ", comparison.Attacks.Select(attack => attack.Attack));
        var files = envelope.Files.GroupBy(attack => attack.File, StringComparer.Ordinal).Select(file => $", and {string.Join(", ", file.Select(attack => attack.Attack))} of {file.Key}");
        var leftOut = envelope.LeftOut > 0 ? string.Create(CultureInfo.InvariantCulture, $"; {envelope.LeftOut} that no attack fooled are left out") : "";
        console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"LO (local optimality): 1 is the smallest length of each image that any of these found: {names}{string.Concat(files)}. It is over {envelope.Images} images{leftOut}."));
        console.WriteLine();
    }

    private static Table WorstCaseTable(Comparison comparison, WorstCase worst, string norm)
    {
        var table = new Table().Border(TableBorder.Rounded).HideHeaders().AddColumns("", "");
        void Row(string name, string value) => table.AddRow(new Text(name), new Text(value));

        Row("accuracy before", AccuracyText.Of(worst.AccuracyBeforeInterval));
        Row("accuracy after", AccuracyText.Of(worst.AccuracyAfterInterval));
        if (worst.Unattacked.Total > 0)
        {
            Row("unattacked", $"{worst.Unattacked.Total} of {comparison.Attacked}: {worst.Unattacked.Counts}");
        }

        if (comparison.Attacks.Any(attack => attack.Epsilon is null))
        {
            Row($"median {norm} length", worst.MedianLength is { } median ? median.ToString("G3", CultureInfo.InvariantCulture) : comparison.Attacked > 0 ? "∞" : "–");
        }

        foreach (var entry in worst.RobustAccuracy)
        {
            var without = comparison.Attacks.Select(attack => attack.Attack).Except(entry.Attacks, StringComparer.Ordinal).ToArray();
            Row(AccuracyText.Within(norm, entry.Epsilon), $"{AccuracyText.Of(entry.Interval, isBound: true)}{(without.Length > 0 ? $"{Environment.NewLine}without {string.Join(", ", without)}" : "")}");
        }

        return table;
    }

    private static string Percent(double? share, string otherwise) => share is { } known ? (known * 100).ToString("G3", CultureInfo.InvariantCulture) : otherwise;

    private static string Optimality(double? value) => value is { } known ? known.ToString("F3", CultureInfo.InvariantCulture) : "–";

    private static string Passes(double passes) => passes.ToString(passes < 1000 ? "F1" : "F0", CultureInfo.InvariantCulture);

    private static string Time(double seconds) => seconds switch
    {
        < 1e-3 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e3:F2} ms"),
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e3:F1} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds:F1} s"),
    };

    private static string Factor(double factor) => factor.ToString(factor < 10 ? "F1" : "F0", CultureInfo.InvariantCulture);
}
