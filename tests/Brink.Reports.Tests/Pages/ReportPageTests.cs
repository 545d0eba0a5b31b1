using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Brink.Attacks;
using Brink.Evaluation.Runs;
using Brink.Reports.Testing;
using TorchSharp;

namespace Brink.Reports.Tests.Pages;

[Trait("speed", "slow")]
public sealed class ReportPageTests : IDisposable
{
    private const int Megabyte = 1_000_000;

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Cases => [.. EdgeCases.Keys];

    private static Dictionary<string, ExampleRun> EdgeCases { get; } = new(StringComparer.Ordinal)
    {
        ["usual"] = new(),
        ["linf"] = new() { Norm = "linf" },
        ["l1"] = new() { Norm = "l1" },
        ["normalised"] = new() { Space = "normalized" },
        ["one image"] = new() { Images = 1, Exit = _ => AttackExit.Fooled },
        ["nothing fooled"] = new() { Exit = _ => AttackExit.IterationLimit },
        ["nothing attacked"] = new() { Exit = _ => AttackExit.Misclassified },
        ["grey"] = new() { Channels = 1, Height = 28, Width = 28 },
        ["two channels"] = new() { Channels = 2 },
        ["large and not square"] = new() { Images = 12, Height = 224, Width = 160 },
        ["a target class"] = new() { Target = "3", Exit = row => row % 10 == 3 ? AttackExit.Skipped : AttackExit.Fooled },
        ["many classes"] = new() { Images = 300, Classes = 100, Height = 8, Width = 8 },
        ["no class names"] = new() { ClassNames = [] },
        ["robust accuracy and warnings"] = new() { Summary = summary => summary with { RobustAccuracy = [new(0.25, 0.5), new(0.5, 0.125)], Warnings = ["A warning."] } },
        ["accuracies with intervals"] = new() { Summary = summary => summary with { RobustAccuracy = [new(0.25, 0.5, new(20, 40)), new(0.5, 0.125, new(5, 40))] } },
        ["a budget"] = new() { Attack = "pgd", Options = new Dictionary<string, object>(StringComparer.Ordinal) { ["epsilon"] = 0.5 }, Summary = summary => summary with { RobustAccuracy = [new(0.5, 0.125, new(5, 40))] } },
        ["unattacked and underflow"] = new() { Exit = row => row % 3 == 0 ? AttackExit.ZeroGradient : row % 3 == 1 ? AttackExit.NotFinite : AttackExit.Fooled, Summary = summary => summary with { Underflowed = 3 } },
        ["rounded to 8 bits"] = new() { Summary = summary => summary with { Rounded = new(33, 21) } },
        ["tiny perturbations"] = new() { Summary = summary => summary with { Perturbation = new(new(1.23456e-7, 1e-7, 2e-7), new(0, 0, 0)) } },
    };

    public void Dispose() => _folder.Dispose();

