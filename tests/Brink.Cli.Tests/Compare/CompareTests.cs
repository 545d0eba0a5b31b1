using System.Text.Json;
using System.Text.RegularExpressions;
using Brink.Cli.Tests.Attack;

namespace Brink.Cli.Tests.Compare;

[Trait("speed", "slow")]
public sealed class CompareTests : IDisposable
{
    private const int Columns = 80;
    private const double Rounding = 1e-12;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("l2", "pixel")]
    [InlineData("linf", "normalized")]
    public void The_comparison_agrees_with_the_results_of_each_attack(string norm, string space)
    {
        const string list = "tr[radius=0.5],deepfool[overshoot=0.03,max-iterations=40],tr";
        var printed = Invocation.Of("compare", "--attacks", list, "--norm", norm, "--space", space, "--limit", "12", "--batch-size", "8", "--quiet", "--json", "--out", _folder["results"]).AssertDone();
        Assert.Equal(File.ReadAllText(Path.Combine(_folder["results"], "comparison.json")), printed.Output.TrimEnd());

        using var document = JsonDocument.Parse(printed.Output);
        var root = document.RootElement;
        Assert.Equal(
            ["norm", "space", "criterion", "model", "data", "images", "notAttacked", "attacked", "fooledByAll", "worstCase", "envelope", "attacks", "seed", "brinkVersion", "warnings"],
            root.EnumerateObject().Select(property => property.Name),
            StringComparer.Ordinal);
        Assert.Equal((norm, space, 12), (root.GetProperty("norm").GetString(), root.GetProperty("space").GetString(), root.GetProperty("images").GetInt32()));
        Assert.Equal(["tr[radius=0.5]", "deepfool[overshoot=0.03,max-iterations=40]", "tr"], root.GetProperty("attacks").EnumerateArray().Select(attack => attack.GetProperty("attack").GetString()!), StringComparer.Ordinal);
        Assert.Equal(["tr", "deepfool", "tr-2"], root.GetProperty("attacks").EnumerateArray().Select(attack => attack.GetProperty("folder").GetString()!), StringComparer.Ordinal);
        Assert.Equal(root.GetProperty("attacked").GetInt32(), root.GetProperty("fooledByAll").GetInt32()); // otherwise the means below would be over other images

        foreach (var attack in root.GetProperty("attacks").EnumerateArray())
        {
            using var files = new ResultFiles(Path.Combine(_folder["results"], attack.GetProperty("folder").GetString()!));
            foreach (var name in new[] { "relativePerturbation", "relativePerturbationNormalized" })
            {
                Assert.All(["mean", "median", "worst"], figure => Assert.Equal(files[name].GetProperty(figure).GetDouble(), attack.GetProperty(name).GetProperty(figure).GetDouble(), Rounding));
            }

            Assert.All(["forwardsPerImage", "backwardsPerImage", "seconds", "secondsPerImage"], name => Assert.Equal(files[name].GetDouble(), attack.GetProperty(name).GetDouble(), Rounding));
            Assert.Equal(files["options"].GetRawText().Replace(" ", "", StringComparison.Ordinal), attack.GetProperty("options").GetRawText().Replace(" ", "", StringComparison.Ordinal));
            Assert.Equal(files.Int("fooled"), attack.GetProperty("fooled").GetInt32());
            Assert.False(attack.GetProperty("belowBar").GetBoolean());
            Assert.Equal(JsonValueKind.Null, attack.GetProperty("speedUpOverCw").ValueKind);
        }
    }

    /// <summary>A budgeted attack with a small ε that every image withstands does not make up for a minimal attack that could not work.</summary>
    [Fact]
    public void A_small_budget_does_not_hide_that_no_minimal_attack_could_work()
    {
        var run = Invocation.Of("compare", "--norm", "linf", "--limit", "8", "--quiet", "--attacks", "tr[max-iterations=1,refine=0,overshoot=0],pgd[epsilon=0.0001]", "--require", "accuracy@0.05>=0.9");
        Assert.Equal(3, run.ExitCode);
        Assert.Contains("cannot be judged", run.Error, StringComparison.Ordinal);
        Assert.Contains("On 8 of 8 attacked images no minimal attack could work (exit 8 iteration-limit)", run.Output.ReplaceLineEndings(" ").Replace("  ", " ", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void The_worst_case_is_the_minimum_over_the_saved_runs()
    {
        // In pixels of 8 bits, with ε above and below the lengths that tr finds; one step of tr fools few images.
        (string Attack, string Folder, double Epsilon)[] attacks = [("tr[max-iterations=1]", "tr", 0), ("deepfool", "deepfool", 0), ("ifgsm", "ifgsm", 0), ("pgd[epsilon=8/255]", "pgd", 8), ("fgsm[epsilon=4/255]", "fgsm", 4)];
        double[] levels = [1, 2, 3, 4, 6, 8];
        string[] flags = ["compare", "--attacks", string.Join(',', attacks.Select(attack => attack.Attack)), "--norm", "linf", "--limit", "24", "--quiet", "--out", _folder["results"]];
        string[] at = ["--at", string.Join(',', levels.Select(level => $"{level}/255"))];
        var table = Invocation.Of([.. flags, .. at]).AssertDone().Output;
        var json = File.ReadAllText(Path.Combine(_folder["results"], "comparison.json"));

        var files = attacks.Select(attack => new ResultFiles(Path.Combine(_folder["results"], attack.Folder))).ToArray();
        try
        {
            var exits = files.Select(run => run.Column<string>("exit")).ToArray();
            var lengths = files.Select(run => run.Column<double>("linf")).ToArray();
            double Length(int attack, int row) => exits[attack][row] != "fooled" ? double.PositiveInfinity : Math.Max(lengths[attack][row], attacks[attack].Epsilon / 255);
            var smallest = Enumerable.Range(0, 24).Select(row => Enumerable.Range(0, attacks.Length).Min(attack => Length(attack, row))).ToArray();

            using var document = JsonDocument.Parse(json);
            var worst = document.RootElement.GetProperty("worstCase");
            Assert.Equal(smallest, worst.GetProperty("imageResults").EnumerateArray().Select(image => image.GetProperty("length") is { ValueKind: JsonValueKind.Number } length ? length.GetDouble() : double.PositiveInfinity));
            var attacked = smallest.Where((_, row) => exits[0][row] != "misclassified").Order().ToArray();
            Assert.Equal((attacked[(attacked.Length - 1) / 2] + attacked[attacked.Length / 2]) / 2, worst.GetProperty("medianLength").GetDouble(), Rounding);
            var curve = worst.GetProperty("robustAccuracy").EnumerateArray().ToArray();
            Assert.True(curve.Select(entry => entry.GetProperty("accuracy").GetDouble()).Distinct().Count() > 2, "The curve is flat.");
            var report = File.ReadAllText(Report());
            foreach (var (level, entry) in levels.Zip(curve))
            {
                bool Fools(int attack, int row) => attacks[attack].Epsilon <= level && Length(attack, row) <= level / 255 * (1 + 1e-6);
                var left = Enumerable.Range(0, 24).Count(row => exits[0][row] != "misclassified" && !Enumerable.Range(0, attacks.Length).Any(attack => Fools(attack, row)));
                Assert.Equal(left, entry.GetProperty("interval").GetProperty("correct").GetInt32());
                Assert.Equal(left / 24.0, entry.GetProperty("accuracy").GetDouble(), Rounding);
                Assert.Equal(attacks.Count(attack => attack.Epsilon <= level), entry.GetProperty("attacks").GetArrayLength());
                Assert.Matches($@"(?m)^│ within L∞ {Regex.Escape(FormattableString.Invariant($"{level / 255:G4}"))}[0-9]* .*\b{left} of 24 \(95 %", table);
                Assert.Contains($"{left} of 24, 95 % interval", report, StringComparison.Ordinal);
            }

            Assert.Contains("Worst case over the attacks", report, StringComparison.Ordinal);
            Assert.Contains("without pgd[epsilon=8/255], fgsm[epsilon=4/255]", table, StringComparison.Ordinal);
        }
        finally
        {
            Array.ForEach(files, run => run.Dispose());
        }

        // Finished runs give the same comparison, also at other lengths.
        Invocation.Of([.. flags, .. at, "--resume"]).AssertDone();
        Assert.Equal(json, File.ReadAllText(Path.Combine(_folder["results"], "comparison.json")));
        var unmet = Invocation.Of([.. flags, "--resume", "--at", "5/255", "--require", "accuracy@5/255>=0.99", "--require", "median>=1/255"]);
        Assert.Equal(3, unmet.ExitCode);
        Assert.Contains("The threshold accuracy@5/255>=0.99 was not met", unmet.Error, StringComparison.Ordinal);
        Assert.Contains(Label(5), File.ReadAllText(Report()), StringComparison.Ordinal);

        string Report()
        {
            Invocation.Of("report", _folder["results"]).AssertDone();
            return Path.Combine(_folder["results"], "report.html");
        }

        static string Label(double level) => FormattableString.Invariant($"accuracy within L∞ {level / 255:G3}");
    }

    [Fact]
    public void Compare_and_attack_give_the_same_images()
    {
        Invocation.Of("compare", "--attacks", "deepfool,tr[radius=0.5]", "--limit", "6", "--quiet", "--out", _folder["results"]).AssertDone();
        Invocation.Of("attack", "--attack", "tr[radius=0.5]", "--limit", "6", "--quiet", "--out", _folder["alone"]).AssertDone();
        Assert.Equal(File.ReadAllBytes(Path.Combine(_folder["alone"], "adversarial.safetensors")), File.ReadAllBytes(Path.Combine(_folder["results"], "tr", "adversarial.safetensors")));
    }

    [Fact]
    public void The_table_fits_in_80_columns_and_marks_an_attack_that_fooled_too_few_images()
    {
        var run = Invocation.Of("compare", "--attacks", "tr[radius=0.5],deepfool[max-iterations=1],tr[radius=0.05,max-iterations=400,overshoot=0.0125,candidates=3]", "--limit", "12", "--quiet").AssertDone();
        Assert.All(run.Output.Split('\n'), line => Assert.InRange(line.TrimEnd('\r').Length, 0, Columns));
        Assert.Matches(@"│ +\d+\* │", run.Output);
        Assert.Contains("marked *: deepfool[max-iterations=1]", run.Output.ReplaceLineEndings("").Replace("  ", " ", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("fooled by every attack", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_figure_is_written_as_SVG_and_PNG_and_names_every_attack()
    {
        Invocation.Of("compare", "--attacks", "tr[radius=0.5],deepfool", "--limit", "4", "--quiet", "--out", _folder["results"]).AssertDone();
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], File.ReadAllBytes(Path.Combine(_folder["results"], "comparison.png"))[..4]);
        var text = string.Concat(System.Xml.Linq.XDocument.Load(Path.Combine(_folder["results"], "comparison.svg")).Descendants().Where(element => element.Name.LocalName == "text").Select(element => $"{element.Value}\n"));
        Assert.All(["tr[radius=0.5]", "deepfool", "time per image, in seconds", "relative L2 perturbation, in % (pixels)"], label => Assert.Contains(label, text, StringComparison.Ordinal));
    }

    [Fact]
    public void Without_a_commonly_fooled_image_no_figure_is_written_and_an_older_one_is_removed()
    {
        string[] flags = ["compare", "--limit", "4", "--quiet", "--out", _folder["results"], "--attacks"];
        Invocation.Of([.. flags, "tr[radius=0.5]"]).AssertDone();
        Assert.True(File.Exists(Path.Combine(_folder["results"], "comparison.svg")));
        Invocation.Of([.. flags, "tr[radius=1e-6,max-iterations=1,refine=18]"]).AssertDone();
        Assert.False(File.Exists(Path.Combine(_folder["results"], "comparison.svg")));
        Assert.False(File.Exists(Path.Combine(_folder["results"], "comparison.png")));
        Assert.True(File.Exists(Path.Combine(_folder["results"], "comparison.json")));
    }

    [Fact]
    public void Progress_names_the_attack() =>
        Assert.Matches(@"^tr: \d of 3 images\r?\n(.*\n)*deepfool\[overshoot=0\.05\]: \d of 3 images", Invocation.Of("compare", "--attacks", "tr,deepfool[overshoot=0.05]", "--limit", "3").AssertDone().Error);

    [Theory]
    [InlineData("the brackets of 'tr[radius=0.05,deepfool' are not balanced", "--attacks", "tr[radius=0.05,deepfool")]
    [InlineData("but 'tr,,deepfool' was given", "--attacks", "tr,,deepfool")]
    [InlineData("but '' was given", "--attacks", "")]
    [InlineData("tr is listed twice", "--attacks", "tr,tr")]
    [InlineData("no attack named 'magic'", "--attacks", "tr,magic")]
    [InlineData("need one norm", "--attacks", "tr,deepfool[norm=linf]")]
    [InlineData("accuracy at the smaller length 0.02 was asked for", "--norm", "linf", "--attacks", "pgd[epsilon=0.04],fgsm[epsilon=0.03]", "--at", "0.02")]
    [InlineData("needs the smallest length for each image", "--norm", "linf", "--attacks", "pgd[epsilon=0.04],fgsm[epsilon=0.03]", "--require", "median>=0.01")]
    [InlineData("need one criterion for fooled images", "--attacks", "tr,deepfool[target=3]")]
    [InlineData("l2, linf or l1, but 'l3'", "--norm", "l3")]
    [InlineData("at least 1, but 0", "--batch-size", "0")]
    [InlineData("10 classes of signs, 0 to 9, but 10", "--target", "10")]
    [InlineData("add --out FOLDER", "--resume")]
    public void Invalid_comparisons_are_refused(string fragment, params string[] flags)
    {
        var error = Invocation.Of(["compare", .. flags, "--limit", "2", "--quiet"]).AssertRefused();
        Assert.Contains(fragment, error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_attack_that_does_not_support_the_norm_is_refused() =>
        Assert.Contains("linf", Invocation.Of("compare", "--attacks", "tr,cw", "--norm", "linf", "--limit", "2").AssertRefused(), StringComparison.Ordinal);

    [Fact]
    public void By_default_three_attacks_are_compared_in_L2()
    {
        using var document = JsonDocument.Parse(Invocation.Of("compare", "--limit", "2", "--quiet", "--json").AssertDone().Output);
        Assert.Equal(["tr", "deepfool", "ifgsm"], document.RootElement.GetProperty("attacks").EnumerateArray().Select(attack => attack.GetProperty("attack").GetString()!), StringComparer.Ordinal);
        Assert.Equal("l2", document.RootElement.GetProperty("norm").GetString());
    }

    [Fact]
    public void The_speed_up_is_relative_to_CW()
    {
        using var document = JsonDocument.Parse(Invocation.Of("compare", "--attacks", "tr,cw[max-iterations=30,binary-search-steps=2]", "--limit", "2", "--quiet", "--json").AssertDone().Output);
        var attacks = document.RootElement.GetProperty("attacks");
        double Seconds(int row) => attacks[row].GetProperty("seconds").GetDouble();
        Assert.Equal(Seconds(1) / Seconds(0), attacks[0].GetProperty("speedUpOverCw").GetDouble(), Rounding);
        Assert.Equal(1, attacks[1].GetProperty("speedUpOverCw").GetDouble());
    }

    [Fact]
    public void The_seed_applies_to_every_attack_that_draws_random_numbers()
    {
        JsonElement Compare(string seed) => JsonDocument.Parse(Invocation.Of("compare", "--attacks", "tr[radius=0.5],pgd[max-iterations=3,tolerance=0.2]", "--norm", "linf", "--limit", "2", "--quiet", "--json", "--seed", seed).AssertDone().Output).RootElement;
        double Mean(JsonElement comparison, int row) => comparison.GetProperty("attacks")[row].GetProperty("relativePerturbation").GetProperty("mean").GetDouble();
        var (one, again, other) = (Compare("1"), Compare("1"), Compare("2"));
        Assert.Equal(1, one.GetProperty("seed").GetInt64());
        Assert.Equal(Mean(one, 1), Mean(again, 1));
        Assert.NotEqual(Mean(one, 1), Mean(other, 1));
        Assert.Equal(Mean(one, 0), Mean(other, 0));
    }

    [Fact]
    public void Invalid_input_creates_no_folder()
    {
        Invocation.Of("compare", "--attacks", "tr,tr", "--out", _folder["results"], "--limit", "2").AssertRefused();
        Assert.False(Directory.Exists(_folder["results"]));
    }
}
