using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Brink.Cli.Terminal;
using Brink.Models;
using Spectre.Console;

namespace Brink.Cli.Models;

/// <summary><c>brink models</c>: the networks that have a name.</summary>
internal static class ModelsCommand
{
    private const int Width = 80;
    private static readonly JsonSerializerOptions JsonOptions = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true };

    public static Command Create(TextWriter output)
    {
        var json = new Option<bool>("--json") { Description = "Print the list as JSON, and nothing else." };
        var command = new Command("models", "List the networks that --model knows by name: their size, input, preprocessing, and where weights for them come from.") { json };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(json))
            {
                output.WriteLine(ToJson());
            }
            else
            {
                WriteTable(output);
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static string ToJson() => JsonSerializer.Serialize(
        ModelCatalog.Networks.Select(network => new
        {
            network.Name,
            Parameters = network.ParameterCount,
            Input = network.InputShape,
            Classes = network.ClassCount,
            network.Normalization.Mean,
            Std = network.Normalization.StandardDeviation,
            Weights = network.WeightsSource,
        }),
        JsonOptions);

    private static void WriteTable(TextWriter output)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = Math.Min(console.Profile.Width, Width);
        var table = new Table().Border(TableBorder.Rounded)
            .AddColumn("network")
            .AddColumn(new TableColumn("parameters").RightAligned())
            .AddColumn("input → classes")
            .AddColumn("weights from");
        foreach (var network in ModelCatalog.Networks)
        {
            // Plain text, not markup.
            table.AddRow(
                new Text(network.Name),
                new Text(network.ParameterCount.ToString("N0", CultureInfo.InvariantCulture)),
                new Text($"{string.Join('×', network.InputShape)} → {network.ClassCount}"),
                new Text(network.WeightsSource));
        }

        console.Write(table);
        console.WriteLine("Files ending in .pth are torchvision's, at https://download.pytorch.org/models/; the other sources, and whose names tensors have, are in docs/models.md.");
        console.WriteLine("Preprocessing, unless --mean and --std say otherwise:");
        foreach (var group in ModelCatalog.Networks.GroupBy(network => (Mean: List(network.Normalization.Mean), Deviation: List(network.Normalization.StandardDeviation))))
        {
            console.WriteLine($"  mean {group.Key.Mean}, std {group.Key.Deviation}: {string.Join(", ", group.Select(network => network.Name))}");
        }
    }

    private static string List(IEnumerable<double> numbers) => string.Join(',', numbers.Select(number => number.ToString(CultureInfo.InvariantCulture)));
}