    [Theory, MemberData(nameof(Cases))]
    public void Every_number_is_that_of_results_json_rounded(string name)
    {
        EdgeCases[name].Write(Folder("run"));
        using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder("run"), "results.json")));
        var page = new ParsedPage(ExampleRun.Report([Folder("run")]));
        Assert.NotEmpty(page.Figures);
        Assert.All(page.Figures, figure =>
        {
            var value = figure.Property.Split('.').Aggregate(json.RootElement, (element, key) => element.ValueKind == JsonValueKind.Array ? element[int.Parse(key, CultureInfo.InvariantCulture)] : element.GetProperty(key));
            Assert.True(value.ValueKind == JsonValueKind.Null ? figure.Printed == "–" : ParsedPage.IsRounded(figure.Property, figure.Printed, value.GetDouble()), $"{figure.Property} is {value}, not {figure.Printed}.");
        });
        string[] numbers = ["images", "misclassified", "attacked", "fooled", "accuracyBefore", "accuracyAfter", "forwardsPerImage", "backwardsPerImage"];
        string[] distributions = ["relativePerturbation", "perturbation.l2", "perturbation.linf", .. name == "l1" ? ["perturbation.l1"] : Array.Empty<string>()];
        Assert.Empty(numbers.Concat(distributions.SelectMany(key => new[] { $"{key}.mean", $"{key}.median", $"{key}.worst" })).Except(page.Figures.Select(figure => figure.Property), StringComparer.Ordinal));
        Assert.Equal(name == "rounded to 8 bits" ? 1 : 0, page.Figures.Count(figure => figure is { Property: "rounded.stillFooled", Printed: "21" }));
        // A length, an accuracy and, except in runs of older versions, two counts and two ends of an interval.
        Assert.Equal(json.RootElement.GetProperty("robustAccuracy").EnumerateArray().Sum(entry => entry.GetProperty("interval").ValueKind == JsonValueKind.Null ? 2 : 6), page.Figures.Count(figure => figure.Property.StartsWith("robustAccuracy", StringComparison.Ordinal)));
        Assert.All(json.RootElement.GetProperty("warnings").EnumerateArray(), warning => Assert.Contains(warning.GetString()!, page.Text, StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Cases))]
    public void The_page_has_no_scripts_and_loads_nothing(string name)
    {
        EdgeCases[name].Write(Folder("run"));
        var page = new ParsedPage(ExampleRun.Report([Folder("run")]));
        Assert.DoesNotContain("script", page.Tags, StringComparer.Ordinal);
        Assert.All(page.Attributes.Where(attribute => attribute.Name is "src" or "href" or "xlink:href"), attribute => Assert.StartsWith("data:", attribute.Value, StringComparison.Ordinal));
        Assert.DoesNotContain(page.Attributes, attribute => attribute.Name.StartsWith("on", StringComparison.Ordinal));
        Assert.All(page.Attributes.Where(attribute => attribute is { Tag: "img", Name: "src" }), attribute =>
            Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], Convert.FromBase64String(attribute.Value["data:image/png;base64,".Length..])[..4]));
    }

    [Fact]
    public void The_number_of_examples_depends_on_the_fooled_images()
    {
        int Pictures(string name)
        {
            EdgeCases[name].Write(Folder(name));
            return new ParsedPage(ExampleRun.Report([Folder(name)])).Tags.Count(tag => tag == "img");
        }

        Assert.Equal(27, Pictures("usual"));
        Assert.Equal(27, Pictures("grey"));
        Assert.Equal(3, Pictures("one image"));
        Assert.Equal(0, Pictures("nothing fooled"));
        Assert.Equal(0, Pictures("nothing attacked"));
    }

    [Fact]
    public void Names_that_look_like_markup_are_shown_as_text()
    {
        const string script = "<script>alert(1)</script>", image = "\"><img src=x onerror=alert(1)>";
        ExampleRun Hostile(string attack) => new()
        {
            Attack = attack,
            Model = script,
            Data = $"cifar10:{image}",
            ClassNames = [.. Enumerable.Range(0, 10).Select(number => number % 2 == 0 ? script : image)],
            Options = new Dictionary<string, object>(StringComparer.Ordinal) { [script] = image, ["x"] = attack },
            Summary = summary => summary with { Warnings = [script], BrinkVersion = image },
        };
        Hostile(script).Write(Folder("a"));
        Hostile(image).Write(Folder("b"));
        foreach (var folders in new[] { new[] { Folder("a") }, [Folder("a"), Folder("b")] })
        {
            var html = ExampleRun.Report(folders);
            Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("<img src=x", html, StringComparison.OrdinalIgnoreCase);
            var page = new ParsedPage(html);
            Assert.Contains(script, page.Text, StringComparison.Ordinal);
            Assert.DoesNotContain(page.Attributes, attribute => attribute.Name == "onerror");
        }
    }

    [Theory]
    [InlineData("en-US")]
    [InlineData("de-DE")]
    [InlineData("tr-TR")]
    [InlineData("fa-IR")]
    public void The_page_does_not_depend_on_the_culture(string culture)
    {
        new ExampleRun().Write(Folder("a"));
        new ExampleRun { Attack = "deepfool", Seed = 2 }.Write(Folder("b"));
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
            var expected = ExampleRun.Report([Folder("a"), Folder("b")]);
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(culture);
            Assert.Equal(expected, ExampleRun.Report([Folder("a"), Folder("b")]));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Theory]
    [InlineData(1000, 32)]
    [InlineData(30, 224)]
    public void The_page_of_a_large_run_is_below_3_MB(int images, int side)
    {
        new ExampleRun { Images = images, Height = side, Width = side }.Write(Folder("run"));
        Assert.InRange(Encoding.UTF8.GetByteCount(ExampleRun.Report([Folder("run")])), 1000, 3 * Megabyte);
    }

    [Fact]
    public void Reports_leak_no_tensor()
    {
        new ExampleRun().Write(Folder("a"));
        new ExampleRun { Seed = 2, Attack = "deepfool", Norm = "linf" }.Write(Folder("b"));
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        ExampleRun.Report([Folder("a")]);
        ExampleRun.Report([Folder("a"), Folder("b")]);
        ExampleRun.Report([Folder("a"), Folder("a")]);
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Several_runs_over_the_same_images_are_compared()
    {
        foreach (var (folder, seed) in new[] { ("tr", 1), ("deepfool", 2) })
        {
            new ExampleRun { Attack = folder, Seed = seed }.Write(Folder(folder));
        }

        var page = new ParsedPage(ExampleRun.Report([Folder("tr"), Folder("deepfool")]));
        using SavedRun first = SavedRun.Read(Folder("tr")), second = SavedRun.Read(Folder("deepfool"));
        var means = Enumerable.Range(0, first.Labels.Count).Where(row => first.Fooled[row] && second.Fooled[row]).Average(row => first.Compared("a", "a").Images[row].Relative) * 100;
        Assert.Contains(means.ToString("G3", CultureInfo.InvariantCulture) + " %", page.Text, StringComparison.Ordinal);
        Assert.Contains("Comparison of the attacks", page.Text, StringComparison.Ordinal);
        Assert.Contains("fooled by every attack", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_budgeted_run_has_no_curve_and_its_lengths_are_not_called_smallest()
    {
        EdgeCases["a budget"].Write(Folder("run"));
        var text = new ParsedPage(ExampleRun.Report([Folder("run")])).Text;
        Assert.DoesNotContain("Robustness curve", text, StringComparison.Ordinal);
        Assert.DoesNotContain("is enough", text, StringComparison.Ordinal);
        Assert.Contains("lengths up to ε = 0.5, not the smallest", text, StringComparison.Ordinal);
        Assert.Contains("did not search for the smallest ones", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_length_below_the_epsilon_of_an_older_budgeted_run_is_left_out()
    {
        (EdgeCases["a budget"] with { Summary = summary => summary with { RobustAccuracy = [new(0.123, 0.9), new(0.5, 0.125)] } }).Write(Folder("run"));
        var page = new ParsedPage(ExampleRun.Report([Folder("run")]));
        Assert.Equal(["robustAccuracy.1.epsilon", "robustAccuracy.1.accuracy"], page.Figures.Select(figure => figure.Property).Where(property => property.StartsWith("robust", StringComparison.Ordinal)), StringComparer.Ordinal);
    }

    [Fact]
    public void A_comparison_states_the_worst_case_and_no_lengths_of_budgeted_attacks()
    {
        new ExampleRun { Summary = summary => summary with { RobustAccuracy = [new(0.1, 0.5)] } }.Write(Folder("tr"));
        (EdgeCases["a budget"] with { Seed = 2 }).Write(Folder("pgd"));
        var text = new ParsedPage(ExampleRun.Report([Folder("tr"), Folder("pgd")])).Text;
        Assert.Contains("Worst case over the attacks", text, StringComparison.Ordinal);
        Assert.Matches(@"accuracy within L2 0\.1, at most [0-9.]+ % \d+ of 40, 95 % interval [0-9.]+ % to [0-9.]+ %; without pgd\[epsilon=0\.5\], whose ε is larger", text);
        Assert.Matches(@"accuracy within L2 0\.5, at most [0-9.]+ % \d+ of 40, 95 % interval [0-9.]+ % to [0-9.]+ %(?!;)", text);
        Assert.Matches(@" pgd\[epsilon=0\.5\] \d+ – – – ", text);
    }

    [Fact]
    public void Results_of_an_older_version_are_reported()
    {
        new ExampleRun().Write(Folder("run"));
        var path = Path.Combine(Folder("run"), "results.json");
        var json = JsonNode.Parse(File.ReadAllBytes(path))!.AsObject();
        Assert.All(["accuracyBeforeInterval", "accuracyAfterInterval", "unattacked", "underflowed"], key => Assert.True(json.Remove(key)));
        File.WriteAllText(path, json.ToJsonString());
        Assert.Contains("36 of 40 , 95 % interval", new ParsedPage(ExampleRun.Report([Folder("run")])).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Results_of_an_older_version_without_L1_lengths_are_read_and_reported()
    {
        new ExampleRun().Write(Folder("run"));
        using var run = SavedRun.Read(Folder("run"));
        var expected = run.ReadTable();
        Edit("run", json =>
        {
            Assert.True(json.Remove("checksums"));
            Assert.True(json["perturbation"]!.AsObject().Remove("l1"));
        });

        // The description of the columns ends the file. There the column l1, whose name follows its length 2, gets another name.
        var path = Path.Combine(Folder("run"), "images.parquet");
        var table = File.ReadAllBytes(path);
        var description = table.AsSpan(table.Length - 8 - BitConverter.ToInt32(table, table.Length - 8));
        for (int place; (place = description.IndexOf("\u0002l1"u8)) >= 0;)
        {
            description[place + 2] = (byte)'_';
        }

        File.WriteAllBytes(path, table);
        Assert.All(ImageTable.Read(table, expected.Count), image => Assert.Equal(double.NaN, image.L1));
        using var older = SavedRun.Read(Folder("run"));
        Assert.Null(older.Summary.Perturbation.L1);
        Assert.All(older.ReadTable().Zip(expected), pair => Assert.Equal(pair.Second.L1, pair.First.L1, pair.Second.L1 * 1e-12));
        Assert.Contains(expected, image => image.L1 > image.L2);
        Assert.NotEmpty(ExampleRun.Report([Folder("run")]));
    }

    [Fact]
    public void A_run_in_L1_has_its_lengths_and_their_curve_beside_those_of_the_other_norms()
    {
        EdgeCases["l1"].Write(Folder("run"));
        EdgeCases["usual"].Write(Folder("usual"));
        var (text, usual) = (new ParsedPage(ExampleRun.Report([Folder("run")])).Text, new ParsedPage(ExampleRun.Report([Folder("usual")])).Text);
        Assert.Contains("L1 (the sum of the changes of all values)", text, StringComparison.Ordinal);
        Assert.Matches(@"· L1 [0-9.]+ · L2 [0-9.]+ · L∞ [0-9.]+ ·", text);
        Assert.DoesNotContain("L1", usual, StringComparison.Ordinal);
    }

    [Fact]
    public void Runs_of_the_same_attack_are_labelled_with_their_settings()
    {
        foreach (var refine in new[] { 0, 18 })
        {
            new ExampleRun { Options = new Dictionary<string, object>(StringComparer.Ordinal) { ["refine"] = refine, ["same"] = 1 } }.Write(Folder($"refine {refine}"));
        }

        var text = new ParsedPage(ExampleRun.Report([Folder("refine 0"), Folder("refine 18")])).Text;
        Assert.Contains("tr[refine=0]", text, StringComparison.Ordinal);
        Assert.Contains("tr[refine=18]", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("different norms", "linf", 40)]
    [InlineData("different images", "l2", 39)]
    public void Runs_that_cannot_be_compared_are_listed(string reason, string norm, int images)
    {
        new ExampleRun().Write(Folder("a"));
        new ExampleRun { Norm = norm, Images = images }.Write(Folder("b"));
        var text = new ParsedPage(ExampleRun.Report([Folder("a"), Folder("b")])).Text;
        Assert.Contains(reason, text, StringComparison.Ordinal);
        Assert.DoesNotContain("Comparison of the attacks", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, "images.parquet is damaged or from another run")]
    [InlineData(true, "images.parquet cannot be read")]
    public void Damaged_runs_are_refused(bool withoutChecksums, string reason)
    {
        new ExampleRun().Write(Folder("run"));
        Edit("run", json => json.Remove(withoutChecksums ? "checksums" : ""));
        File.WriteAllBytes(Path.Combine(Folder("run"), "images.parquet"), Encoding.ASCII.GetBytes("PAR1 not a table PAR1"));
        Assert.Contains(reason, Assert.Throws<BadInputException>(() => ExampleRun.Report([Folder("run")])).Message, StringComparison.Ordinal);
        Assert.Throws<BadInputException>(() => ExampleRun.Report([Folder("nowhere")]));
    }

    [Theory]
    [InlineData("warnings")]
    [InlineData("perturbation")]
    [InlineData("classNames")]
    public void Null_in_place_of_numbers_is_refused(string property)
    {
        new ExampleRun().Write(Folder("run"));
        Edit("run", json => json[property] = null);
        Assert.Contains("its results.json cannot be read", Assert.Throws<BadInputException>(() => ExampleRun.Report([Folder("run")])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, "images.parquet is damaged or from another run")]
    [InlineData(true, "describes other images")]
    public void A_table_of_another_run_is_refused(bool withoutChecksums, string reason)
    {
        new ExampleRun().Write(Folder("a"));
        new ExampleRun { Exit = _ => AttackExit.Fooled }.Write(Folder("b"));
        File.Copy(Path.Combine(Folder("b"), "images.parquet"), Path.Combine(Folder("a"), "images.parquet"), overwrite: true);
        Edit("a", json => json.Remove(withoutChecksums ? "checksums" : ""));
        Assert.Contains(reason, Assert.Throws<BadInputException>(() => ExampleRun.Report([Folder("a")])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_heading_names_model_and_images_and_the_version_has_no_commit()
    {
        new ExampleRun { Summary = summary => summary with { BrinkVersion = "1.2.3-alpha+0123456789abcdef" } }.Write(Folder("run"));
        var text = new ParsedPage(ExampleRun.Report([Folder("run")])).Text;
        Assert.Contains("model signs, images signs", text, StringComparison.Ordinal);
        Assert.Contains("Brink 1.2.3-alpha ", text, StringComparison.Ordinal);
        Assert.DoesNotContain("0123456789abcdef", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("perturbation.l2.mean", "0.2", 0.161)]
    [InlineData("accuracyAfter", "12 %", 0.1234)]
    [InlineData("fooled", "964", 963)]
    [InlineData("forwardsPerImage", "23", 23.4)]
    public void A_number_with_too_few_digits_is_not_rounded_correctly(string property, string printed, double value) => Assert.False(ParsedPage.IsRounded(property, printed, value));

    [Fact]
    public void New_results_remove_the_older_report()
    {
        new ExampleRun().Write(Folder("run"));
        var path = Path.Combine(Folder("run"), "report.html");
        File.WriteAllText(path, ExampleRun.Report([Folder("run")]));
        new ExampleRun { Seed = 2 }.Write(Folder("run"));
        Assert.False(File.Exists(path), "The report of removed results still exists.");
    }

    private string Folder(string name) => _folder[name];

    /// <summary>Changes the results.json of a run; those of older versions have no checksums.</summary>
    private void Edit(string run, Action<JsonObject> change)
    {
        var path = Path.Combine(Folder(run), "results.json");
        var json = JsonNode.Parse(File.ReadAllBytes(path))!.AsObject();
        change(json);
        File.WriteAllText(path, json.ToJsonString());
    }
}
