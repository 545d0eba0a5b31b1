using Brink.Data;
using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Evaluation.Runs;

/// <summary>What makes the figures of an attack worthless, looked for before it: docs/warnings.md has an entry for each.</summary>
/// <remarks>A few passes over the first images, which no count and no time includes.</remarks>
public static class NetworkChecks
{
    /// <summary>On how many images at most, the first ones.</summary>
    public const int SampleSize = 32;

    /// <summary>On fewer images than these, being wrong on most of them may be chance.</summary>
    private const int FewestForAccuracy = 8;

    /// <summary>By how much two answers to the same image may differ, as a share of the largest logit: rounding, on any device, stays below.</summary>
    private const double SameAnswer = 1e-3;

    /// <summary>Looks at a network and the images it is to be attacked on.</summary>
    /// <param name="model">The network, on <paramref name="device"/>.</param>
    /// <param name="images">The images, at least one.</param>
    /// <param name="batchSize">The most images that are to be in memory at once, at least 1: where these are fewer, so are those looked at.</param>
    /// <param name="device">Where to compute; null for the CPU.</param>
    /// <returns>A sentence for each thing that is wrong; none for a sound network.</returns>
    /// <exception cref="BadInputException">The network cannot take these images.</exception>
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
        var answers = logits.detach();
        var name = model.Classifier.Name;
        var wavers = Differ(answers, Again(model, points));
        string?[] warnings =
        [
            LooksLikeProbabilities(answers) ? $"The outputs of {name} look like probabilities, not logits: each lies between 0 and 1 and they sum to 1, so that gradients vanish where the network is sure; take the softmax out of the network." : null,
            wavers ? $"{name} answers differently when it sees the same images twice, so that nothing found need hold tomorrow; look for dropout, noise or other randomness that evaluation mode does not switch off." : null,
            !wavers && Differ(answers, OneByOne(model, points)) ? $"The answer of {name} to an image depends on the other images of its batch, so that results change with --batch-size; look for batch statistics that evaluation mode does not switch off." : null,
            WithoutGradient(logits, labels, points) is var flat and > 0 ? $"The gradient of {name} is zero or not a finite number at {flat} of the first {count} images, where no attack by gradients finds anything, however fragile the network is; look for saturation, rounding or quantisation inside it." : null,
            Wrong(answers, labels) is var wrong && count >= FewestForAccuracy && 2 * wrong > count ? $"{name} gets {wrong} of the first {count} images wrong; most often the classes are in another order than the labels, or the preprocessing is not the network's (--mean, --std)." : null,
        ];
        return [.. warnings.OfType<string>()];
    }

    private static bool LooksLikeProbabilities(Tensor logits)
    {
        using var scope = NewDisposeScope();
        return logits.ge(Scalars.Zero).all().item<bool>() && logits.sum(1).sub(Scalars.One).abs().max().to(ScalarType.Float64).item<double>() < SameAnswer;
    }

    /// <summary>Answers that are not finite are the gradients' to tell.</summary>
    private static bool Differ(Tensor one, Tensor other)
    {
        using var scope = NewDisposeScope();
        using var floor = Scalars.Of(1e-12);
        var size = one.abs().amax([1], keepdim: true).clamp_min(floor);
        return ((one - other).abs() / size).nan_to_num(0).max().to(ScalarType.Float64).item<double>() > SameAnswer;
    }

    private static Tensor Again(OpenedModel model, Tensor points)
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

    /// <summary>At how many images the gap between the label and the strongest other class has no usable gradient.</summary>
    private static long WithoutGradient(Tensor logits, Tensor labels, Tensor points)
    {
        using var scope = NewDisposeScope();
        using var last = Scalars.Of(logits.shape[1] - 1);
        var known = labels.clamp(Scalars.Zero, last).unsqueeze(1);
        var others = logits.scatter(1, known, full_like(known, Scalars.NegativeInfinity, dtype: logits.dtype));
        var gap = (others.amax([1]) - logits.gather(1, known).squeeze(1)).sum();
        // Where nothing depends on the images the attack itself says so, in a sentence.
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

    private static long Wrong(Tensor logits, Tensor labels) => logits.argmax(1).ne(labels).sum().item<long>();
}
