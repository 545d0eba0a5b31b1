using Brink.Evaluation.Runs;
using Brink.Reports.Pictures;
using SkiaSharp;

namespace Brink.Reports.Pages;

/// <summary>Renders examples of a run: images with the shortest, with medium and with the longest perturbations.</summary>
/// <param name="run">The run.</param>
internal sealed class Gallery(ReportedRun run)
{
    /// <summary>The number of images in each group.</summary>
    /// <value>3, one row on a desktop screen.</value>
    private const int GroupSize = 3;

    // Uncompressed, with three bytes per pixel, the 27 pictures of a run then take less than 2 MB.
    private const int LongestSide = 128;

    /// <summary>Renders the examples.</summary>
    /// <returns>The HTML, empty if no image was fooled.</returns>
    public Html Render()
    {
        var groups = Choose();
        if (groups.Count == 0)
        {
            return Html.Empty;
        }

        var size = Size();
        var reduced = Math.Max(size.Width, size.Height) > LongestSide ? FormattableString.Invariant($" Images of {size.Width} × {size.Height} pixels are shown reduced.") : "";
        return Html.Of($"""
            <section><h3>Examples</h3>
            <p class="note">Each example shows the original image, the adversarial image and the perturbation, and is chosen by the {Norm.Parse(run.Summary.Norm).DisplayName} length of the perturbation. Brighter pixels of the perturbation changed more; each perturbation has its own scale, and “up to” is the change at its brightest pixel.{reduced}</p>
            {groups.Select(group => Html.Of($"""<h4>{group.Title}</h4><div class="gallery">{group.Images.Select(Example)}</div>"""))}
            </section>
            """);
    }

    /// <summary>Renders a picture as an embedded PNG image.</summary>
    /// <param name="picture">The picture, reduced if it is larger than 128 pixels.</param>
    /// <param name="description">The description for screen readers.</param>
    /// <returns>The HTML.</returns>
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

    /// <summary>Chooses the images, in three groups or, if there are few, in one.</summary>
    private IReadOnlyList<(string Title, IReadOnlyList<SavedImage> Images)> Choose()
    {
        var sorted = run.Fooled.OrderBy(run.Length).ThenBy(image => image.Index).ToArray();
        if (sorted.Length <= 3 * GroupSize)
        {
            return sorted.Length == 0 ? [] : [(sorted.Length == 1 ? "Fooled image" : "All fooled images, shortest perturbations first", sorted)];
        }

        var middle = (sorted.Length - GroupSize) / 2;
        return
        [
            ("Shortest perturbations", sorted[..GroupSize]),
            ("Medium perturbations", sorted[middle..(middle + GroupSize)]),
            ("Longest perturbations", sorted[^GroupSize..]),
        ];
    }

    private Html Example(SavedImage image)
    {
        var (before, after) = run.Pixels(image);
        using var original = before;
        using var adversarial = after;
        using var perturbation = adversarial - original;
        using var strengths = PixelPicture.Strengths(perturbation, run.Norm);
        using var largest = strengths.max();
        var scale = (double)largest.item<float>();
        using SKBitmap left = PixelPicture.Of(original), middle = PixelPicture.Of(adversarial), right = PixelPicture.OfStrengths(strengths, scale);
        var (label, prediction) = (run.ClassName(image.Label), run.ClassName(image.PredictionAfter));
        return Html.Of($"""
            <figure class="case"><div class="triple">{Picture(left, $"Image {image.Index}, {label}")}{Picture(middle, $"Adversarial image, classified as {prediction}")}{Picture(right, "Perturbation")}</div>
            <figcaption><b>{label}</b> → <b>{prediction}</b><br><span class="quiet">image {image.Index} · {run.Lengths(image)} · {NumberText.Percent(double.IsFinite(image.Relative) ? image.Relative : null)} · up to {NumberText.Length(scale * ReportedRun.Levels)} of {ReportedRun.Levels} levels</span></figcaption></figure>
            """);
    }
}
