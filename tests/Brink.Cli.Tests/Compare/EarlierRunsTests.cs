using System.Globalization;
using System.Text.Json.Nodes;

namespace Brink.Cli.Tests.Compare;

/// <summary>Comparisons with earlier runs in folders and with envelope files.</summary>
[Trait("speed", "slow")]
public sealed class EarlierRunsTests : IDisposable
{
    private const double Rounding = 1e-12;
    private static readonly string[] Data = ["--limit", "6", "--quiet"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Folders_alone_give_the_comparison_of_their_runs_without_an_attack()
    {
        var whole = Compare(["--attacks", "tr[radius=0.5],deepfool,pgd[epsilon=0.5]", .. Data, "--out", _folder["whole"]]);
        Invocation.Of(["attack", "--attack", "tr[radius=0.5]", .. Data, "--out", _folder["tr"]]).AssertDone();
        var folders = Compare(_folder["tr"], _folder["whole/deepfool"], _folder["whole/pgd"], "--out", _folder["new/folders"]);
        Assert.Equal(["tr", "deepfool", "pgd[epsilon=0.5]"], Names(folders), StringComparer.Ordinal);
        Assert.Equal(File.ReadAllText(_folder["new/folders/comparison.json"]).TrimEnd(), folders.ToJsonString(new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
        foreach (var (one, other) in whole["attacks"]!.AsArray().Zip(folders["attacks"]!.AsArray()))
        {
            Assert.All(["fooled", "forwardsPerImage", "options"], key => Assert.True(JsonNode.DeepEquals(one![key], other![key]), key));
            Assert.Equal((double?)one!["localOptimality"], (double?)other!["localOptimality"]);
            Assert.Equal((double?)one["relativePerturbation"]!["mean"] ?? 0, (double?)other["relativePerturbation"]!["mean"] ?? 0, Rounding);
        }

        Assert.Equal(Lengths(whole), Lengths(folders), StringComparer.Ordinal);
        // The folder of a comparison stands for its runs, also for the runs outside of it.
        Assert.Equal(Lengths(whole), Lengths(Compare(_folder["new/folders"])), StringComparer.Ordinal);
        Invocation.Of("report", _folder["new/folders"]).AssertDone();
        Assert.Equal(3, Invocation.Of("compare", _folder["whole"], "--require", "median>=100").ExitCode);
    }

    [Fact]
    public void The_files_of_a_comparison_give_its_local_optimality()
    {
        Compare(["--attacks", "tr[radius=0.5],deepfool,fgsm[epsilon=0.001]", .. Data, "--out", _folder["whole"]]);
        var saved = JsonNode.Parse(File.ReadAllText(_folder["whole/comparison.json"]))!;
        // The smallest lengths from the tables of the runs; fgsm fools nothing with such an ε.
        using var tr = new Attack.ResultFiles(_folder["whole/tr"]);
        using var deepfool = new Attack.ResultFiles(_folder["whole/deepfool"]);
        double[][] Fooled(params Attack.ResultFiles[] runs) => [.. runs.Select(run => run.Column<double>("l2").Where((_, row) => run.Column<string>("exit")[row] == "fooled").ToArray())];
        var lengths = Fooled(tr, deepfool);
        Assert.Equal(lengths[0].Length, lengths[1].Length);
        var smallest = lengths[0].Zip(lengths[1], Math.Min).ToArray();
        double Expected(double[] found) => found.Sum(length => smallest.Max() - Math.Min(length, smallest.Max())) / smallest.Sum(length => smallest.Max() - length);
        Assert.Equal(Expected(lengths[0]), (double)saved["attacks"]![0]!["localOptimality"]!, Rounding);
        Assert.Equal(Expected(lengths[1]), (double)saved["attacks"]![1]!["localOptimality"]!, Rounding);
        Assert.Null(saved["attacks"]![2]!["localOptimality"]);
        Assert.Equal(smallest.Length, (int)saved["envelope"]!["images"]!);

        var envelope = JsonNode.Parse(File.ReadAllText(_folder["whole/envelope.json"]))!;
        Assert.Equal(["tr[radius=0.5]", "deepfool"], envelope["attacks"]!.AsObject().Select(attack => attack.Key), StringComparer.Ordinal);
        // The same lengths, from the file, make tr alone as good as before, and deepfool is a row of the file.
        var alone = Compare(_folder["whole/tr"], "--envelope", _folder["whole/envelope.json"]);
        Assert.Equal((double)saved["attacks"]![0]!["localOptimality"]!, (double)alone["attacks"]![0]!["localOptimality"]!, Rounding);
        Assert.Equal((double)saved["attacks"]![1]!["localOptimality"]!, (double)alone["envelope"]!["files"]![1]!["localOptimality"]!, Rounding);
        Assert.Equal(1, (double)Compare(_folder["whole/tr"])["attacks"]![0]!["localOptimality"]!);
    }

    [Fact]
    public void Attacks_and_earlier_runs_are_compared_together()
    {
        Invocation.Of(["attack", "--attack", "tr[radius=0.5]", .. Data, "--out", _folder["old/tr"]]).AssertDone();
        var both = Compare([_folder["old/tr"], "--attacks", "tr,deepfool", .. Data, "--out", _folder["new"]]);
        // The earlier run is named apart from the attack of the same name.
        Assert.Equal(["tr (tr)", "tr", "deepfool"], Names(both), StringComparer.Ordinal);
        Assert.Equal([Path.Combine("..", "old", "tr"), "tr", "deepfool"], both["attacks"]!.AsArray().Select(attack => (string)attack!["folder"]!), StringComparer.Ordinal);
        Assert.All(["envelope.json", "optimality.svg", "optimality.png", "comparison.svg"], name => Assert.True(File.Exists(Path.Combine(_folder["new"], name)), name));
        Assert.Equal(Names(both), Names(Compare([_folder["old/tr"], "--attacks", "tr,deepfool", .. Data, "--out", _folder["new"], "--resume"])), StringComparer.Ordinal);
        Assert.Equal(3, Compare(_folder["new"])["attacks"]!.AsArray().Count);
    }

    [Theory]
    [InlineData("norm: here l2, there linf", "--norm", "linf")]
    [InlineData("space: here pixel, there normalized", "--space", "normalized")]
    [InlineData("images: here 6, there 5", "--limit", "5")]
    [InlineData("skip: here 0, there 1", "--skip", "1")]
    [InlineData("mean: here", "--mean", "0.4,0.4,0.4", "--std", "0.2,0.2,0.2")]
    [InlineData("criterion for fooled images: here any wrong class, there any wrong class, with a probability of at least 0.9", "--confidence", "0.9")]
    [InlineData("criterion for fooled images: here any wrong class, there the class 3", "--target", "3")]
    public void Runs_that_do_not_match_are_refused(string fragment, params string[] flags)
    {
        string[] data = [.. flags.Contains("--limit") ? ["--quiet"] : Data, .. flags];
        Invocation.Of(["attack", "--attack", "deepfool", .. Data, "--out", _folder["run"]]).AssertDone();
        var error = Invocation.Of(["compare", _folder["run"], "--attacks", "tr", .. data]).AssertRefused();
        Assert.Contains(fragment, error, StringComparison.Ordinal);
        Invocation.Of(["attack", "--attack", "tr", .. data, "--out", _folder["other"]]).AssertDone();
        error = Invocation.Of("compare", _folder["other"], _folder["run"]).AssertRefused();
        Assert.Contains("The runs of a comparison need one model", error, StringComparison.Ordinal);
        Assert.Contains(fragment, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model", null, "model: here other, there signs")]
    [InlineData("weights", "sha256", "weights: here embedded with SHA-256 other, there embedded with SHA-256")]
    [InlineData("data", "sha256", "data: here signs with SHA-256 other, there signs with SHA-256")]
    public void Models_and_images_are_compared_by_their_content(string key, string? part, string fragment)
    {
        Invocation.Of(["attack", "--attack", "deepfool", .. Data, "--out", _folder["run"]]).AssertDone();
        var run = JsonNode.Parse(File.ReadAllText(_folder["run/run.json"]))!;
        (part is null ? run : run[key]!)[part ?? key] = "other";
        File.WriteAllText(_folder["run/run.json"], run.ToJsonString());
        Assert.Contains(fragment, Invocation.Of(["compare", _folder["run"], "--attacks", "tr", .. Data]).AssertRefused(), StringComparison.Ordinal);
    }

    [Fact]
    public void Folders_that_cannot_take_part_are_refused()
    {
        Invocation.Of(["compare", "--attacks", "deepfool", .. Data, "--out", _folder["whole"]]).AssertDone();
        var run = _folder["whole/deepfool"];
        string Refused(params string[] arguments) => Invocation.Of(["compare", .. arguments]).AssertRefused();
        Assert.Contains("there is no folder 'nowhere'", Refused("nowhere"), StringComparison.Ordinal);
        Assert.Contains("there is no folder ''", Refused(""), StringComparison.Ordinal);
        Assert.Contains("given twice", Refused(_folder["whole"], Path.Combine(run, ".")), StringComparison.Ordinal);
        Assert.Contains("would replace the run", Refused([run, "--attacks", "deepfool", .. Data, "--out", _folder["whole"]]), StringComparison.Ordinal);
        foreach (var flag in new[] { "--model=signs", "--norm=l2", "--space=pixel", "--limit=6", "--resume", "--seed=1" })
        {
            Assert.Contains($"the flag {flag.Split('=')[0]} was given", Refused(run, flag), StringComparison.Ordinal);
        }

        Assert.Contains("need a folder", Refused(run, "--out", ""), StringComparison.Ordinal);
        var text = File.ReadAllText(Path.Combine(run, "run.json"));
        File.WriteAllText(Path.Combine(run, "run.json"), text.Replace("\"images\": 6", "\"images\": 8", StringComparison.Ordinal));
        Assert.Contains("was interrupted after 6 images", Refused(run), StringComparison.Ordinal);
        File.Delete(Path.Combine(run, "run.json"));
        Assert.Contains("needs the run.json", Refused(run), StringComparison.Ordinal);
        File.WriteAllText(_folder["whole/comparison.json"], File.ReadAllText(_folder["whole/comparison.json"]).Replace("\"folder\": \"deepfool\"", "\"folder\": \"/deepfool\"", StringComparison.Ordinal));
        Assert.Contains("relative folders", Refused(_folder["whole"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Envelope_files_that_do_not_fit_are_refused_before_the_first_pass()
    {
        string Envelope(string norm, string index, string distances) => _folder.Write("envelope.json", System.Text.Encoding.UTF8.GetBytes($$"""{"index": {{index}}, "norm": "{{norm}}", "attacks": {"fab": {"forwards": 10, "backwards": 20, "distances": {{distances}} } } }"""));
        string Refused(string file, params string[] flags) => Invocation.Of(["compare", "--attacks", "tr", .. Data, "--out", _folder["results"], "--envelope", file, .. flags]).AssertRefused();
        Assert.Contains("norm should be l2", Refused(Envelope("linf", "[0]", "[1]")), StringComparison.Ordinal);
        Assert.Contains("none of the images 0 to 5", Refused(Envelope("l2", "[6]", "[1]")), StringComparison.Ordinal);
        Assert.Contains("in the space normalized", Refused(Envelope("l2", "[0]", "[1]"), "--space", "normalized"), StringComparison.Ordinal);
        Assert.Contains("the class 3", Refused(Envelope("l2", "[0]", "[1]"), "--target", "3"), StringComparison.Ordinal);
        Assert.Contains("one distance for each", Refused(Envelope("l2", "[0, 1]", "[1]")), StringComparison.Ordinal);
        Assert.Contains("numbers from 0", Refused(Envelope("l2", "[0]", "[-1]")), StringComparison.Ordinal);
        Assert.Contains("cannot be used", Refused(_folder["none.json"]), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["results"]));

        // Images that the file lacks have no length from it.
        var table = Invocation.Of(["compare", "--attacks", "tr,deepfool", .. Data, "--envelope", Envelope("l2", "[0, 1, 700]", "[1e-9, null, 1e-9]")]).AssertDone().Output;
        Assert.Matches(@"│ fab +│ .* │ +10\.0 F, 20\.0 B │", table);
        Assert.Contains("has only 2 of the", table, StringComparison.Ordinal);
    }

    [Fact]
    public void In_the_normalised_space_no_envelope_file_is_written_and_an_older_one_is_removed()
    {
        Compare(["--attacks", "tr", .. Data, "--out", _folder["results"]]);
        Assert.True(File.Exists(_folder["results/envelope.json"]));
        Assert.True(Compare(["--attacks", "tr,deepfool", .. Data, "--space", "normalized", "--out", _folder["results"]])["attacks"]![0]!["localOptimality"] is not null);
        Assert.False(File.Exists(_folder["results/envelope.json"]));
    }

    private static JsonNode Compare(params string[] arguments) => JsonNode.Parse(Invocation.Of(["compare", .. arguments, "--json"]).AssertDone().Output)!;

    private static IEnumerable<string> Names(JsonNode comparison) => comparison["attacks"]!.AsArray().Select(attack => (string)attack!["attack"]!);

    private static IEnumerable<string> Lengths(JsonNode comparison) => comparison["worstCase"]!["imageResults"]!.AsArray().Select(image => string.Create(CultureInfo.InvariantCulture, $"{image!["index"]}: {image["length"]}"));
}
