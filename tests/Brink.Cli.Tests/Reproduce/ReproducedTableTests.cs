using System.Globalization;
using System.Text.Json;
using Brink.Attacks;
using Brink.Cli.Reproduce;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Results;
using static TorchSharp.torch;

namespace Brink.Cli.Tests.Reproduce;

public sealed class ReproducedTableTests
{
    private static readonly PaperTable Table = PaperTables.Named("table1");
    private static readonly PaperNetwork Network = Table.Networks.Single(network => network.Model == "resnet20");
    private static readonly PaperSection Section = Table.Sections.Single(section => section.Norm == "l2");

    [Fact]
    public void The_average_counts_misclassified_images_as_zero_and_the_mean_leaves_them_out()
    {
        var figures = ReproducedFigures.Of(Summary(fooled: [0.01, 0.03], misclassified: 3));
        Assert.Equal(0.8, figures.Average!.Value, 1e-12);
        Assert.Equal(2, figures.MeanOverFooled!.Value, 1e-12);
        Assert.Equal(3, figures.Worst!.Value, 1e-12);
        Assert.Equal((5, 2, 2), (figures.Images, figures.Attacked, figures.Fooled));
    }

    [Fact]
    public void Without_a_fooled_image_there_are_no_values()
    {
        var table = ReproducedTable.Of(Table, [Run("deepfool", Summary(fooled: [], misclassified: 3))], 1);
        Assert.Equal("–", Cells(table, "ResNet", "DeepFool")[3]);
        Assert.Equal("0 of 0", Cells(table, "ResNet", "DeepFool")[5]);
    }

