using Brink.Models;
using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Training;

/// <summary>The gradient of the mean cross-entropy of a batch with respect to the weights, computed in parts where the batch does not fit in memory.</summary>
internal static class BatchGradient
{
    /// <summary>Adds it to the gradients of the weights.</summary>
    /// <param name="model">The network, in the mode it is to be trained in.</param>
    /// <param name="pixels">[batch, channels, height, width], in [0, 1].</param>
    /// <param name="labels">int64 [batch].</param>
    /// <param name="labelSmoothing">The share of the label's probability that is spread over all classes.</param>
    /// <param name="microBatchSize">The most images that go through the network at once. Batch normalisation sees each part by itself.</param>
    /// <returns>The mean loss and the number of images named rightly.</returns>
    public static (double Loss, long Right) Add(LoadedModel model, Tensor pixels, Tensor labels, double labelSmoothing, int microBatchSize)
    {
        var count = labels.shape[0];
        var (lossSum, right) = (0.0, 0L);
        // Parts of one size: batch normalisation could make nothing of a last one of a single image.
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
            right += logits.argmax(1).eq(partLabels).sum().item<long>();
        }

        return (lossSum / count, right);
    }
}
