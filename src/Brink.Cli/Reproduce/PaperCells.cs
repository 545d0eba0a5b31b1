using System.Globalization;

namespace Brink.Cli.Reproduce;

/// <summary>Cells of the paper, written as the paper prints them.</summary>
internal static class PaperCells
{
    /// <summary>Reads cells: the first line names the columns, and each line below holds average/worst of a network.</summary>
    /// <param name="networks">The networks, in the order of the lines.</param>
    /// <param name="cells">The lines.</param>
    public static Dictionary<(PaperNetwork Network, string Column), PaperFigures> Read(IReadOnlyList<PaperNetwork> networks, string cells)
    {
        var lines = cells.Split('\n', StringSplitOptions.TrimEntries).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToArray();
        return networks.Zip(lines.Skip(1), (network, line) => lines[0].Zip(line, (column, cell) => KeyValuePair.Create((network, column), Parse(cell))))
            .SelectMany(row => row)
            .ToDictionary();
    }

    private static PaperFigures Parse(string cell) => cell.Split('/') is [var average, var worst]
        ? new(decimal.Parse(average, CultureInfo.InvariantCulture), decimal.Parse(worst, CultureInfo.InvariantCulture))
        : throw new FormatException($"A cell is written average/worst, but is '{cell}'.");
}
