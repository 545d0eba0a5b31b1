using Brink.Data;
using static TorchSharp.torch;

namespace Brink.Evaluation.Runs;

/// <summary>Selects images by the number of correct predictions among them.</summary>
internal static class CorrectImages
{
    /// <summary>Returns the first images of a data set, up to the one with which a number of correctly classified images is reached.</summary>
    /// <param name="model">The model, on <paramref name="device"/>.</param>
    /// <param name="images">The images.</param>
    /// <param name="correct">The number of correctly classified images, at least 1.</param>
    /// <param name="batchSize">The number of images of a forward pass.</param>
    /// <param name="device">The device of the computation, or null for the CPU.</param>
    /// <returns>The first images, or all images if fewer are classified correctly.</returns>
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
            var predictions = model.Predict(model.FromPixels(images.Images(start, count)), device);
            for (var row = 0; row < count; row++)
            {
                correct -= predictions[row] == images.Label(start + row) ? 1 : 0;
                if (correct == 0)
                {
                    return images.Take(start + row + 1);
                }
            }
        }

        return images;
    }
}

/// <summary>Replaces labels by the predictions of the model, for images without reliable labels.</summary>
internal static class PredictedLabels
{
    /// <summary>Labels images with the predictions of a model.</summary>
    /// <param name="model">The model, on <paramref name="device"/>.</param>
    /// <param name="images">The images.</param>
    /// <param name="batchSize">The number of images of a forward pass.</param>
    /// <param name="device">The device of the computation, or null for the CPU.</param>
    /// <param name="cancellationToken">Cancels before the next batch.</param>
    /// <returns>A data set that shares the pixels of <paramref name="images"/>. Classes without a name are named by their number.</returns>
    /// <exception cref="BadInputException">The model cannot process these images, or has no prediction for one of them.</exception>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
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
            labels.AddRange(model.Predict(model.FromPixels(images.Images(start, Math.Min(batchSize, images.Count - start))), device));
        }

        if (labels.IndexOf(-1) is >= 0 and var first)
        {
            throw new BadInputException($"Labels can be predicted for images that the model has a prediction for, but {model.Classifier.Name} has none for {labels.Count(label => label < 0)} of {images.Count} images, first for image {images.FirstIndex + first}, because a logit is NaN or positive infinity; leave these images out, or use the labels of the data set.");
        }

        var unnamed = Enumerable.Range(images.ClassNames.Count, Math.Max(0, model.Classifier.ClassCount - images.ClassNames.Count)).Select(number => FormattableString.Invariant($"class {number}"));
        return images.WithLabels([.. images.ClassNames, .. unnamed], labels.ToArray());
    }
}
