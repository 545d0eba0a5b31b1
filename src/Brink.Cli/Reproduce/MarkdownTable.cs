using System.Globalization;
using System.Text;

namespace Brink.Cli.Reproduce;

/// <summary>Tables in Markdown, their columns aligned so that they read as plain text too.</summary>
internal static class MarkdownTable
{
    /// <summary>Writes a table and an empty line; nothing where there are only headings.</summary>
    /// <param name="text">Takes it.</param>
    /// <param name="rows">The rows, headings first, all of one length.</param>
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
