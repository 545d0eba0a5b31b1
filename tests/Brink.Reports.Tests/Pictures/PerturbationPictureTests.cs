using System.Xml.Linq;
using Brink.Attacks;
using Brink.Evaluation.Runs;
using Brink.Reports.Pictures;
using Brink.Reports.Testing;
using SkiaSharp;
using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Reports.Tests.Pictures;

public sealed class PerturbationPictureTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_strength_of_a_pixel_is_its_length_over_the_channels()
    {
        using var scope = NewDisposeScope();
        var change = tensor(new[] { 0.3f, 0f, -0.4f, -0.5f }, [2, 1, 2]);
        Assert.Equal([0.5f, 0.5f], PixelPicture.Strengths(change, Norm.L2).data<float>().ToArray());
        Assert.Equal([0.4f, 0.5f], PixelPicture.Strengths(change, Norm.LInf).data<float>().ToArray());
        Assert.All(PixelPicture.Strengths(change, Norm.L1).data<float>().ToArray().Zip([0.7f, 0.5f]), pair => Assert.Equal(pair.Second, pair.First, 1e-6f));
    }

    [Fact]
    public void The_strongest_pixel_has_the_brightest_colour_and_zero_the_darkest()
    {
        using var scope = NewDisposeScope();
        var strengths = tensor(new[] { 0f, 0.1f, 0.2f }, [1, 3]);
        using var picture = PixelPicture.OfStrengths(strengths, 0.2);
        Assert.Equal([HeatColors.At(0), HeatColors.At(0.5), HeatColors.At(1)], picture.Pixels);
        var brightness = Enumerable.Range(0, 256).Select(level => HeatColors.At(level / 255.0)).Select(color => (0.2126 * color.Red) + (0.7152 * color.Green) + (0.0722 * color.Blue)).ToArray();
        Assert.All(brightness.Zip(brightness.Skip(8)), pair => Assert.True(pair.Second > pair.First, "A stronger perturbation is not brighter."));
    }

    [Fact]
    public void Enlarging_turns_every_pixel_into_a_square_of_its_colour()
    {
        using var picture = new SKBitmap(2, 2) { Pixels = [SKColors.Red, SKColors.Lime, SKColors.Blue, SKColors.White] };
        using var large = PixelPicture.Enlarge(picture, 3);
        Assert.Equal((6, 6), (large.Width, large.Height));
        for (var place = 0; place < 36; place++)
        {
            Assert.Equal(picture.GetPixel(place % 6 / 3, place / 6 / 3), large.GetPixel(place % 6, place / 6));
        }
    }

    [Theory]
    [Trait("speed", "slow")]
    [InlineData(1, 28, 28)]
    [InlineData(3, 224, 160)]
    [InlineData(2, 5, 300)]
    public void Images_of_any_size_and_number_of_channels_are_drawn(int channels, int height, int width)
    {
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        new ExampleRun { Images = 3, Channels = channels, Height = height, Width = width, Exit = row => row == 0 ? AttackExit.Misclassified : row == 1 ? AttackExit.IterationLimit : AttackExit.Fooled }.Write(Folder("run"));
        using (var run = SavedRun.Read(Folder("run")))
        {
            var picture = PerturbationPicture.Of([run], [0, 1, 2]);
            using var bitmap = SKBitmap.Decode(picture.ToPng());
            Assert.Equal((2 * 432, 1), (bitmap.Width, Math.Sign(bitmap.Height - 1000)));
            var texts = Texts(picture);
            Assert.Contains("not attacked", texts, StringComparer.Ordinal);
            Assert.Contains("not fooled", texts, StringComparer.Ordinal);
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Theory]
    [InlineData("l2")]
    [InlineData("l1")]
    [Trait("speed", "slow")]
    public void Names_are_text_and_lengths_are_those_of_the_results(string norm)
    {
        var summary = new ExampleRun { Norm = norm, Images = 1, Exit = _ => AttackExit.Fooled, ClassNames = [.. Enumerable.Repeat("<b>&", 10)], Space = "normalized" }.Write(Folder("run"));
        using var run = SavedRun.Read(Folder("run"));
        var picture = PerturbationPicture.Of([run], [0]);
        var texts = Texts(picture);
        Assert.Equal(2, texts.Count(text => text == "<b>&"));
        Assert.Contains(FormattableString.Invariant($"{(norm == "l1" ? FormattableString.Invariant($"L1 {summary.Perturbation.L1!.Worst:G3} · ") : "")}L2 {summary.Perturbation.L2.Worst:G3} · L∞ {summary.Perturbation.LInf.Worst:G3}"), texts, StringComparer.Ordinal);
    }

    [Fact]
    public void Runs_over_other_images_and_missing_images_are_refused()
    {
        new ExampleRun().Write(Folder("a"));
        new ExampleRun { Seed = 2 }.Write(Folder("b"));
        using SavedRun a = SavedRun.Read(Folder("a")), b = SavedRun.Read(Folder("b"));
        Assert.Contains("differs from", Assert.Throws<BadInputException>(() => PerturbationPicture.Of([a, b], [3])).Message, StringComparison.Ordinal);
        Assert.Contains("images 0 to 39, but 40", Assert.Throws<BadInputException>(() => PerturbationPicture.Of([a], [40])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Runs_of_different_norms_are_refused()
    {
        new ExampleRun().Write(Folder("a"));
        new ExampleRun { Norm = "linf" }.Write(Folder("b"));
        using SavedRun a = SavedRun.Read(Folder("a")), b = SavedRun.Read(Folder("b"));
        Assert.Contains("draw one picture per norm", Assert.Throws<BadInputException>(() => PerturbationPicture.Of([a, b], [3])).Message, StringComparison.Ordinal);
    }

    private static string[] Texts(PerturbationPicture picture) => [.. XDocument.Parse(picture.ToSvg()).Descendants().Where(element => element.Name.LocalName == "text").Select(element => element.Value.Trim())];

    private string Folder(string name) => _folder[name];
}
