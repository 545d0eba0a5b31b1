using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Training;

/// <summary>The accuracy of a model.</summary>
internal static class Accuracy
{
    /// <summary>Computes the accuracy on images that are not augmented, with the model in evaluation mode; its previous mode is restored.</summary>
    /// <param name="model">The model.</param>
    /// <param name="images">The images, at least one.</param>
    /// <param name="cancellationToken">A token that cancels the computation before the next batch.</param>
    /// <param name="batchSize">The number of images per pass; 250 by default, which fits the memory of a small machine.</param>
    /// <returns>The share of correctly classified images, between 0 and 1.</returns>
    public static double Of(LoadedModel model, ImagePool images, CancellationToken cancellationToken = default, int batchSize = 250)
    {
        if (images.Count == 0)
        {
            throw new ArgumentException("The accuracy needs at least one image, but none was given.", nameof(images));
        }

        using var withoutGradients = no_grad();
        using var evaluation = new EvaluationMode(model.Module);
        // Training may use TF32; the accuracy that is reported does not.
        using var precision = TensorFloat32.Pass(model.Module.parameters().FirstOrDefault()?.device ?? CPU, isSearch: false);
        var correct = 0L;
        foreach (var batch in new BatchAssembly(images, Augmentation.None, seed: 0).InOrder(batchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var (pixels, labels) = batch.ToTensors(images, model.Module);
            correct += ForwardPass.PredictionsOf(model.Module.call(model.Normalization.Apply(pixels))).eq(labels).sum().item<long>();
        }

        return correct / (double)images.Count;
    }
}
