using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using Brink.Cli.Reproduce;
using Brink.Evaluation.Catalog;

namespace Brink.Cli.Tests.Reproduce;

public sealed class Figure4Tests
{
    [Fact]
    public void Every_option_is_set_explicitly() => Assert.All([Figure4.WholeAttack, Figure4.TrustRegionSteps(3), Figure4.CarliniWagnerSteps(3)], specification =>
    {
        var pinned = specification[(specification.IndexOf('[', StringComparison.Ordinal) + 1)..^1].Split(',').Select(pair => pair.Split('=')[0]);
        Assert.Equal(AttackCatalog.Create(specification).Options.Keys.Order(StringComparer.Ordinal), pinned.Order(StringComparer.Ordinal), StringComparer.Ordinal);
    });

    [Fact]
    public void The_statements_of_the_paper_are_printed_beside_their_networks()
    {
        Assert.Equal(["AlexNet", "VGG16", "ResNet50", "DenseNet121"], Figure4.Networks.Select(pair => pair.Network.Name), StringComparer.Ordinal);
        var lines = Times().ToMarkdown().Split('\n');
        Assert.Contains(lines, line => line.StartsWith("| VGG16 ", StringComparison.Ordinal) && line.Contains("up to 37 ×", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("| ResNet50 ", StringComparison.Ordinal) && line.Contains("TR 1.02 s, CW 27.04 s", StringComparison.Ordinal));
    }

    [Fact]
    public void The_whole_attack_is_expressed_in_Carlini_Wagner_steps()
    {
        var cells = Times().ToMarkdown().Split('\n').Single(line => line.StartsWith("| VGG16 ", StringComparison.Ordinal)).Split('|', StringSplitOptions.TrimEntries)[1..^1];
        Assert.Equal(["random", "3", "4.5", "2 of 2", "0.5", "0.6", "5"], cells[2..], StringComparer.Ordinal);
        using var json = JsonDocument.Parse(Times().ToJson());
        Assert.Equal(5, json.RootElement.GetProperty("networks")[1].GetProperty("attackInCarliniWagnerSteps").GetDouble(), 1e-12);
    }

    [Fact]
    public void The_remarks_state_what_was_not_measured()
    {
        Assert.DoesNotContain(Times().Remarks, remark => remark.StartsWith("Only", StringComparison.Ordinal));
        Assert.Contains("Only 1 of 4 networks were timed.", (Times() with { Networks = [Times().Networks[0]] }).Remarks, StringComparer.Ordinal);
        Assert.Contains(Times().Remarks, remark => remark.StartsWith("Not measured: a whole CW attack.", StringComparison.Ordinal));
        Assert.Null(StepTimes.Of(Times() with { Networks = [] }));
    }

    [Theory]
    [InlineData("de-DE")]
    [InlineData("fa-IR")]
    public void The_output_does_not_depend_on_the_culture(string culture)
    {
        var (markdown, svg) = (Times().ToMarkdown(), StepTimes.Of(Times())!.ToSvg());
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(culture);
            Assert.Equal(markdown, Times().ToMarkdown());
            Assert.Equal(svg, StepTimes.Of(Times())!.ToSvg());
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void The_chart_names_networks_attacks_and_units()
    {
        var texts = XDocument.Parse(StepTimes.Of(Times())!.ToSvg()).Descendants().Where(element => element.Name.LocalName == "text").Select(element => element.Value.Trim()).ToArray();
        Assert.All(["AlexNet", "VGG16", "ResNet50", "DenseNet121", "a trust-region step", "a step of Carlini–Wagner", "seconds per image"], text => Assert.Contains(text, texts, StringComparer.Ordinal));
        Assert.Equal([0x89, 0x50, 0x4E, 0x47], StepTimes.Of(Times())!.ToPng()[..4]);
    }

    private static ReproducedFigure4 Times() => new()
    {
        Networks = [.. Figure4.Networks.Select(pair => new TimedNetwork
        {
            Network = pair.Network.Name,
            Claim = pair.Claim,
            Weights = "random",
            Attacked = 2,
            Fooled = 2,
            AttackSeconds = 3,
            AttackSteps = 4.5,
            TrustRegionStepSeconds = 0.5,
            CarliniWagnerStepSeconds = 0.6,
        })],
        Images = 2,
        Steps = 5,
        Threads = 1,
        Device = "cpu",
    };
}
