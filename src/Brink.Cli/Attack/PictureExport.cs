using Brink.Data;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using Brink.Reports.Pictures;
using static TorchSharp.torch;

namespace Brink.Cli.Attack;

/// <summary>Writes the adversarial images of a run as 8-bit PNG files and counts those that still fool the model.</summary>
internal static class PictureExport
{
    private const int BatchSize = AttackEvaluation.DefaultBatchSize;

    /// <summary>Writes the pictures and classifies the rounded images.</summary>
    /// <param name="run">The run; the pictures are written below its folder.</param>
    /// <param name="model">The attacked model, on <paramref name="device"/>.</param>
    /// <param name="device">The device to compute on; null for the CPU.</param>
    /// <returns>The number of images and of those that still fool the model after rounding.</returns>
    /// <exception cref="BadInputException">A picture cannot be written, or the images have neither one nor three channels.</exception>
    public static RoundedImages Write(SavedRun run, OpenedModel model, Device? device)
    {
        var folder = PictureFolder.Prepare(run.Folder);
        using var evaluation = model.Classifier.EnterEvaluation();
        using var withoutGradients = no_grad();
        var fooled = Enumerable.Range(0, run.Fooled.Count).Where(row => run.Fooled[row]).ToArray();
        var still = 0;
        foreach (var rows in fooled.Chunk(BatchSize))
        {
            using var scope = NewDisposeScope();
            var pixels = PixelPicture.Rounded(run.AdversarialPixels(tensor(rows.Select(row => (long)row).ToArray())));
            if (pixels.dim() != 4 || pixels.shape[1] is not (1 or 3))
            {
                throw new BadInputException($"A PNG file needs one or three channels, but the images have the shape [{string.Join(", ", pixels.shape.Skip(1))}]; remove --png.");
            }

            var stillFooled = run.Fools(rows, model.Logits(model.FromPixels(pixels), device));
            for (var position = 0; position < rows.Length; position++)
            {
                var row = rows[position];
                still += stillFooled[position] ? 1 : 0;
                using var picture = PixelPicture.Of(pixels[position]);
                var png = PixelPicture.ToPng(picture);
                AtomicFile.Write(PictureFolder.PicturePath(folder, run.Index(row)), stream => stream.Write(png));
            }
        }

        return new(fooled.Length, still);
    }
}
