using System.Globalization;
using System.Text.RegularExpressions;
using Brink.Batching;
using Brink.Data;
using Brink.Evaluation.Pictures;
using Brink.Evaluation.Results;
using Brink.Evaluation.Running;
using static TorchSharp.torch;

namespace Brink.Evaluation.Output;

/// <summary>The folder <c>png</c> of a run: every adversarial image as a picture of 8 bits, named by its place in the data set.</summary>
public static partial class PictureFolder
{
    private const string Name = "png";
    private const int BatchSize = AttackEvaluation.DefaultBatchSize;

    /// <summary>Writes the adversarial images of a run, and asks the network about what was written.</summary>
    /// <param name="run">The run; its folder gets the pictures.</param>
    /// <param name="model">The network that was attacked, on <paramref name="device"/>.</param>
    /// <param name="device">Where to compute; null for the CPU.</param>
    /// <returns>How many of them survive rounding.</returns>
    /// <exception cref="BadInputException">A picture cannot be written, or images of this many channels cannot be pictures.</exception>
    public static RoundedImages Write(SavedRun run, OpenedModel model, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(model);
        var folder = Prepare(run.Folder);
        using var evaluation = model.Classifier.EnterEvaluation();
        using var withoutGradients = no_grad();
        var fooled = Enumerable.Range(0, run.Fooled.Count).Where(row => run.Fooled[row]).ToArray();
        var still = 0;
        foreach (var rows in fooled.Chunk(BatchSize))
        {
            using var scope = NewDisposeScope();
            using var largest = Scalars.Of(255);
            var pixels = run.AdversarialPixels(tensor(rows.Select(row => (long)row).ToArray())).mul(largest).round().div(largest);
            if (pixels.dim() != 4 || pixels.shape[1] is not (1 or 3))
            {
                throw new BadInputException($"A picture has one channel or three, but these images have shape [{string.Join(", ", pixels.shape.Skip(1))}]; drop --png.");
            }

            var inputs = model.FromPixels(pixels);
            var predictions = model.Classifier.Logits(device is null ? inputs : inputs.to(device)).argmax(1).cpu().data<long>().ToArray();
            for (var position = 0; position < rows.Length; position++)
            {
                var row = rows[position];
                still += run.Fools(row, predictions[position]) ? 1 : 0;
                using var picture = PixelPicture.Of(pixels[position]);
                var png = PixelPicture.ToPng(picture);
                AtomicFile.Write(Path.Combine(folder, $"{run.Index(row).ToString("D6", CultureInfo.InvariantCulture)}.png"), stream => stream.Write(png));
            }
        }

        return new(fooled.Length, still);
    }

    /// <summary>Removes the pictures of an earlier run, and their folder unless something else is in it.</summary>
    /// <param name="run">The folder of the run.</param>
    /// <exception cref="IOException">One cannot be removed.</exception>
    /// <exception cref="UnauthorizedAccessException">One cannot be removed.</exception>
    internal static void Delete(string run)
    {
        var folder = Path.Combine(run, Name);
        if (!Directory.Exists(folder))
        {
            return;
        }

        // What has another name is somebody else's.
        foreach (var path in Directory.EnumerateFiles(folder).Where(path => Picture().IsMatch(Path.GetFileName(path))).ToArray())
        {
            File.Delete(path);
        }

        if (!Directory.EnumerateFileSystemEntries(folder).Any())
        {
            Directory.Delete(folder);
        }
    }

    /// <summary>The folder, without the pictures of an earlier run.</summary>
    private static string Prepare(string run)
    {
        var folder = Path.Combine(run, Name);
        try
        {
            Delete(run);
            Directory.CreateDirectory(folder);
            return folder;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"The pictures need a folder that can be written to, but {folder} cannot ({exception.Message.TrimEnd('.')}); free space or choose another.", exception);
        }
    }

    /// <summary>The name of a picture, also of one that a killed process was still writing.</summary>
    [GeneratedRegex(@"^[0-9]{6,}\.png(\.[0-9a-f]{32}\.partial)?$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Picture();
}
