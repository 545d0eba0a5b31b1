using Brink.Data;
using static TorchSharp.torch;

namespace Brink.Evaluation.Runs;

/// <summary>The images that a network gets right.</summary>
public static class CorrectImages
{
    /// <summary>The images from the first one on, until so many are correct; all where there are fewer.</summary>
    /// <param name="model">The network, on <paramref name="device"/>.</param>
    /// <param name="images">The images.</param>
    /// <param name="correct">How many correct ones, at least 1.</param>
    /// <param name="batchSize">How many images are classified at once.</param>
    /// <param name="device">Where to compute; null for the CPU.</param>
    public static ImageSet Until(OpenedModel model, ImageSet images, int correct, int batchSize = AttackEvaluation.DefaultBatchSize, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(images);
        ArgumentOutOfRangeException.ThrowIfLessThan(correct, 1);
        using var evaluation = model.Classifier.EnterEvaluation();
        using var withoutGradients = no_grad();
        for (var start = 0; start < images.Count; start += batchSize)
        {
            using var scope = NewDisposeScope();
            var count = Math.Min(batchSize, images.Count - start);
            var inputs = model.FromPixels(images.Images(start, count));
            var right = model.Classifier.Logits(device is null ? inputs : inputs.to(device)).argmax(1).cpu().eq(images.Labels(start, count)).data<bool>().ToArray();
            for (var row = 0; row < count; row++)
            {
                correct -= right[row] ? 1 : 0;
                if (correct == 0)
                {
                    return images.Take(start + row + 1);
                }
            }
        }

        return images;
    }
}
