using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Training;

/// <summary>The share of images a network names rightly.</summary>
public static class Accuracy
{
    /// <summary>Measures it, with the network in evaluation mode, which it leaves as it was.</summary>
    /// <param name="model">The network.</param>
    /// <param name="images">At least one image.</param>
    /// <param name="cancellationToken">Asked before every batch.</param>
    /// <param name="batchSize">How many images go through the network at once.</param>
    /// <returns>A fraction.</returns>
    public static double Of(LoadedModel model, ImagePool images, CancellationToken cancellationToken = default, int batchSize = 250)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(images);
        if (images.Count == 0)
        {
            throw new ArgumentException("An accuracy needs at least one image, but there is none.", nameof(images));
        }

        using var withoutGradients = no_grad();
        using var evaluation = new EvaluationMode(model.Module);
        var right = 0L;
        foreach (var batch in new BatchAssembly(images, Augmentation.None, seed: 0).InOrder(batchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var (pixels, labels) = BatchTensors.Of(batch, images, model.Module);
            right += model.Module.call(model.Normalization.Apply(pixels)).argmax(1).eq(labels).sum().item<long>();
        }

        return right / (double)images.Count;
    }
}
