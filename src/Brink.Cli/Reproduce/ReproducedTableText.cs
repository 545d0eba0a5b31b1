using System.Globalization;
using System.Text;
using System.Text.Json;
using Brink.Evaluation.Runs;

namespace Brink.Cli.Reproduce;

/// <summary>A reproduced table as Markdown and as JSON.</summary>
internal static class ReproducedTableText
{
    private const string Nothing = "–";

    /// <summary>Returns the table as JSON.</summary>
    public static string ToJson(ReproducedTable table) => JsonSerializer.Serialize(table, ResultFolder.JsonOptions);

    /// <summary>Returns the table as Markdown, followed by the remarks.</summary>
    public static string ToMarkdown(ReproducedTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        var text = new StringBuilder();
        foreach (var section in table.Rows.GroupBy(row => row.Norm, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"## {table.Table}: {table.Title}, {Norm.Parse(section.Key).DisplayName}\n\n");
            if (section.Any(row => row.PaperAccuracies is not null))
            {
                MarkdownTable.Append(text, StepTableText.Accuracies([.. section]));
                MarkdownTable.Append(text, StepTableText.Times([.. section]));
            }
            else
            {
                MarkdownTable.Append(text, [["network", "attack", "paper, %", "ours, %", "over fooled, %", "fooled", "images", "passes"], .. Cells(section)]);
            }
        }

        return text.AppendJoin('\n', table.Remarks.Select(remark => $"- {remark}")).ToString();
    }

    private static IEnumerable<string[]> Cells(IEnumerable<ReproducedRow> rows)
    {
        string? network = null;
        foreach (var row in rows)
        {
            yield return
            [
                row.Network == network ? "" : row.Network,
                row.Attack,
                row.Paper is { } paper ? string.Create(CultureInfo.InvariantCulture, $"{paper.Average} / {paper.Worst}") : Nothing,
                row.Ours is { Average: { } average, Worst: { } worst } ? string.Create(CultureInfo.InvariantCulture, $"{average:F3} / {worst:F2}") : Nothing,
                row.Ours is { MeanOverFooled: { } mean } ? string.Create(CultureInfo.InvariantCulture, $"{mean:F3}") : Nothing,
                row.Ours is { } ours ? $"{ours.Fooled} of {ours.Attacked}" : Nothing,
                row.Ours is { Images: var images } ? $"{images}" : Nothing,
                row.Ours is { } cost ? string.Create(CultureInfo.InvariantCulture, $"{cost.ForwardsPerImage:F1} F + {cost.BackwardsPerImage:F1} B") : Nothing,
            ];
            network = row.Network;
        }
    }
}

/// <summary>The cells of a table that gives the accuracy after each step, and of the table of times.</summary>
internal static class StepTableText
{
    private const string Nothing = "–";

    // In per cent: from an accuracy reached after few steps to one at which hardly any image is left, for both orders.
    private static readonly double[] Targets = [50, 30, 20, 10, 5, 2, 1];

    /// <summary>Returns the accuracies, one row for the paper and one for the measured values of each attack, after a row of headings.</summary>
    public static string[][] Accuracies(IReadOnlyList<ReproducedRow> rows)
    {
        var steps = rows.Max(row => row.PaperAccuracies?.Count ?? 0);
        var cells = new List<string[]> { (string[])["network", "attack", "", .. Enumerable.Range(1, steps).Select(Text), "products per step", "ms per step", "× first"] };
        foreach (var row in rows)
        {
            if (row.PaperAccuracies is { } paper)
            {
                cells.Add([row.Network, row.Attack, "paper", .. paper.Select(accuracy => Text(accuracy)), Nothing, Nothing, Nothing]);
            }

            if (row.OurSteps is { } ours)
            {
                var first = rows.FirstOrDefault(other => other.Network == row.Network)?.OurSteps?.SecondsPerStep;
                cells.Add([row.Network, row.Attack, "ours", .. ours.Accuracies.Select(accuracy => Text(accuracy)), Text(ours.ProductsPerStep), Text(ours.SecondsPerStep * 1000), first is { } one ? Text(ours.SecondsPerStep / one) : Nothing]);
            }
        }

        return [.. cells];
    }

    /// <summary>Returns the times until the accuracy is below given values, in milliseconds per image, after a row of headings. Attacks that were not run are left out.</summary>
    public static string[][] Times(IReadOnlyList<ReproducedRow> rows)
    {
        var cells = rows.Where(row => row.OurSteps is not null).Select(row => (string[])
        [
            row.Network,
            row.Attack,
            .. Targets.Select(target => row.OurSteps!.SecondsUntilBelow(target) is { } seconds ? Text(seconds * 1000) : Nothing),
        ]);
        return [["network", "ms per image until accuracy is below", .. Targets.Select(target => $"{Text(target)} %")], .. cells];
    }

    private static string Text(IFormattable number) => number.ToString("0.##", CultureInfo.InvariantCulture);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Tables in Markdown with aligned columns, readable as plain text.</summary>
internal static class MarkdownTable
{
    /// <summary>Appends a table and an empty line; appends nothing if there are no rows besides the headings.</summary>
    /// <param name="text">The text to append to.</param>
    /// <param name="rows">The row of headings and the rows of the table, all with the same number of cells.</param>
    public static void Append(StringBuilder text, string[][] rows)
    {
        if (rows.Length < 2)
        {
            return;
        }

        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        for (var row = 0; row < rows.Length; row++)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", rows[row].Zip(widths, (cell, width) => cell.PadRight(width)))} |\n");
            if (row == 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"|{string.Join('|', widths.Select(width => new string('-', width + 2)))}|\n");
            }
        }

        text.Append('\n');
    }
}
