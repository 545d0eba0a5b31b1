using Brink.Cli.Report;
using Brink.Reports.Testing;

namespace Brink.Cli.Tests.Report;

/// <summary>The file of a report, on runs without a network.</summary>
public sealed class ReportFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ReportFileTests() => new ExampleRun().Write(_folder["run"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_older_report_stays_if_the_new_one_cannot_be_made()
    {
        var path = ReportFile.Write([_folder["run"]]);
        Assert.Equal(Path.Combine(_folder["run"], "report.html"), path);
        var before = File.ReadAllBytes(path);
        File.WriteAllBytes(Path.Combine(_folder["run"], "images.parquet"), "PAR1 nothing of the kind PAR1"u8.ToArray());
        Assert.Contains("images.parquet is damaged", Assert.Throws<BadInputException>(() => ReportFile.Write([_folder["run"]])).Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(path));
    }

    [Fact]
    public void New_results_remove_an_older_report()
    {
        var path = ReportFile.Write([_folder["run"]]);
        new ExampleRun { Seed = 2 }.Write(_folder["run"]);
        Assert.False(File.Exists(path), "The report describes the replaced results.");
    }

    [Fact]
    public void A_folder_as_file_is_refused()
    {
        var message = Assert.Throws<BadInputException>(() => ReportFile.Write([_folder["run"]], _folder["run"])).Message;
        Assert.Contains("needs the name of a file", message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_folder["run"], "report.html")));
    }

    [Fact]
    public void A_missing_run_is_refused() => Assert.Throws<BadInputException>(() => ReportFile.Write([_folder["nowhere"]]));

    [Fact]
    public void Several_runs_need_a_file()
    {
        new ExampleRun { Attack = "deepfool", Seed = 2 }.Write(_folder["other"]);
        Assert.Throws<BadInputException>(() => ReportFile.Write([_folder["run"], _folder["other"]]));
        Assert.True(File.Exists(ReportFile.Write([_folder["run"], _folder["other"]], _folder["both.html"])));
    }
}
