using System.Text.Json;
using Brink.Evaluation.Catalog;

namespace Brink.Cli.Tests.Attack;

public sealed class AttacksTests
{
    [Fact]
    public void The_table_lists_every_attack_within_80_columns()
    {
        var lines = Invocation.Of("attacks").AssertDone().Output.Split(Environment.NewLine);
        Assert.All(AttackCatalog.All, attack => Assert.Single(lines, line => line.StartsWith($"│ {attack.Name} ", StringComparison.Ordinal)));
        Assert.All(lines, line => Assert.InRange(line.Length, 0, 80));
        Assert.Contains(string.Join(", ", AttackCatalog.All.SkipLast(1).Select(attack => attack.Name)), Invocation.Of("attack", "--help").AssertDone().Output.ReplaceLineEndings(" "), StringComparison.Ordinal);
    }

    [Fact]
    public void The_options_of_an_attack_are_listed_with_defaults_and_meanings()
    {
        var output = Invocation.Of("attacks", "tr").AssertDone().Output;
        Assert.All(AttackCatalog.Create("tr").Options.Keys, key => Assert.Contains(key, output, StringComparison.Ordinal));
        Assert.Contains("0.02", output, StringComparison.Ordinal);
        Assert.All(output.Split(Environment.NewLine), line => Assert.InRange(line.Length, 0, 80));
        Assert.Contains("There is no attack named 'trr'; choose tr, tr2", Invocation.Of("attacks", "trr").AssertRefused(), StringComparison.Ordinal);
    }

    [Fact]
    public void Json_contains_the_catalogue()
    {
        using var json = JsonDocument.Parse(Invocation.Of("attacks", "--json").AssertDone().Output);
        Assert.Equal(AttackCatalog.All.Select(attack => attack.Name), json.RootElement.EnumerateArray().Select(attack => attack.GetProperty("name").GetString()!), StringComparer.Ordinal);
        foreach (var attack in json.RootElement.EnumerateArray())
        {
            var options = attack.GetProperty("options").EnumerateArray().ToArray();
            Assert.Equal(AttackCatalog.Create(attack.GetProperty("name").GetString()!).Options.Keys, options.Select(option => option.GetProperty("name").GetString()!), StringComparer.Ordinal);
        }
    }
}
