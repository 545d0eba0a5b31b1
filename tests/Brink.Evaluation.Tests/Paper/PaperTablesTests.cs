using Brink.Evaluation.Paper;
using Brink.Evaluation.Settings;

namespace Brink.Evaluation.Tests.Paper;

public sealed class PaperTablesTests
{
    // Those that count perturbations; Table 5 counts steps.
    private static IEnumerable<PaperTable> OfPerturbations => PaperTables.All.Where(table => table.Steps is null);

    public static TheoryData<string> Specifications => [.. PaperTables.All.SelectMany(table => table.Sections).SelectMany(section => section.Attacks).Select(attack => attack.Specification).Distinct(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Specifications))]
    public void Every_option_is_pinned(string specification)
    {
        var pinned = specification[(specification.IndexOf('[', StringComparison.Ordinal) + 1)..^1].Split(',').Select(pair => pair.Split('=')[0]);
        Assert.Equal(AttackCatalog.Create(specification).Options.Keys.Order(StringComparer.Ordinal), pinned.Order(StringComparer.Ordinal), StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("l2", "best", "0.05")]
    [InlineData("linf", "best", "0.005")]
    [InlineData("l2", "hardest", "0.05")]
    [InlineData("linf", "hardest", "0.005")]
    public void The_authors_rows_are_those_of_the_preset(string norm, string target, string radius)
    {
        var section = PaperTables.Named(target == "best" ? "table1" : "table2").Sections.Single(section => section.Norm == norm);
        void AssertSame(string key, string preset) => Assert.Equal(AttackCatalog.Create(preset).Options, AttackCatalog.Create(section.Attacks.Single(attack => attack.Key == key).Specification).Options);
        AssertSame("tr-fixed", $"tr[preset=authors,norm={norm},target={target},radius={radius}]");
        AssertSame("tr-adaptive", $"tr[preset=authors,norm={norm},target={target}]");
    }

    [Fact]
    public void Every_cell_of_the_paper_has_an_attack_and_every_network_has_every_cell()
    {
        Assert.All(OfPerturbations.SelectMany(table => table.Sections.Select(section => (table, section))), half =>
        {
            var columns = half.section.Figures.Keys.Select(key => key.Column).Distinct(StringComparer.Ordinal).ToArray();
            Assert.Equal(columns.Order(StringComparer.Ordinal), half.section.Attacks.Select(attack => attack.Column).OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal), StringComparer.Ordinal);
            Assert.Equal(half.table.Networks.Count * columns.Length, half.section.Figures.Count);
        });
    }

    [Fact]
    public void The_figures_are_in_the_order_the_paper_tells_of()
    {
        // A slip between columns, rows or tables would break one of these, all of which hold in the paper.
        var sections = OfPerturbations.SelectMany(table => table.Sections.Select(section => (table.Name, section))).ToDictionary(pair => (pair.Name, pair.section.Norm), pair => pair.section.Figures);
        Assert.All(sections.Values.SelectMany(figures => figures), cell => Assert.True(cell.Value.Average > 0 && cell.Value.Average * 2 < cell.Value.Worst, $"{cell}"));
        foreach (var network in PaperTables.All[0].Networks)
        {
            foreach (var ((_, norm), figures) in sections)
            {
                Assert.All(["tr-fixed", "tr-adaptive"], column => Assert.True(figures[(network, column)].Average < figures[(network, "deepfool")].Average, $"{network.Name}, {norm}, {column}"));
            }

            Assert.All(["deepfool", "tr-fixed", "tr-adaptive"], column => Assert.True(sections[("table1", "l2")][(network, column)].Average < sections[("table2", "l2")][(network, column)].Average));
            Assert.True(sections[("table1", "l2")][(network, "cw")].Average <= sections[("table1", "l2")][(network, "tr-adaptive")].Average);
            Assert.True(sections[("table1", "linf")][(network, "fgsm")].Average > sections[("table1", "linf")][(network, "deepfool")].Average);
        }
    }

    [Fact]
    public void Table_5_is_as_printed_the_second_order_better_but_in_the_first_step_of_the_perceptron()
    {
        var table = PaperTables.Named("table5");
        var section = Assert.Single(table.Sections);
        Assert.All(table.Networks, network =>
        {
            var (first, second) = (section.Accuracies[(network, "tr")], section.Accuracies[(network, "tr2")]);
            Assert.Equal((table.Steps, table.Steps), ((int?)first.Count, (int?)second.Count));
            Assert.Equal(first.OrderDescending(), first);
            Assert.Equal(second.OrderDescending(), second);
            Assert.Equal(network.Name == "MLP" ? [1] : Array.Empty<int>(), Enumerable.Range(1, first.Count).Where(step => second[step - 1] > first[step - 1]));
        });
    }

    [Fact]
    public void An_unknown_table_is_refused_with_the_names_of_those_there_are() =>
        Assert.Equal("There is no table named 'table7' to reproduce; choose table1, table2 or table5.", Assert.Throws<BadInputException>(() => PaperTables.Named("table7")).Message);
}
