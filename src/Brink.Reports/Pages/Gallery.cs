using Brink.Evaluation.Runs;
using Brink.Reports.Pictures;
using SkiaSharp;

namespace Brink.Reports.Pages;

/// <summary>Images of a run: the easiest to fool, those in the middle, the hardest.</summary>
/// <param name="run">The run.</param>
internal sealed class Gallery(ReportedRun run)
{
    /// <summary>3 of each kind (ours: a row on a desktop).</summary>
    private const int OfEachKind = 3;

    // At three bytes a pixel, no compression and all pictures of the gallery, still less than 2 MB.
    private const int LongestSide = 128;

    /// <summary>The gallery; empty where nothing was fooled.</summary>
    public Html Render()
    {
        var groups = Choose();
        if (groups.Count == 0)
        {
            return Html.Empty;
        }

        var size = Size();
        var shrunk = Math.Max(size.Width, size.Height) > LongestSide ? FormattableString.Invariant($" Images of {size.Width} × {size.Height} pixels are shown smaller.") : "";
        return Html.Of($"""
            <section><h3>The images</h3>
            <p class="note">By the {Norm.Parse(run.Summary.Norm).DisplayName} length of their change. The third picture of each shows where the change is, brighter where it is larger; every one has a scale of its own, and “up to” says what its brightest pixel stands for.{shrunk}</p>
            {groups.Select(group => Html.Of($"""<h4>{group.Title}</h4><div class="gallery">{group.Images.Select(Case)}</div>"""))}
            </section>
            """);
    }

    /// <summary>PNG as a part of the page.</summary>
    internal static Html Picture(SKBitmap picture, string description)
    {
        using var small = PixelPicture.Shrink(picture, LongestSide);
        return Html.Of($"""<img src="data:image/png;base64,{Convert.ToBase64String(PixelPicture.ToPng(small))}" width="{small.Width}" height="{small.Height}" alt="{description}">""");
    }

    private (int Width, int Height) Size()
    {
        var (original, adversarial) = run.Pixels(run.Fooled[0]);
        using (original)
        using (adversarial)
        {
            return ((int)original.shape[2], (int)original.shape[1]);
        }
    }

    /// <summary>The chosen images; where there are few, all of them in one group.</summary>
    private IReadOnlyList<(string Title, IReadOnlyList<SavedImage> Images)> Choose()
    {
        var sorted = run.Fooled.OrderBy(run.Length).ThenBy(image => image.Index).ToArray();
        if (sorted.Length <= 3 * OfEachKind)
        {
            return sorted.Length == 0 ? [] : [(sorted.Length == 1 ? "The image that was fooled" : "All that were fooled, the easiest first", sorted)];
        }

        var middle = (sorted.Length - OfEachKind) / 2;
        return
        [
            ("The easiest to fool", sorted[..OfEachKind]),
            ("In the middle", sorted[middle..(middle + OfEachKind)]),
            ("The hardest to fool", sorted[^OfEachKind..]),
        ];
    }

    private Html Case(SavedImage image)
    {
        var (before, after) = run.Pixels(image);
        using var original = before;
        using var adversarial = after;
        using var perturbation = adversarial - original;
        using var strengths = PixelPicture.Strengths(perturbation, run.IsLInf);
        using var largest = strengths.max();
        var scale = (double)largest.item<float>();
        using SKBitmap left = PixelPicture.Of(original), middle = PixelPicture.Of(adversarial), right = PixelPicture.OfStrengths(strengths, scale);
        var (label, became) = (run.ClassName(image.Label), run.ClassName(image.PredictionAfter));
        return Html.Of($"""
            <figure class="case"><div class="triple">{Picture(left, $"Image {image.Index}, {label}")}{Picture(middle, $"The same, changed, which the network takes for {became}")}{Picture(right, "Where it was changed")}</div>
            <figcaption><b>{label}</b> → <b>{became}</b><br><span class="quiet">image {image.Index} · L2 {Printed.Length(image.L2)} · L∞ {Printed.Length(image.LInf)} · {Printed.Percent(double.IsFinite(image.Relative) ? image.Relative : null)} · up to {Printed.Length(scale * ReportedRun.Levels)} of {ReportedRun.Levels} levels</span></figcaption></figure>
            """);
    }
}
