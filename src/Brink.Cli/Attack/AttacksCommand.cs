using System.CommandLine;
using System.Text.Json;
using Brink.Cli.Terminal;
using Brink.Evaluation.Catalog;
using Spectre.Console;

namespace Brink.Cli.Attack;

/// <summary><c>brink attacks</c>: lists the attacks of the catalogue and their options.</summary>
internal static class AttacksCommand
{
    private static readonly JsonSerializerOptions JsonOptions = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create(TextWriter output)
    {
        var json = new Option<bool>("--json") { Description = "Print the list as JSON instead of a table." };
        var command = new Command("attacks", "List the attacks that --attack accepts, with their norms and the defaults of their options.") { json };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(json))
            {
                output.WriteLine(JsonSerializer.Serialize(AttackCatalog.All.Select(attack => new { attack.Name, attack.Title, Kinds = attack.Kinds, Norms = attack.NormNames, Options = Defaults(attack) }), JsonOptions));
            }
            else
            {
                WriteTable(output);
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static IReadOnlyDictionary<string, object> Defaults(AttackDescriptor attack) => AttackCatalog.Create(attack.Name).Options;

    private static void WriteTable(TextWriter output)
    {
        var console = Screen.Create(output);
        var table = new Table().Border(TableBorder.Rounded).AddColumn("attack").AddColumn("title").AddColumn("norms").AddColumn("searches for");
        foreach (var attack in AttackCatalog.All)
        {
            table.AddRow(
                new Text(attack.Name),
                new Text(attack.Title),
                new Text(string.Join(", ", attack.NormNames.Select(norm => Norm.Parse(norm).DisplayName))),
                new Text(attack.Kinds.Count == 1 ? "the smallest perturbation" : "the smallest perturbation, or one up to --epsilon"));
        }

        console.Write(table);
        console.WriteLine("The options in brackets, tr[max-iterations=50], and their defaults:");
        foreach (var attack in AttackCatalog.All)
        {
            console.WriteLine();
            console.WriteLine($"{attack.Name}: {string.Join(", ", Defaults(attack).Select(option => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{option.Key}={(option.Value is bool flag ? flag ? "true" : "false" : option.Value)}")))}");
        }
    }
}
