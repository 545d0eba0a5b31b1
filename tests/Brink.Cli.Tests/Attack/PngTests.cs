using System.Text.Json;
using Brink.Models;
using SkiaSharp;

namespace Brink.Cli.Tests.Attack;

[Trait("speed", "slow")]
public sealed class PngTests : IDisposable
{
    private static readonly string[] Flags = ["attack", "--limit", "12", "--quiet", "--norm", "linf"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_fooled_image_is_written_as_PNG_and_those_that_still_fool_are_counted()
    {
        var run = Invocation.Of([.. Flags, "--png", "--out", _folder["run"]]).AssertDone();
        using var results = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder["run"], "results.json")));
        var (fooled, rounded) = (results.RootElement.GetProperty("fooled").GetInt32(), results.RootElement.GetProperty("rounded"));
        Assert.Equal(fooled, rounded.GetProperty("images").GetInt32());
        Assert.InRange(rounded.GetProperty("stillFooled").GetInt32(), 0, fooled - 1);
        Assert.Contains($"{rounded.GetProperty("stillFooled").GetInt32()} of {fooled} still fool", run.Output, StringComparison.Ordinal);
        Assert.Equal(fooled, Pictures().Length);
        using var picture = SKBitmap.Decode(Pictures()[0]);
        Assert.Equal((32, 32), (picture.Width, picture.Height));
    }

    [Fact]
    public void Quantized_images_still_fool_and_are_written_exactly()
    {
        Invocation.Of([.. Flags, "--quantized", "--png", "--out", _folder["run"]]).AssertDone();
        using var results = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder["run"], "results.json")));
        var rounded = results.RootElement.GetProperty("rounded");
        Assert.True(results.RootElement.GetProperty("options").GetProperty("quantized").GetBoolean());
        Assert.Equal(rounded.GetProperty("images").GetInt32(), rounded.GetProperty("stillFooled").GetInt32());
        var tensors = Safetensors.Read(Path.Combine(_folder["run"], "adversarial.safetensors"));
        var (adversarial, fooled) = (tensors["adversarial"], tensors["fooled"].data<byte>().ToArray());
        var pictures = Pictures();
        for (var (row, picture) = (0, 0); row < 12; row++)
        {
            if (fooled[row] == 0)
            {
                continue;
            }

            using var bitmap = SKBitmap.Decode(pictures[picture++]);
            var (x, y) = (7, 19);
            var color = bitmap.GetPixel(x, y);
            Assert.Equal([color.Red, color.Green, color.Blue], Enumerable.Range(0, 3).Select(channel => (byte)Math.Round(adversarial[row, channel, y, x].item<float>() * 255)).ToArray());
        }
    }

    [Fact]
    public void PNG_files_can_be_added_to_a_finished_run_and_a_new_run_removes_them()
    {
        Invocation.Of([.. Flags, "--out", _folder["run"]]).AssertDone();
        Assert.False(Directory.Exists(Path.Combine(_folder["run"], "png")));
        Invocation.Of([.. Flags, "--png", "--resume", "--out", _folder["run"]]).AssertDone();
        var all = Pictures().Length;
        Invocation.Of(["attack", "--limit", "3", "--quiet", "--png", "--out", _folder["run"]]).AssertDone();
        Assert.InRange(Pictures().Length, 1, all - 1);
    }

    [Fact]
    public void A_new_run_removes_the_PNG_files_of_an_earlier_run_but_no_other_files()
    {
        Invocation.Of([.. Flags, "--png", "--out", _folder["run"]]).AssertDone();
        string[] foreign = ["holiday.png", "00001.png", "000001.jpg", "x000001.png"];
        foreach (var name in foreign)
        {
            File.WriteAllText(Path.Combine(_folder["run"], "png", name), "mine");
        }

        Invocation.Of([.. Flags, "--png", "--resume", "--out", _folder["run"]]).AssertDone();
        Assert.Empty(foreign.Except(Pictures().Select(path => Path.GetFileName(path)), StringComparer.Ordinal));
        Assert.True(Pictures().Length > foreign.Length, "The PNG files are missing.");

        Invocation.Of("attack", "--limit", "3", "--quiet", "--out", _folder["run"]).AssertDone();
        Assert.Equal(foreign.Order(StringComparer.Ordinal), Pictures().Select(path => Path.GetFileName(path)), StringComparer.Ordinal);
        Array.ForEach(Pictures(), File.Delete);

        Invocation.Of([.. Flags, "--png", "--out", _folder["run"]]).AssertDone();
        Invocation.Of("attack", "--limit", "3", "--quiet", "--out", _folder["run"]).AssertDone();
        Assert.False(Directory.Exists(Path.Combine(_folder["run"], "png")), "The folder png of the removed run still exists.");
    }

    [Theory]
    [InlineData("add --out FOLDER", "--png")]
    [InlineData("remove the epsilon", "--quantized", "--attack", "ifgsm", "--epsilon", "0.1")]
    public void Invalid_combinations_are_refused(string fragment, params string[] flags) =>
        Assert.Contains(fragment, Invocation.Of(["attack", .. flags]).AssertRefused(), StringComparison.Ordinal);

    private string[] Pictures() => [.. Directory.GetFiles(Path.Combine(_folder["run"], "png")).Order(StringComparer.Ordinal)];
}
