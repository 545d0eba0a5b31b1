using System.Xml.Linq;
using Brink.Data;

namespace Brink.Cli.Tests.Picture;

[Trait("speed", "slow")]
public sealed class PictureTests : IDisposable
{
    private static readonly byte[] Png = [0x89, (byte)'P', (byte)'N', (byte)'G'];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Images_of_a_run_are_drawn_as_PNG_and_SVG()
    {
        Invocation.Of("attack", "--limit", "4", "--quiet", "--out", _folder["run"]).AssertDone();
        Assert.Contains(_folder["a.png"], Invocation.Of("picture", _folder["run"], "--index", "0,2", "--out", _folder["a.png"]).AssertDone().Output, StringComparison.Ordinal);
        Assert.Equal(Png, File.ReadAllBytes(_folder["a.png"])[..4]);
        Invocation.Of("picture", _folder["run"], "--index", "2", "--out", _folder["new/a.png"]).AssertDone();
        Assert.Equal(Png, File.ReadAllBytes(_folder["new/a.png"])[..4]);
        Invocation.Of("picture", _folder["run"], "--index", "2", "--out", _folder["a.svg"]).AssertDone();
        // The weights are embedded, so the confidence can be computed.
        Assert.Equal(2, XDocument.Load(_folder["a.svg"]).Descendants().Count(element => element.Value.Trim().StartsWith("confidence", StringComparison.Ordinal) && !element.HasElements));
        Assert.Contains("images 0 to 3", Invocation.Of("picture", _folder["run"], "--index", "9", "--out", _folder["b.png"]).AssertRefused(), StringComparison.Ordinal);
        Assert.Contains(".png or .svg", Invocation.Of("picture", _folder["run"], "--index", "1", "--out", _folder["b.jpg"]).AssertRefused(), StringComparison.Ordinal);
        Assert.Contains("whole numbers", Invocation.Of("picture", _folder["run"], "--index", "one", "--out", _folder["b.png"]).AssertRefused(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_folder_of_a_comparison_can_be_given_instead_of_its_runs()
    {
        Invocation.Of("compare", "--attacks", "deepfool,tr[refine=0]", "--limit", "2", "--quiet", "--out", _folder["comparison"]).AssertDone();
        Invocation.Of("report", _folder["comparison"]).AssertDone();
        Invocation.Of("report", _folder["comparison/deepfool"], _folder["comparison/tr"], "--out", _folder["runs.html"]).AssertDone();
        Assert.Equal(File.ReadAllText(_folder["runs.html"]), File.ReadAllText(_folder["comparison/report.html"]));
        Invocation.Of("picture", _folder["comparison"], "--index", "1", "--out", _folder["a.svg"]).AssertDone();
        Assert.Contains("deepfool", File.ReadAllText(_folder["a.svg"]), StringComparison.Ordinal);
        File.WriteAllText(_folder["comparison/comparison.json"], "{}");
        Assert.Contains("cannot be read", Invocation.Of("report", _folder["comparison"]).AssertRefused(), StringComparison.Ordinal);
        File.WriteAllText(_folder["comparison/comparison.json"], "");
        Assert.Contains("comparison.json is empty", Invocation.Of("report", _folder["comparison"]).AssertRefused(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_picture_needs_a_run_an_index_and_a_file()
    {
        Assert.Contains("no folder", Invocation.Of("picture").AssertRefused(), StringComparison.Ordinal);
        Assert.Contains("no --index", Invocation.Of("picture", "run", "--out", "a.png").AssertRefused(), StringComparison.Ordinal);
        Assert.Contains("no --out", Invocation.Of("picture", "run", "--index", "1").AssertRefused(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_slice_needs_no_run()
    {
        Invocation.Of("picture", "slice", "--index", "7", "--attacks", "deepfool,tr[refine=0]", "--threads", "1", "--out", _folder["slice.svg"]).AssertDone();
        Assert.Contains("tr[refine=0]: L2", File.ReadAllText(_folder["slice.svg"]), StringComparison.Ordinal);
        Invocation.Of("picture", "slice", "--index", "7", "--attacks", "tr[max-iterations=1,refine=0]", "--norm", "linf", "--space", "normalized", "--threads", "1", "--out", _folder["slice.png"]).AssertDone();
        Assert.Equal(Png, File.ReadAllBytes(_folder["slice.png"])[..4]);
    }

    [Fact]
    public void A_slice_needs_an_attackable_image_and_comparable_attacks()
    {
        Assert.Contains("already has the target class", Invocation.Of("picture", "slice", "--index", "7", "--attacks", "deepfool,tr", "--target", $"{DataCatalog.Open("signs", skip: 7, limit: 1).Label(0)}", "--out", _folder["a.svg"]).AssertRefused(), StringComparison.Ordinal);
        Assert.Contains("one norm", Invocation.Of("picture", "slice", "--index", "7", "--attacks", "tr[norm=l2],tr[norm=linf]", "--out", _folder["a.svg"]).AssertRefused(), StringComparison.Ordinal);
        Invocation.Of("picture", "slice", "--out", _folder["a.svg"]).AssertRefused();
    }
}
