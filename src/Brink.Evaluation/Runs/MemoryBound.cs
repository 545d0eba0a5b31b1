using System.Diagnostics;
using Brink.Data;
using Brink.Evaluation.Catalog;
using static TorchSharp.torch;

namespace Brink.Evaluation.Runs;

/// <summary>The memory that a run is expected to need, and the batch size that keeps it within a bound.</summary>
internal static class MemoryBound
{
    // The float32 copies of an image that an attack holds at its peak, beside the graph of the network. Measured on an image of 4000×3000
    // pixels and rounded up (docs/data.md, "Memory"). The comparison of classes holds the gradients of two classes more.
    private const int Copies = 18;
    private const int CopiesOfComparison = 24;

    // The original and the adversarial image of every finished image.
    private const int KeptCopies = 2;

    // A backward pass holds gradients of the size of the graph that it consumes.
    private const int PassesOfGraph = 2;

    // Smaller batches than this share of the bound need no trial pass of the network, which such small images cannot fill.
    private const int SmallShare = 32;

    /// <summary>The largest bound without <c>--memory</c>: 4 GB, so that ordinary machines choose the same batch size.</summary>
    private const long LargestDefault = 4L << 30;

    // The free memory is also needed by other programs and by the system's cache.
    private const int DefaultShare = 4;

    private static long Free => Math.Max(0, GC.GetGCMemoryInfo() is var info && info.TotalAvailableMemoryBytes > 0 ? info.TotalAvailableMemoryBytes - info.MemoryLoadBytes : LargestDefault);

    /// <summary>Reduces a batch size so that the expected memory stays within a bound.</summary>
    /// <param name="model">The model, on the CPU.</param>
    /// <param name="images">The images, at least one.</param>
    /// <param name="attacks">The attacks that follow.</param>
    /// <param name="batchSize">The requested number of images in one batch.</param>
    /// <param name="bound">The bound in bytes of the memory of the process; null for its present memory and a quarter of the free memory, at most 4 GB.</param>
    /// <returns>The batch size, at least 1, and a sentence about the expected memory if the batch size was reduced or a single image needs more than the default bound.</returns>
    /// <exception cref="BadInputException">A single image needs more than the given bound, or the model cannot process these images.</exception>
    public static (int BatchSize, string? Note) Apply(OpenedModel model, ImageSet images, IReadOnlyList<ConfiguredAttack> attacks, int batchSize, long? bound)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(images);
        var present = (double)Resident();
        var limit = bound ?? Math.Min(LargestDefault, present + (Free / DefaultShare));
        var image = sizeof(float) * (double)images.Channels * images.Height * images.Width;
        var requested = Math.Min(batchSize, images.Count);
        var copies = attacks.Any(attack => attack.ComparesClasses) ? CopiesOfComparison : Copies;
        if ((bound is null || present < limit) && requested * copies * image < limit / SmallShare)
        {
            return (batchSize, null);
        }

        present += KeptCopies * image * images.Count;
        var perImage = copies * image;
        var size = FormattableString.Invariant($"{images.Width}×{images.Height} pixels");
        // Refused before the pass that measures the graph, which may itself need more than the bound.
        CheckBound("at least");
        perImage += PassesOfGraph * GraphBytes(model, images);
        CheckBound("about");
        var fitting = (int)Math.Clamp((limit - present) / perImage, 0, requested);

        var fewest = Math.Max(1, fitting);
        var expected = Text(present + (fewest * perImage));
        return fitting == requested ? (batchSize, null)
            : requested == 1 ? (batchSize, $"An image of {size} is expected to need about {expected} of memory in all; --memory refuses runs that need more than it allows.")
            : (fewest, FormattableString.Invariant($"Images of {size} are attacked {fewest} at a time instead of {requested}, so that the expected memory is about {expected}; --memory allows more or less."));

        void CheckBound(string precision)
        {
            if (bound is not null && present + perImage > limit)
            {
                throw new BadInputException($"The run needs {precision} {Text(present + perImage)} of memory for one image of {size} at a time ({images.Count} in all), but --memory allows {Text(limit)}; allow more, use --limit or smaller images (--resize, --crop).");
            }
        }
    }

    /// <summary>Measures the memory of the network's graph for one image; 0 where the system does not show it.</summary>
    private static double GraphBytes(OpenedModel model, ImageSet images)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode(false);
        using var evaluation = model.Classifier.EnterEvaluation();
        using var image = model.FromPixels(images.Images(0, 1));
        // The first pass of a network allocates memory that later passes share.
        ForwardPass.Predict(model.Classifier, image).Dispose();
        var before = Resident();
        using var pass = ForwardPass.At(model.Classifier, image);
        return Math.Max(0, Resident() - before);
    }

    private static long Resident()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    private static string Text(double bytes) => FormattableString.Invariant($"{bytes / (1L << 30):F1} GB");
}
