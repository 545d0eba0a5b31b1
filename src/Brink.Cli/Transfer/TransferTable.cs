using System.Globalization;
using Brink.Evaluation.Transfer;
using Spectre.Console;

namespace Brink.Cli.Transfer;

/// <summary>A transfer matrix for people, within 80 columns.</summary>
internal static class TransferTable
{
    private const int Width = 80;

    public static void Write(TextWriter output, TransferMatrix matrix)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = Math.Min(console.Profile.Width, Width);

        console.WriteLine("How many images that fooled the network they were made for fool another, of those that it gets right before the attack.");
        // Plain text, not markup: paths may hold brackets.
        var table = new Table().Border(TableBorder.Rounded).AddColumn(new TableColumn(new Text("made for"))).AddColumn(new TableColumn(new Text("fooled")).RightAligned());
        foreach (var model in matrix.Models)
        {
            table.AddColumn(new TableColumn(new Text(model.Name)).RightAligned());
        }

        foreach (var (run, counts) in matrix.Runs.Zip(matrix.Counts))
        {
            var norm = Norm.Parse(run.Norm).DisplayName;
            string[] cells = [$"{run.Folder}{Environment.NewLine}{run.Model}, {run.Attack}, {norm}, {run.Target}", $"{run.Fooled}", .. counts.Select(Cell)];
            table.AddRow(cells.Select(cell => new Text(cell)));
        }

        console.Write(table);
        foreach (var warning in matrix.Warnings)
        {
            console.WriteLine($"Note: {warning}");
        }
    }

    private static string Cell(TransferCount count) => count.Share is { } share
        ? string.Create(CultureInfo.InvariantCulture, $"{count.Fooled} of {count.RightBefore}{Environment.NewLine}{share * 100:F1} %")
        : $"{count.Fooled} of {count.RightBefore}";
}
