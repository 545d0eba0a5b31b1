using System.Globalization;
using Brink.Cli.Terminal;
using Brink.Evaluation.Transfer;
using Spectre.Console;

namespace Brink.Cli.Transfer;

/// <summary>A transfer matrix as a table of at most 80 columns.</summary>
internal static class TransferTable
{
    /// <summary>Prints the table and the warnings.</summary>
    public static void Write(TextWriter output, TransferMatrix matrix)
    {
        var console = Screen.Create(output);
        console.WriteLine("Images that fooled the attacked model and also fool the model of the column, of those that it classifies correctly before the attack.");
        // Text is not parsed as markup, because paths may contain brackets.
        var table = new Table().Border(TableBorder.Rounded).AddColumn(new TableColumn(new Text("run"))).AddColumn(new TableColumn(new Text("fooled")).RightAligned());
        foreach (var model in matrix.Models)
        {
            table.AddColumn(new TableColumn(new Text(model.Name)).RightAligned());
        }

        foreach (var (run, counts) in matrix.Runs.Zip(matrix.Counts))
        {
            var norm = Norm.Parse(run.Norm).DisplayName;
            string[] cells = [$"{run.Folder}{Environment.NewLine}{Excerpt.Line($"{run.Model}, {run.Attack}, {norm}, {run.Target}")}", $"{run.Fooled}", .. counts.Select(Cell)];
            table.AddRow(cells.Select(cell => new Text(cell)));
        }

        console.Write(table);
        Screen.WriteWarnings(console, matrix.Warnings);
    }

    private static string Cell(TransferCount count) => count.Share is { } share
        ? string.Create(CultureInfo.InvariantCulture, $"{count.Fooled} of {count.RightBefore}{Environment.NewLine}{share * 100:F1} %")
        : $"{count.Fooled} of {count.RightBefore}";
}
