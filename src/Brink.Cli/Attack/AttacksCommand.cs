using System.CommandLine;
using System.Globalization;
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
        var name = new Argument<string?>("NAME") { Description = "An attack, whose options are listed. [default: all attacks]", Arity = ArgumentArity.ZeroOrOne };
        var json = new Option<bool>("--json") { Description = "Print the list as JSON instead of a table." };
        var command = new Command("attacks", "List the attacks that --attack accepts, or the options of one attack with their defaults.") { name, json };
        command.SetAction(parsed =>
        {
            var given = parsed.GetValue(name);
            var attacks = given is null ? AttackCatalog.All : [AttackCatalog.All.FirstOrDefault(attack => attack.Name == given) ?? throw new BadInputException($"There is no attack named {Excerpt.Quote(given)}; choose {AttackCatalog.Names}.")];
            if (parsed.GetValue(json))
            {
                output.WriteLine(JsonSerializer.Serialize(attacks.Select(attack => new { attack.Name, attack.Title, attack.Kinds, Norms = attack.NormNames, Options = Options(attack) }), JsonOptions));
            }
            else if (given is null)
            {
                WriteAttacks(output);
            }
            else
            {
                WriteOptions(output, attacks[0]);
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static IEnumerable<AttackOption> Options(AttackDescriptor attack)
    {
        var explanations = AttackSettings.Explain(attack.Options([]));
        return AttackCatalog.Create(attack.Name).Options.Select(option => new AttackOption(option.Key, option.Value, explanations.GetValueOrDefault(option.Key, "")));
    }

    private static void WriteAttacks(TextWriter output)
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
        console.WriteLine("brink attacks NAME lists the options of an attack, which are written in brackets: tr[max-iterations=50].");
    }

    private static void WriteOptions(TextWriter output, AttackDescriptor attack)
    {
        var console = Screen.Create(output);
        var table = new Table().Border(TableBorder.Rounded).AddColumn("option").AddColumn("default").AddColumn("meaning");
        foreach (var option in Options(attack))
        {
            table.AddRow(new Text(option.Name), new Text(option.Default is bool flag ? flag ? "true" : "false" : string.Create(CultureInfo.InvariantCulture, $"{option.Default}")), new Text(option.Meaning));
        }

        console.Write(table);
    }

    /// <summary>An option of an attack, as <c>--json</c> prints it.</summary>
    private sealed record AttackOption(string Name, object Default, string Meaning);
}
