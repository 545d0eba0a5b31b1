using Brink.Cli.Compare;
using Brink.Evaluation.Results;

namespace Brink.Cli.Tests.Compare;

public sealed class ComparisonTableTests
{
    private const int Columns = 80;

    [Fact]
    public void The_widest_numbers_fit_in_80_columns()
    {
        var table = Write(
            Attack("tr", 10_000, new(0.00661, 0.00612, 0.0397), passes: 17.2, seconds: 0.0215, speedUp: 846.4),
            Attack("cw[max-iterations=1000,binary-search-steps=9]", 10_000, new(0.00621, 0.00582, 0.0312), passes: 9001, seconds: 18.2, speedUp: 1),
            Attack("ifgsm", 9_876, new(0.0123, null, 0.123), passes: 123.4, seconds: 0.1234, speedUp: 12345.6));
        Assert.All(table, line => Assert.InRange(line.Length, 0, Columns));
        Assert.Contains(table, line => Cells(line) is ["tr", "10000", "0.661", "0.612", "3.97", "0.987", "17.2 F", "21.5 ms"]);
        Assert.Contains(table, line => Cells(line) is [_, "10000", "0.621", "0.582", "3.12", "0.987", "9001 F", "18.2 s"]);
        Assert.Contains(table, line => Cells(line) is ["ifgsm", "9876*", "1.23", "∞", "12.3", "0.987", "123.4 F", "123.4 ms"]);
        // The second line of a row has the backward passes and the factor.
        Assert.All(["846", "1.0", "12346"], factor => Assert.Single(table, line => Cells(line) is [.., var last] && last == factor));
    }

    [Fact]
    public void The_CW_column_is_missing_without_CW()
    {
        var table = Write(Attack("tr[radius=0.05]", 10_000, new(0.01, 0.01, 0.01), passes: 10, seconds: 1, speedUp: null));
        Assert.DoesNotContain(table, line => line.Contains("cw", StringComparison.Ordinal));
        Assert.Contains(table, line => Cells(line) is ["tr[radius=0.05]", "10000", "1", "1", "1", "0.987", "10.0 F", "1.0 s"]);
    }

    [Fact]
    public void The_sentence_below_the_table_names_the_attacks_the_files_and_the_images()
    {
        var files = new EnvelopeRow[] { new("fab-100", "linf/envelope.json", 9_000, 202, 900, 0.9764), new("fmn-1000", "linf/envelope.json", 9_000, 1001, 1000, null) };
        var table = Write(new Envelope(9_990, 10, 0.25, files), Attack("tr", 10_000, new(0.01, 0.01, 0.01), passes: 10, seconds: 1, speedUp: null));
        Assert.All(table, line => Assert.InRange(line.Length, 0, Columns));
        Assert.Contains(table, line => Cells(line) is ["fab-100", "linf/envelope.json", "0.976", "202.0 F, 900.0 B"]);
        Assert.Contains(table, line => Cells(line) is ["fmn-1000", "linf/envelope.json", "–", "1001 F, 1000 B"]);
        Assert.Contains(
            "1 is the smallest length of each image that any of these found: tr, and fab-100, fmn-1000 of linf/envelope.json. It is over 9990 images; 10 that no attack fooled are left out.",
            string.Join(' ', table.Select(line => line.Trim())),
            StringComparison.Ordinal);
    }

    private static string[] Cells(string line) => line.Split('│', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static string[] Write(params ComparedAttack[] attacks) => Write(null, attacks);

    private static string[] Write(Envelope? envelope, params ComparedAttack[] attacks)
    {
        using var output = new StringWriter();
        ComparisonTable.Write(output, new()
        {
            Norm = "l2",
            Space = "normalized",
            Criterion = "misclassified",
            Model = "resnet20",
            Data = "cifar10:test_batch.bin",
            Images = 10_000,
            NotAttacked = 0,
            Attacked = 10_000,
            FooledByAll = 9_876,
            Envelope = envelope,
            Attacks = attacks,
            Seed = 0,
            BrinkVersion = AttackSummary.Version,
            Warnings = [],
        });
        return output.ToString().Split(Environment.NewLine);
    }

    private static ComparedAttack Attack(string name, int fooled, Distribution lengths, double passes, double seconds, double? speedUp) => new()
    {
        Attack = name,
        Folder = name,
        Target = "best",
        Fooled = fooled,
        BelowThreshold = fooled < 9_990,
        RelativePerturbation = lengths,
        RelativePerturbationNormalized = lengths,
        LocalOptimality = 0.98666,
        ForwardsPerImage = passes,
        BackwardsPerImage = passes,
        Seconds = 10_000 * seconds,
        SecondsPerImage = seconds,
        SpeedUpOverCw = speedUp,
        Options = new Dictionary<string, object>(StringComparer.Ordinal),
    };
}