    [Fact]
    public void The_table_contains_every_cell_of_the_paper_without_any_run()
    {
        var printed = ReproducedTableText.ToMarkdown(ReproducedTable.Of(Table, [], 0));
        foreach (var figures in Table.Sections.SelectMany(section => section.Figures.Values))
        {
            Assert.Contains(string.Create(CultureInfo.InvariantCulture, $" {figures.Average} / {figures.Worst} "), printed, StringComparison.Ordinal);
        }

        Assert.Contains("add --weights resnet20=FILE", printed, StringComparison.Ordinal);
        Assert.All(Table.Networks, network => Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"{network.Name}, {network.Accuracy} % accuracy in the paper"), printed, StringComparison.Ordinal));
    }

    [Fact]
    public void A_run_is_printed_beside_its_cell_only()
    {
        var table = ReproducedTable.Of(Table, [Run("tr-fixed", Summary(fooled: [0.01, 0.03], misclassified: 3)), Run("tr-paper", Summary(fooled: [0.005], misclassified: 1))], 2);
        Assert.Equal(["0.66 / 3.97", "0.800 / 3.00", "2.000", "2 of 2", "5", "3.0 F + 4.0 B"], Cells(table, "ResNet", "TR, fixed 0.05")[2..], StringComparer.Ordinal);
        Assert.Equal(["–", "0.250 / 0.50", "0.500", "1 of 1", "2", "3.0 F + 4.0 B"], Cells(table, "ResNet", "TR, preset paper")[2..], StringComparer.Ordinal);
        Assert.Equal(2, table.Rows.Count(row => row.Ours is not null));
        Assert.Contains(table.Remarks, remark => remark.StartsWith("ResNet, 92.10 % accuracy in the paper: here the network resnet20 with the weights w.pkl, accuracy 40.00 %, 2 of 5 (95 %: 11.76 to 76.93 %).", StringComparison.Ordinal));
        Assert.Contains("Images: the first 5 of test.bin; the paper's are the 10,000 test images.", table.Remarks, StringComparer.Ordinal);
    }

    [Fact]
    public void The_remarks_name_unfinished_runs_and_runs_on_fewer_images()
    {
        var table = ReproducedTable.Of(Table, [Run("cw", Summary(fooled: [0.01], misclassified: 1))], 7);
        Assert.Contains("Only 1 of 7 runs were finished.", table.Remarks, StringComparer.Ordinal);
        Assert.Contains("CW, 9 × 1,000 steps on ResNet: the first 2 images, of which 1 are classified correctly.", table.Remarks, StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("en-US")]
    [InlineData("de-DE")]
    [InlineData("tr-TR")]
    [InlineData("fa-IR")]
    public void The_output_does_not_depend_on_the_culture(string culture)
    {
        var table = () => ReproducedTable.Of(Table, [Run("deepfool", Summary(fooled: [0.012345, 0.03], misclassified: 1))], 1);
        var (markdown, json) = (ReproducedTableText.ToMarkdown(table()), ReproducedTableText.ToJson(table()));
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(culture);
            Assert.Equal(markdown, ReproducedTableText.ToMarkdown(table()));
            Assert.Equal(json, ReproducedTableText.ToJson(table()));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void JSON_and_Markdown_agree()
    {
        var table = ReproducedTable.Of(Table, [Run("deepfool", Summary(fooled: [0.012345, 0.03], misclassified: 1))], 1);
        using var json = JsonDocument.Parse(ReproducedTableText.ToJson(table));
        var row = json.RootElement.GetProperty("rows").EnumerateArray().Single(row => row.GetProperty("ours").ValueKind == JsonValueKind.Object);
        Assert.Equal(("l2", "ResNet", "deepfool"), (row.GetProperty("norm").GetString(), row.GetProperty("network").GetString(), row.GetProperty("key").GetString()));
        Assert.Equal((0.80m, 5.60m), (row.GetProperty("paper").GetProperty("average").GetDecimal(), row.GetProperty("paper").GetProperty("worst").GetDecimal()));
        Assert.Equal(2 * 2.11725 / 3, row.GetProperty("ours").GetProperty("average").GetDouble(), 1e-9);
        Assert.Equal(Section.Attacks[0].Specification, row.GetProperty("specification").GetString());
    }

    private static ReproducedRun Run(string key, AttackSummary summary) => new(Network, Section, Section.Attacks.Single(attack => attack.Key == key), summary);

    /// <summary>Returns the cells of a row of the first section, including network and attack.</summary>
    private static string[] Cells(ReproducedTable table, string network, string attack)
    {
        var lines = ReproducedTableText.ToMarkdown(table).Split('\n').Where(line => line.StartsWith('|')).Select(line => line.Split('|', StringSplitOptions.TrimEntries)[1..^1]).ToArray();
        Assert.All(lines, line => Assert.Equal(lines[0].Length, line.Length));
        return lines.SkipWhile(line => line[0] != network).First(line => line[1] == attack);
    }

    private static AttackSummary Summary(double[] fooled, int misclassified)
    {
        static EvaluatedImage Image(int index, AttackExit exit, double relative) => new(
            index,
            new Outcome { Label = 1, PredictionBefore = exit == AttackExit.Fooled ? 1 : 2, PredictionAfter = 2, Target = 2, Exit = exit, L2 = relative, LInf = relative, L1 = relative, Relative = relative, Iterations = 1, Forwards = 3, Backwards = 4 },
            relative);
        EvaluatedImage[] images = [.. fooled.Select(relative => Image(0, AttackExit.Fooled, relative)), .. Enumerable.Repeat(Image(0, AttackExit.Misclassified, 0), misclassified)];
        using var result = new EvaluationResult([new(images, empty(0), empty(0), Seconds: 1)], images.Length);
        return AttackSummary.Of(
            new()
            {
                Attack = "tr",
                Norm = "l2",
                Space = "normalized",
                Target = "best",
                Criterion = "misclassified",
                Model = "resnet20",
                Data = "cifar10:some/folder/test.bin",
                Seed = 0,
                Options = new Dictionary<string, object>(AttackCatalog.Create("tr").Options, StringComparer.Ordinal) { ["weights"] = "some/folder/w.pkl" },
            },
            result);
    }
}
