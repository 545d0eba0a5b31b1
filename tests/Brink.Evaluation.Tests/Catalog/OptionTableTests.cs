using System.Globalization;
using Brink.Evaluation.Catalog;

namespace Brink.Evaluation.Tests.Catalog;

/// <summary>Compares the tables of options in docs/attacks with the attacks that the catalogue creates.</summary>
public sealed class OptionTableTests
{
    private static readonly string Root = SharedFiles.Repository ?? throw new InvalidOperationException("$XunitDynamicSkip$runs in a clone of the repository only");

    // Keys that select the settings of other keys, that have no value by default, and settings of the run.
    private static readonly string[] Shorthands = ["radius", "preset", "epsilon", "effort", "seed"];

    public static TheoryData<string, string[], int> Pages => new()
    {
        { "tr", ["trust-region.md"], 1 },
        { "tr2", ["trust-region.md", "trust-region-second-order.md"], 1 },
        { "deepfool", ["deepfool.md"], 1 },
        { "cw", ["carlini-wagner.md"], 1 },
        { "fgsm", ["fast-gradient.md"], 1 },
        { "ifgsm", ["fast-gradient.md"], 2 },
        { "pgd", ["fast-gradient.md"], 3 },
    };

    [Fact]
    public void Every_attack_has_a_page() =>
        Assert.Equal(AttackCatalog.All.Select(attack => attack.Name).Order(StringComparer.Ordinal), Pages.Select(page => page.Data.Item1).Order(StringComparer.Ordinal), StringComparer.Ordinal);

    [Theory, MemberData(nameof(Pages))]
    public void The_table_has_every_option_with_its_default(string attack, string[] pages, int column)
    {
        var rows = pages.SelectMany(page => Rows(File.ReadAllLines(Path.Combine(Root, "docs", "attacks", page)), column)).ToArray();
        var documented = rows.ToDictionary(row => row.Key, row => row.Default, StringComparer.Ordinal);
        var actual = AttackCatalog.Create(attack).Options;
        // The page of tr2 states in its text how its defaults differ from those of tr.
        string[] different = attack == "tr2" ? ["radius-start", "radius-smallest", "radius-largest", "target", "refine", "refine-candidates", "norm"] : [];
        Assert.Empty(actual.Keys.Except(documented.Keys, StringComparer.Ordinal));
        Assert.Empty(documented.Keys.Except(actual.Keys, StringComparer.Ordinal).Except(Shorthands, StringComparer.Ordinal).Except(different, StringComparer.Ordinal));
        Assert.All(actual.Where(option => !different.Contains(option.Key, StringComparer.Ordinal)), option =>
            Assert.Equal(option.Value is bool flag ? flag ? "true" : "false" : Convert.ToString(option.Value, CultureInfo.InvariantCulture), documented[option.Key]));
    }

    /// <summary>The command prints the summaries of the properties, so that each option is explained once.</summary>
    [Fact]
    public void Every_option_is_explained_by_the_XML_documentation() =>
        Assert.All(AttackCatalog.All.SelectMany(attack => AttackSettings.Explain(attack.Options(new(StringComparer.Ordinal)))), option => Assert.EndsWith(".", option.Value, StringComparison.Ordinal));

    /// <summary>Reads the rows of the table that begins with "| Key |". A row may list several keys and their defaults.</summary>
    private static IEnumerable<(string Key, string Default)> Rows(string[] lines, int column)
    {
        foreach (var line in lines.SkipWhile(line => !line.StartsWith("| Key |", StringComparison.Ordinal)).Skip(2).TakeWhile(line => line.StartsWith('|')))
        {
            var cells = line.Split('|')[1..^1];
            var keys = cells[0].Split(',').Select(key => key.Trim().Split(' ')[0].Trim('`')).ToArray();
            var defaults = cells[column].Split(';')[0].Split(',').Select(value => value.Trim().Trim('`')).ToArray();
            for (var position = 0; position < keys.Length; position++)
            {
                yield return (keys[position], defaults[position]);
            }
        }
    }
}
