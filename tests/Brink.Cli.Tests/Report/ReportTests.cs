using System.Text.Json;

namespace Brink.Cli.Tests.Report;

[Trait("speed", "slow")]
public sealed class ReportTests : IDisposable
{
    private static readonly string[] Attack = ["attack", "--limit", "4", "--quiet", "--out"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Attack_and_report_write_the_same_page()
    {
        Assert.Contains("report.html", Invocation.Of([.. Attack, _folder["run"]]).AssertDone().Output, StringComparison.Ordinal);
        var path = Path.Combine(_folder["run"], "report.html");
        var page = File.ReadAllText(path);
        Assert.Contains("stop", page, StringComparison.Ordinal);
        File.Delete(path);
        Assert.Contains(path, Invocation.Of("report", _folder["run"]).AssertDone().Output, StringComparison.Ordinal);
        Assert.Equal(page, File.ReadAllText(path));
        Assert.Contains(_folder["here.html"], Invocation.Of("report", _folder["run"], "--out", _folder["here.html"]).AssertDone().Output, StringComparison.Ordinal);
        Assert.Equal(page, File.ReadAllText(_folder["here.html"]));
    }

    [Fact]
    public void If_the_report_cannot_be_written_the_results_are_printed_and_stored()
    {
        var blocked = Path.Combine(_folder["run"], "report.html");
        Directory.CreateDirectory(blocked);
        var run = Invocation.Of([.. Attack, _folder["run"], "--json"]);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("report.html", run.Error, StringComparison.Ordinal);
        using var printed = JsonDocument.Parse(run.Output);
        Assert.Equal(4, printed.RootElement.GetProperty("images").GetInt32());
        Assert.Equal(run.Output.TrimEnd(), File.ReadAllText(Path.Combine(_folder["run"], "results.json")));

        Directory.Delete(blocked);
        Invocation.Of([.. Attack, _folder["run"], "--resume"]).AssertDone();
        Assert.True(File.Exists(blocked), "The complete run should have got its report.");
    }

    [Fact]
    public void A_report_of_several_runs_needs_a_file_whose_folder_is_created()
    {
        Invocation.Of([.. Attack, _folder["a"]]).AssertDone();
        Invocation.Of([.. Attack, _folder["b"], "--attack", "deepfool"]).AssertDone();
        var (a, b) = (File.ReadAllText(_folder["a/report.html"]), File.ReadAllText(_folder["b/report.html"]));
        Assert.Contains("add --out", Invocation.Of("report", _folder["a"], _folder["b"]).AssertRefused(), StringComparison.Ordinal);
        Invocation.Of("report", _folder["a"], _folder["b"], "--out", _folder["new/folder/both.html"]).AssertDone();
        Assert.Contains("Comparison of the attacks", File.ReadAllText(_folder["new/folder/both.html"]), StringComparison.Ordinal);
        Assert.Equal((a, b), (File.ReadAllText(_folder["a/report.html"]), File.ReadAllText(_folder["b/report.html"])));
        Assert.Contains("could not be created", Invocation.Of("report", _folder["a"], "--out", _folder["a/report.html/x.html"]).AssertRefused(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_report_needs_a_run()
    {
        Invocation.Of("report").AssertRefused();
        Assert.Contains("an empty name was given", Invocation.Of("report", _folder["nothing"], "--out", "").AssertRefused(), StringComparison.Ordinal);
        Assert.Contains("results.json", Invocation.Of("report", _folder["nothing"]).AssertRefused(), StringComparison.Ordinal);
    }
}
