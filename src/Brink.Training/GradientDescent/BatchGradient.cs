using Brink.Models;
using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Training;

/// <summary>The gradient of the mean cross-entropy of a batch with respect to the weights, computed in parts if the batch is large.</summary>
internal static class BatchGradient
{
    /// <summary>Computes the gradient and adds it to the gradients of the weights.</summary>
    /// <param name="model">The model, in training mode.</param>
    /// <param name="pixels">The images in [0, 1], shape [batch, channels, height, width].</param>
    /// <param name="labels">The labels, int64, shape [batch].</param>
    /// <param name="labelSmoothing">The share of the label's probability that is distributed over all classes.</param>
    /// <param name="microBatchSize">The maximum number of images per pass. Batch normalisation sees each part separately.</param>
    /// <returns>The mean loss, and the number of correctly classified images.</returns>
    public static (double Loss, long Correct) Add(LoadedModel model, Tensor pixels, Tensor labels, double labelSmoothing, int microBatchSize)
    {
        var count = labels.shape[0];
        var (lossSum, correct) = (0.0, 0L);
        // Parts of nearly equal size: batch normalisation fails on a part of a single image.
        var parts = (count + microBatchSize - 1) / microBatchSize;
        for (long part = 0; part < parts; part++)
        {
            using var scope = NewDisposeScope();
            var start = part * count / parts;
            var size = ((part + 1) * count / parts) - start;
            var partLabels = labels.narrow(0, start, size);
            var logits = model.Module.call(model.Normalization.Apply(pixels.narrow(0, start, size)));
            var loss = nn.functional.cross_entropy(logits, partLabels, label_smoothing: labelSmoothing);
            using var share = Scalars.Of(size / (double)count);
            loss.mul(share).backward();
            lossSum += loss.to(ScalarType.Float64).item<double>() * size;
            correct += ForwardPass.PredictionsOf(logits).eq(partLabels).sum().item<long>();
        }

        return (lossSum / count, correct);
    }
}
