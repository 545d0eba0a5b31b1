using System.Globalization;
using System.Text;
using System.Text.Json;
using Brink.Evaluation.Output;

namespace Brink.Evaluation.Paper;

/// <summary>A reproduced table for people and for programs.</summary>
public static class ReproducedTableText
{
    private const string Nothing = "–";

    /// <summary>As JSON.</summary>
    public static string ToJson(ReproducedTable table) => JsonSerializer.Serialize(table, ResultFolder.JsonOptions);

    /// <summary>As Markdown, its columns aligned so that it reads as plain text too.</summary>
    public static string ToMarkdown(ReproducedTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        var text = new StringBuilder();
        foreach (var section in table.Rows.GroupBy(row => row.Norm, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"## {table.Table}: {table.Title}, {(section.Key == "linf" ? "L∞" : "L2")}\n\n");
            if (section.Any(row => row.PaperAccuracies is not null))
            {
                Append(text, StepTableText.Accuracies([.. section]));
                Append(text, StepTableText.Times([.. section]));
            }
            else
            {
                Append(text, [["network", "attack", "paper, %", "ours, %", "over fooled, %", "fooled", "images", "passes"], .. Cells(section)]);
            }
        }

        return text.AppendJoin('\n', table.Remarks.Select(remark => $"- {remark}")).ToString();
    }

    private static void Append(StringBuilder text, string[][] rows)
    {
        // A heading alone is no table.
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
