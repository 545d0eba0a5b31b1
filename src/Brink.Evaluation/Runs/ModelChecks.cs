using Brink.Data;
using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Evaluation.Runs;

/// <summary>Checks a model before an attack for defects that make the results meaningless. docs/warnings.md describes each warning.</summary>
/// <remarks>The checks take a few passes over the first images, which are not part of any count or time.</remarks>
internal static class ModelChecks
{
    /// <summary>The maximum number of images that are checked.</summary>
    /// <value>32, enough to find the defects, few enough not to be noticed beside an attack.</value>
    public const int SampleSize = 32;

    // Among fewer images, most may be misclassified by chance.
    private const int FewestForAccuracy = 8;

    // The difference of logits that counts as equal, as a share of the largest logit: above rounding on any device.
    private const double Tolerance = 1e-3;

    /// <summary>Checks a model on the first images of a data set.</summary>
    /// <param name="model">The model, on <paramref name="device"/>.</param>
    /// <param name="images">The images, at least one.</param>
    /// <param name="batchSize">The batch size of the run, at least 1. No more images than this are checked.</param>
    /// <param name="device">The device of the computation, or null for the CPU.</param>
    /// <returns>One warning per defect.</returns>
    /// <exception cref="BadInputException">The model cannot process these images.</exception>
    public static IReadOnlyList<string> Of(OpenedModel model, ImageSet images, int batchSize = AttackEvaluation.DefaultBatchSize, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        using var evaluation = model.Classifier.EnterEvaluation();
        using var gradients = enable_grad();
        var count = Math.Min(Math.Min(SampleSize, batchSize), images.Count);
        var pixels = model.FromPixels(images.Images(0, count));
        var points = (device is null ? pixels : pixels.to(device)).clone().requires_grad_(true);
        var labels = images.Labels(0, count).to(points.device);
        var logits = model.Classifier.Logits(points);
        var outputs = logits.detach();
        var name = model.Classifier.Name;
        var random = Differ(outputs, SecondPass(model, points));
        string?[] warnings =
        [
            LooksLikeProbabilities(outputs) ? $"The outputs of {name} look like probabilities, not logits: each lies between 0 and 1 and they sum to 1, so the gradient vanishes where the model is confident; remove the softmax from the network." : null,
            random ? $"The outputs of {name} differ between two passes over the same images, so the results cannot be reproduced; look for dropout, noise or other randomness that evaluation mode does not switch off." : null,
            !random && Differ(outputs, OneByOne(model, points)) ? $"The output of {name} for an image depends on the other images of the batch, so the results depend on --batch-size; look for batch statistics that evaluation mode does not switch off." : null,
            WithoutGradient(logits, labels, points) is var flat and > 0 ? $"The gradient of {name} is zero or not finite at {flat} of the first {count} images, where gradient-based attacks make no progress even if the model is not robust; look for saturation, rounding or quantisation inside it." : null,
            Misclassified(outputs, labels) is var wrong && count >= FewestForAccuracy && 2 * wrong > count ? $"{wrong} of the first {count} images are misclassified by {name}; usually the classes are in another order than the labels, or the preprocessing (--mean, --std) is not that of the model." : null,
        ];
        return [.. warnings.OfType<string>()];
    }

    private static bool LooksLikeProbabilities(Tensor logits)
    {
        using var scope = NewDisposeScope();
        return logits.ge(Scalars.Zero).all().item<bool>() && logits.sum(1).sub(Scalars.One).abs().max().to(ScalarType.Float64).item<double>() < Tolerance;
    }

    /// <summary>Determines whether logits of two passes differ. Values that are not finite are ignored here, since the check of the gradients reports them.</summary>
    private static bool Differ(Tensor one, Tensor other)
    {
        using var scope = NewDisposeScope();
        using var floor = Scalars.Of(1e-12);
        var size = one.abs().amax([1], keepdim: true).clamp_min(floor);
        return ((one - other).abs() / size).nan_to_num(0).max().to(ScalarType.Float64).item<double>() > Tolerance;
    }

    private static Tensor SecondPass(OpenedModel model, Tensor points)
    {
        using var withoutGradients = no_grad();
        return model.Classifier.Logits(points.detach());
    }

    private static Tensor OneByOne(OpenedModel model, Tensor points)
    {
        using var withoutGradients = no_grad();
        var alone = points.detach();
        return cat([.. Enumerable.Range(0, (int)points.shape[0]).Select(row => model.Classifier.Logits(alone.narrow(0, row, 1)))]);
    }

    /// <summary>Counts the images at which the gradient of the gap between the label and the largest logit of the other classes is zero or not finite.</summary>
    private static long WithoutGradient(Tensor logits, Tensor labels, Tensor points)
    {
        using var scope = NewDisposeScope();
        using var last = Scalars.Of(logits.shape[1] - 1);
        var known = labels.clamp(Scalars.Zero, last).unsqueeze(1);
        var others = logits.scatter(1, known, full_like(known, Scalars.NegativeInfinity, dtype: logits.dtype));
        var gap = (others.amax([1]) - logits.gather(1, known).squeeze(1)).sum();
        // If the output does not depend on the images, the attack itself fails with a message.
        if (!gap.requires_grad)
        {
            return 0;
        }

        gap.backward(null!, create_graph: false, retain_graph: false, inputs: [points]);
        if (points.grad is not { } gradients)
        {
            return 0;
        }

        points.grad = null;
        var lengths = gradients.detach().flatten(1).abs().sum(1);
        return (lengths.isfinite().logical_and(lengths.gt(Scalars.Zero))).logical_not().sum().item<long>();
    }

    private static long Misclassified(Tensor logits, Tensor labels) => logits.argmax(1).ne(labels).sum().item<long>();
}
