using Brink.Data;
using static TorchSharp.torch;

namespace Brink.Evaluation.Runs;

/// <summary>A network's own predictions in place of labels, for images that have none, or none that are to be trusted.</summary>
public static class PredictedLabels
{
    /// <summary>The same images, each with the class that the network predicts.</summary>
    /// <param name="model">The network, on <paramref name="device"/>.</param>
    /// <param name="images">The images.</param>
    /// <param name="batchSize">How many images are classified at once.</param>
    /// <param name="device">Where to compute; null for the CPU.</param>
    /// <param name="cancellationToken">Looked at before each batch.</param>
    /// <returns>A set that shares the images' bytes. Classes beyond the names of the set are called by their number.</returns>
    /// <exception cref="BadInputException">The network cannot take these images.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static ImageSet Of(OpenedModel model, ImageSet images, int batchSize = AttackEvaluation.DefaultBatchSize, Device? device = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(images);
        using var evaluation = model.Classifier.EnterEvaluation();
        using var withoutGradients = no_grad();
        var labels = new List<long>();
        for (var start = 0; start < images.Count; start += batchSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var inputs = model.FromPixels(images.Images(start, Math.Min(batchSize, images.Count - start)));
            labels.AddRange(model.Classifier.Logits(device is null ? inputs : inputs.to(device)).argmax(1).cpu().data<long>());
        }

        var unnamed = Enumerable.Range(images.ClassNames.Count, Math.Max(0, model.Classifier.ClassCount - images.ClassNames.Count)).Select(number => FormattableString.Invariant($"class {number}"));
        return images.WithLabels([.. images.ClassNames, .. unnamed], labels.ToArray());
    }
}
