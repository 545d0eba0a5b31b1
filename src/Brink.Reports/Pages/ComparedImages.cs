using Brink.Evaluation.Runs;
using Brink.Reports.Pictures;
using SkiaSharp;
using static TorchSharp.torch;

namespace Brink.Reports.Pages;

/// <summary>Images that all attacks fooled, with what each attack made of them.</summary>
/// <param name="runs">Runs over the same images.</param>
/// <param name="labels">What tells the runs apart.</param>
internal sealed class ComparedImages(IReadOnlyList<ReportedRun> runs, IReadOnlyList<string> labels)
{
    // With more attacks than this the pictures alone would be megabytes.
    private const int MostRuns = 8;

    /// <summary>The easiest, a middle and the hardest image; empty where no image was fooled by all.</summary>
    public Html Render()
    {
        var shown = runs.Take(MostRuns).ToArray();
        var byIndex = shown.Select(run => run.Fooled.ToDictionary(image => image.Index)).ToArray();
        var common = shown[0].Fooled.Where(image => byIndex.All(fooled => fooled.ContainsKey(image.Index)))
            .OrderBy(shown[0].Length).ThenBy(image => image.Index).ToArray();
        if (common.Length == 0)
        {
            return Html.Empty;
        }

        var chosen = new[] { 0, common.Length / 2, common.Length - 1 }.Distinct().Select(position => common[position]);
        return Html.Of($"""
            <h3>The same images, attacked by each</h3>
            <p class="note">The easiest, a middle and the hardest image, by what {labels[0]} needed. Under each changed image, where the change is: first on one scale for all attacks, so that a fainter picture is a smaller change, then each on its own.{(shown.Length < runs.Count ? $" The first {MostRuns} runs." : "")}</p>
            {chosen.Select(image => One(shown, [.. byIndex.Select(fooled => fooled[image.Index])]))}
            """);
    }

    private Html One(ReportedRun[] shown, SavedImage[] images)
    {
        using var scope = NewDisposeScope();
        var pixels = shown.Select((run, number) => run.Pixels(images[number])).ToArray();
        var strengths = pixels.Select((pair, number) => PixelPicture.Strengths(pair.Adversarial - pair.Original, shown[number].IsLInf)).ToArray();
        var scales = strengths.Select(strength => (double)strength.max().item<float>()).ToArray();
        using var original = PixelPicture.Of(pixels[0].Original);
        var label = shown[0].ClassName(images[0].Label);
        return Html.Of($"""
            <div class="compared"><figure><div>{Gallery.Picture(original, $"Image {images[0].Index}, {label}")}</div><figcaption><b>{label}</b><br><span class="quiet">image {images[0].Index}</span></figcaption></figure>
            {shown.Select((_, number) => Attacked(number))}</div>
            """);

        Html Attacked(int number)
        {
            var (run, image) = (shown[number], images[number]);
            using SKBitmap adversarial = PixelPicture.Of(pixels[number].Adversarial), shared = PixelPicture.OfStrengths(strengths[number], scales.Max()), own = PixelPicture.OfStrengths(strengths[number], scales[number]);
            var became = run.ClassName(image.PredictionAfter);
            return Html.Of($"""
                <figure><div>{Gallery.Picture(adversarial, $"Changed by {labels[number]}, taken for {became}")}{Gallery.Picture(shared, "Its change on the shared scale")}{Gallery.Picture(own, "Its change on its own scale")}</div><figcaption><b>{became}</b><br><span class="quiet">{labels[number]}<br>L2 {Printed.Length(image.L2)} · L∞ {Printed.Length(image.LInf)}</span></figcaption></figure>
                """);
        }
    }
}
