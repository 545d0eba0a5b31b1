using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Brink.Cli.Terminal;
using Brink.Models;
using Spectre.Console;

namespace Brink.Cli.Models;

/// <summary><c>brink models</c>: lists the networks of the catalogue.</summary>
internal static class ModelsCommand
{
    private static readonly JsonSerializerOptions JsonOptions = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true };

    public static Command Create(TextWriter output)
    {
        var json = new Option<bool>("--json") { Description = "Print the list as JSON instead of a table." };
        var command = new Command("models", "List the networks that --model accepts by name, with their size, input, preprocessing and source of weights.") { json };
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
        ModelCatalog.Models.Select(network => new
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
        var console = Screen.Create(output);
        var table = new Table().Border(TableBorder.Rounded)
            .AddColumn("network")
            .AddColumn(new TableColumn("parameters").RightAligned())
            .AddColumn("input → classes")
            .AddColumn("source of weights");
        foreach (var network in ModelCatalog.Models)
        {
            // Text is not parsed as markup.
            table.AddRow(
                new Text(network.Name),
                new Text(network.ParameterCount.ToString("N0", CultureInfo.InvariantCulture)),
                new Text($"{string.Join('×', network.InputShape)} → {network.ClassCount}"),
                new Text(network.WeightsSource));
        }

        console.Write(table);
        console.WriteLine("Files ending in .pth are published by torchvision at https://download.pytorch.org/models/. The other sources and the supported tensor names are listed in docs/models.md.");
        console.WriteLine("Default preprocessing, which --mean and --std replace:");
        foreach (var group in ModelCatalog.Models.GroupBy(network => (Mean: List(network.Normalization.Mean), Deviation: List(network.Normalization.StandardDeviation))))
        {
            console.WriteLine($"  mean {group.Key.Mean}, std {group.Key.Deviation}: {string.Join(", ", group.Select(network => network.Name))}");
        }
    }

    private static string List(IEnumerable<double> numbers) => string.Join(',', numbers.Select(number => number.ToString(CultureInfo.InvariantCulture)));
}
