using System.Globalization;
using System.Text;
using System.Text.Json;
using Brink.Evaluation.Runs;

namespace Brink.Cli.Reproduce;

/// <summary>A reproduced table for people and for programs.</summary>
internal static class ReproducedTableText
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
