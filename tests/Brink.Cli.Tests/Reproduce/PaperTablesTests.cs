using System.Globalization;
using Brink.Cli.Reproduce;
using Brink.Evaluation.Catalog;
using Brink.Models;

namespace Brink.Cli.Tests.Reproduce;

public sealed class PaperTablesTests
{
    // The tables of perturbations; Table 5 gives the accuracy after each step.
    private static IEnumerable<PaperTable> OfPerturbations => PaperTables.All.Where(table => table.Steps is null);

    public static TheoryData<string> Specifications => [.. PaperTables.All.SelectMany(table => table.Sections).SelectMany(section => section.Attacks).Select(attack => attack.Specification).Distinct(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Specifications))]
    public void Every_option_is_set_explicitly(string specification)
    {
        var pinned = specification[(specification.IndexOf('[', StringComparison.Ordinal) + 1)..^1].Split(',').Select(pair => pair.Split('=')[0]);
        Assert.Equal(AttackCatalog.Create(specification).Options.Keys.Order(StringComparer.Ordinal), pinned.Order(StringComparer.Ordinal), StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("table1", "l2", "best", "0.05", 1000)]
    [InlineData("table1", "linf", "best", "0.005", 1000)]
    [InlineData("table2", "l2", "hardest", "0.05", 1000)]
    [InlineData("table2", "linf", "hardest", "0.005", 1000)]
    [InlineData("table3", "l2", "best", "0.005", 5000)]
    [InlineData("table3", "linf", "best", "0.0001", 5000)]
    [InlineData("table4", "l2", "hardest", "0.005", 5000)]
    [InlineData("table4", "linf", "hardest", "0.0001", 5000)]
    public void The_rows_of_the_authors_program_equal_the_preset_authors(string table, string norm, string target, string radius, int iterations)
    {
        var section = PaperTables.Named(table).Sections.Single(section => section.Norm == norm);
        void AssertSame(string key, string preset) => Assert.Equal(AttackCatalog.Create(preset).Options, AttackCatalog.Create(section.Attacks.Single(attack => attack.Key == key).Specification).Options);
        AssertSame("tr-fixed", string.Create(CultureInfo.InvariantCulture, $"tr[preset=authors,norm={norm},target={target},max-iterations={iterations},radius={radius}]"));
        AssertSame("tr-adaptive", string.Create(CultureInfo.InvariantCulture, $"tr[preset=authors,norm={norm},target={target},max-iterations={iterations},radius-start={radius}]"));
    }

    [Fact]
    public void The_rows_of_the_paper_preset_equal_the_preset_paper()
    {
        var rows = PaperTables.All.SelectMany(table => table.Sections).SelectMany(section => section.Attacks.Where(attack => attack.Key == "tr-paper").Select(attack => (section.Norm, attack.Specification))).ToArray();
        Assert.NotEmpty(rows);
        Assert.All(rows, row =>
        {
            var options = AttackCatalog.Create(row.Specification).Options;
            Assert.Equal(AttackCatalog.Create($"tr[preset=paper,norm={row.Norm},target={options["target"]}]").Options, options);
        });
    }

    [Fact]
    public void Every_attack_has_nine_candidates_and_the_norm_of_its_section() =>
        Assert.All(OfPerturbations.SelectMany(table => table.Sections).SelectMany(section => section.Attacks.Select(attack => (section.Norm, AttackCatalog.Create(attack.Specification)))), pair =>
        {
            Assert.Equal("9", $"{pair.Item2.Options["candidates"]}");
            Assert.Equal(pair.Norm, pair.Item2.Attack.Norm.Name);
        });

    [Fact]
    public void Every_network_of_the_paper_is_replaced_by_one_for_the_same_data_set() =>
        Assert.All(PaperTables.All.SelectMany(table => table.Networks.Select(network => (table.Data, network.Model))), pair =>
            Assert.Equal(pair.Data == PaperData.ImageNet ? 1000 : 10, ModelCatalog.Models.Single(network => network.Name == pair.Model).ClassCount));

    [Theory]
    [InlineData("table1", "cifar10", true)]
    [InlineData("table1", "cifar10:some.bin", true)]
    [InlineData("table1", "cifar100", false)]
    [InlineData("table1", "imagenet:folder", false)]
    [InlineData("table3", "imagenet:folder", true)]
    [InlineData("table4", "cifar10", false)]
    public void A_table_accepts_images_of_its_data_set_only(string table, string data, bool taken) => Assert.Equal(taken, PaperTables.Named(table).Data.Is(data));

    [Fact]
    public void Every_column_of_the_paper_has_an_attack_and_every_network_has_all_cells()
    {
        Assert.All(OfPerturbations.SelectMany(table => table.Sections.Select(section => (table, section))), half =>
        {
            var columns = half.section.Figures.Keys.Select(key => key.Column).Distinct(StringComparer.Ordinal).ToArray();
            Assert.Equal(columns.Order(StringComparer.Ordinal), half.section.Attacks.Select(attack => attack.Column).OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal), StringComparer.Ordinal);
            Assert.Equal(half.table.Networks.Count * columns.Length, half.section.Figures.Count);
        });
    }

    [Fact]
    public void The_values_satisfy_the_inequalities_that_hold_in_the_paper()
    {
        // Exchanged columns, rows or tables would violate one of these inequalities, all of which hold in the paper.
        foreach (var (best, hardest) in new[] { ("table1", "table2"), ("table3", "table4") })
        {
            var sections = new[] { best, hardest }.SelectMany(name => PaperTables.Named(name).Sections.Select(section => (name, section))).ToDictionary(pair => (pair.name, pair.section.Norm), pair => pair.section.Figures);
            Assert.All(sections.Values.SelectMany(figures => figures), cell => Assert.True(cell.Value.Average > 0 && cell.Value.Average * 2 < cell.Value.Worst, $"{cell}"));
            foreach (var network in PaperTables.Named(best).Networks)
            {
                foreach (var ((_, norm), figures) in sections)
                {
                    Assert.All(["tr-fixed", "tr-adaptive"], column => Assert.True(figures[(network, column)].Average < figures[(network, "deepfool")].Average, $"{network.Name}, {norm}, {column}"));
                }

                Assert.All(["deepfool", "tr-fixed", "tr-adaptive"], column =>
                {
                    Assert.All(["l2", "linf"], norm => Assert.True(sections[(best, norm)][(network, column)].Average < sections[(hardest, norm)][(network, column)].Average));
                    Assert.All([best, hardest], table => Assert.True(sections[(table, "linf")][(network, column)].Average < sections[(table, "l2")][(network, column)].Average));
                });
                Assert.True(sections[(best, "linf")][(network, "fgsm")].Average > sections[(best, "linf")][(network, "deepfool")].Average);
            }
        }
    }

    [Fact]
    public void Carlini_Wagner_is_closest_on_average_on_CIFAR_10_and_on_ImageNet_only_in_the_worst_case()
    {
        static IEnumerable<(PaperFigures CarliniWagner, PaperFigures Adaptive, PaperFigures DeepFool)> Cells(string table)
        {
            var figures = PaperTables.Named(table).Sections.Single(section => section.Norm == "l2").Figures;
            return PaperTables.Named(table).Networks.Select(network => (figures[(network, "cw")], figures[(network, "tr-adaptive")], figures[(network, "deepfool")]));
        }

        Assert.All(Cells("table1"), cells => Assert.True(cells.CarliniWagner.Average <= cells.Adaptive.Average));
        Assert.All(Cells("table3"), cells => Assert.True(cells.CarliniWagner.Average > cells.DeepFool.Average && cells.CarliniWagner.Worst < cells.Adaptive.Worst));
    }

    [Fact]
    public void On_ImageNet_the_adaptive_radius_is_never_better_than_the_fixed_one() =>
        Assert.All(new[] { "table3", "table4" }.Select(PaperTables.Named), table => Assert.All(table.Sections, section => Assert.All(table.Networks, network =>
        {
            var (constant, adaptive) = (section.Figures[(network, "tr-fixed")], section.Figures[(network, "tr-adaptive")]);
            Assert.True(constant.Average <= adaptive.Average && constant.Worst <= adaptive.Worst, $"{table.Name}, {section.Norm}, {network.Name}");
        })));

    [Fact]
    public void In_Table_5_the_second_order_is_better_except_in_the_first_step_of_the_perceptron()
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
    public void An_unknown_table_is_refused_with_the_list_of_names() =>
        Assert.Equal("There is no table named 'table7' to reproduce; choose table1, table2, table3, table4, table5 or figure4.", Assert.Throws<BadInputException>(() => PaperTables.Named("table7")).Message);
}
