using Brink.Attacks;
using Brink.Data;
using Brink.Evaluation.Catalog;
using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Evaluation.Runs;

/// <summary>Checks a model before an attack for defects that make the results meaningless. docs/warnings.md describes each warning.</summary>
/// <remarks>The checks take a few passes over a sample of the images, which are not part of any count or time.</remarks>
internal sealed class ModelChecks
{
    /// <summary>The maximum number of images that are checked.</summary>
    /// <value>64, enough to find a defect of one image in twenty, few enough not to be noticed beside an attack.</value>
    public const int SampleSize = 64;

    // The maximum number of images whose passes in a batch are compared with passes of one image. Defects of batches concern every image.
    private const int ComparedAlone = 8;

    // Among fewer images, most may be misclassified by chance.
    private const int FewestForAccuracy = 8;

    // The difference of logits that counts as equal, as a share of the largest logit: above rounding on any device.
    private const double Tolerance = 1e-3;

    // The difference of gradients that counts as equal, as a share of the length: rounding, also where it switches a ReLU, changes a gradient far
    // less, and a wrong gradient differs by about its own length.
    private const double GradientTolerance = 0.05;

    private readonly IClassifier _classifier;
    private readonly Criterion _criterion;
    private readonly bool _hasCrossEntropy;
    private readonly List<(TrustRegionAttack Attack, Criterion Criterion)> _withoutCurvature;
    private int _checked;
    private int _wrong;
    private int _withoutPrediction;
    private int _attacked;
    private int _flat;
    private bool _between0And1 = true;
    private bool _sumTo1 = true;
    private bool _random;
    private bool _dependsOnBatch;
    private bool _wrongGradients;

    private ModelChecks(IClassifier classifier, IReadOnlyList<ConfiguredAttack> attacks)
    {
        _classifier = classifier;
        _withoutCurvature = [.. attacks.Select(attack => (Attack: (attack.Attack is QuantizedAttack quantized ? quantized.Inner : attack.Attack) as TrustRegionAttack, attack.Criterion)).Where(attack => attack.Attack is not null).Select(attack => (attack.Attack!, attack.Criterion))];
        // The attacks of a comparison have one criterion.
        _criterion = attacks[0].Criterion;
        _hasCrossEntropy = attacks.Any(attack => attack.Options.TryGetValue("objective", out var name) && name is "cross-entropy");
    }

    /// <summary>Checks a model on images that are drawn from a data set, spread over its classes.</summary>
    /// <param name="model">The model, on <paramref name="device"/>.</param>
    /// <param name="images">The images, at least one. Their labels are classes of the model.</param>
    /// <param name="attacks">The attacks that follow, at least one.</param>
    /// <param name="batchSize">The batch size of the run, at least 1. It does not change which images are checked.</param>
    /// <param name="device">The device of the computation, or null for the CPU.</param>
    /// <param name="seed">The seed of the draw.</param>
    /// <returns>One warning per defect.</returns>
    /// <exception cref="BadInputException">The model cannot process these images, lacks the target class of an attack, or has no gradient.</exception>
    public static IReadOnlyList<string> Of(OpenedModel model, ImageSet images, IReadOnlyList<ConfiguredAttack> attacks, int batchSize = AttackEvaluation.DefaultBatchSize, Device? device = null, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(attacks);
        if (attacks.Count == 0)
        {
            throw new ArgumentException("The checks need the attacks that follow, but none was given.", nameof(attacks));
        }

        // The caller may have disabled gradients.
        using var inference = inference_mode(false);
        using var gradients = enable_grad();
        using var evaluation = model.Classifier.EnterEvaluation();
        var checks = new ModelChecks(model.Classifier, attacks);
        foreach (var attack in attacks)
        {
            attack.Criterion.Check(model.Classifier, Enumerable.Range(images.FirstIndex, images.Count).Select(index => (long)index));
        }

        foreach (var batch in Draw(images, seed).Chunk(batchSize))
        {
            using var scope = NewDisposeScope();
            var pixels = model.FromPixels(cat([.. batch.Select(index => images.Images(index, 1))]));
            var labels = cat([.. batch.Select(index => images.Labels(index, 1))]);
            var indices = tensor(batch.Select(index => (long)images.FirstIndex + index).ToArray());
            checks.Check(device is null ? pixels : pixels.to(device), device is null ? labels : labels.to(device), device is null ? indices : indices.to(device));
        }

        return checks._withoutCurvature.Count == 0 ? [.. checks.Warnings()] : throw Curvature.NoCurvature(model.Classifier);
    }

    /// <summary>Draws images without repetition: first one of each class, then a second one of each, up to <see cref="SampleSize"/>.</summary>
    private static IEnumerable<int> Draw(ImageSet images, long seed) => Enumerable.Range(0, images.Count)
        .Select(index => (Index: index, Label: images.Label(index), Key: RandomSeed.Of(seed, images.FirstIndex + index)))
        .GroupBy(image => image.Label)
        .SelectMany(group => group.OrderBy(image => image.Key).Select((image, rank) => (image.Index, rank, image.Key)))
        .OrderBy(image => image.rank)
        .ThenBy(image => image.Key)
        .Take(SampleSize)
        .Select(image => image.Index);

    private void Check(Tensor points, Tensor labels, Tensor indices)
    {
        var truth = labels.ToLongs();
        Tensor outputs, gradients;
        long[] predictions;
        // The graph of a batch takes much memory and is freed before the passes that follow.
        using (var pass = ForwardPass.At(_classifier, points))
        {
            outputs = pass.Logits.detach();
            predictions = pass.Predictions().ToLongs();
            gradients = CheckGradients(pass, labels, indices, predictions, truth);
            // A second-order attack is refused once, for the model and not for the images of a range: if no checked image shows curvature.
            _withoutCurvature.RemoveAll(attack => attack.Attack.IsCurved(pass, _classifier, attack.Criterion, labels, indices));
        }

        var isFirst = _checked == 0;
        _checked += truth.Length;
        _withoutPrediction += predictions.Count(prediction => prediction < 0);
        _wrong += predictions.Zip(truth).Count(image => image.First >= 0 && image.First != image.Second);
        CheckProbabilities(outputs, predictions);
        if (isFirst)
        {
            using var again = ForwardPass.At(_classifier, points, keepGraph: false);
            _random = Differ(outputs, again.Logits);
            CompareAlone(points, labels, indices, outputs, gradients);
        }
    }

    /// <summary>Counts the images that the attacks would work on, and those of them at which a gradient is unusable. Returns the gradients of the margin.</summary>
    private Tensor CheckGradients(ForwardPass pass, Tensor labels, Tensor indices, long[] predictions, long[] truth)
    {
        var isSkipped = _criterion.Skips(pass.Logits, labels, indices).ToBools();
        var gradients = pass.Gradients(_criterion.CheckedMargins(pass.Logits, labels, indices), keepGraph: true);
        var usable = PerSample.IsFinite(gradients).logical_and(gradients.flatten(1).abs().amax([1]).gt(Scalars.Zero));
        if (_hasCrossEntropy)
        {
            // A gradient that underflows to zero is no defect, because the attack then follows the gap.
            var values = _criterion.Targets(indices) is { } targets ? CrossEntropy.Toward(pass.Logits, targets) : CrossEntropy.AwayFrom(pass.Logits, labels);
            usable = usable.logical_and(PerSample.IsFinite(pass.Gradients(values, keepGraph: true)));
        }

        var flags = usable.ToBools();
        int[] attacked = [.. Enumerable.Range(0, truth.Length).Where(row => predictions[row] == truth[row] && !isSkipped[row])];
        _attacked += attacked.Length;
        _flat += attacked.Count(row => !flags[row]);
        return gradients;
    }

    private void CheckProbabilities(Tensor outputs, long[] predictions)
    {
        using var rows = tensor(predictions.Index().Where(entry => entry.Item >= 0).Select(entry => (long)entry.Index).ToArray(), device: outputs.device);
        if (rows.numel() == 0)
        {
            return;
        }

        using var scope = NewDisposeScope();
        var answers = outputs.index_select(0, rows);
        _between0And1 &= answers.ge(Scalars.Zero).logical_and(answers.le(Scalars.One)).all().item<bool>();
        _sumTo1 &= answers.sum(1).sub(Scalars.One).abs().max().to(ScalarType.Float64).item<double>() < Tolerance;
    }

    /// <summary>Compares logits and gradients of a batch with those of passes over one image.</summary>
    private void CompareAlone(Tensor points, Tensor labels, Tensor indices, Tensor outputs, Tensor gradients)
    {
        var count = Math.Min(ComparedAlone, points.shape[0]);
        if (points.shape[0] == 1)
        {
            return;
        }

        using var scope = NewDisposeScope();
        var (logits, slopes) = (new List<Tensor>(), new List<Tensor>());
        for (var row = 0; row < count; row++)
        {
            using var alone = ForwardPass.At(_classifier, points.narrow(0, row, 1));
            logits.Add(alone.Logits.detach().clone());
            slopes.Add(alone.Gradients(_criterion.CheckedMargins(alone.Logits, labels.narrow(0, row, 1), indices.narrow(0, row, 1))));
        }

        _dependsOnBatch = !_random && Differ(outputs.narrow(0, 0, count), cat(logits));
        _wrongGradients = !_random && !_dependsOnBatch && RelativeDifference(gradients.narrow(0, 0, count), cat(slopes)) > GradientTolerance;
    }

    /// <summary>Determines whether logits of two passes differ. Equal infinite values and two NaN do not.</summary>
    private static bool Differ(Tensor one, Tensor other)
    {
        using var scope = NewDisposeScope();
        using var floor = Scalars.Of(float.Epsilon);
        var same = one.eq(other).logical_or(one.isnan().logical_and(other.isnan()));
        var size = one.masked_fill(one.isfinite().logical_not(), Scalars.Zero).abs().amax([1], keepdim: true).clamp_min(floor);
        // A value that is finite in one pass only differs by infinity or NaN.
        return one.sub(other).abs().div(size).masked_fill(same, Scalars.Zero).nan_to_num(double.PositiveInfinity, double.PositiveInfinity).max().to(ScalarType.Float64).item<double>() > Tolerance;
    }

    /// <summary>Computes the median of ‖a − b‖₂/‖b‖₂ over the images at which b is finite and not zero; 0 if there is none.</summary>
    private static double RelativeDifference(Tensor batched, Tensor alone)
    {
        using var scope = NewDisposeScope();
        var (a, b) = (batched.flatten(1).to(ScalarType.Float64), alone.flatten(1).to(ScalarType.Float64));
        var differences = Norm.L2.Of(a.sub(b)).div(Norm.L2.Of(b)).ToDoubles();
        var usable = PerSample.IsFinite(b).logical_and(b.abs().amax([1]).gt(Scalars.Zero)).ToBools();
        double[] ordered = [.. differences.Zip(usable).Where(image => image.Second).Select(image => double.IsNaN(image.First) ? double.PositiveInfinity : image.First).Order()];
        return ordered.Length == 0 ? 0 : ordered[ordered.Length / 2];
    }

    private IEnumerable<string> Warnings()
    {
        var name = _classifier.Name;
        if (_withoutPrediction > 0)
        {
            yield return $"{name} has no prediction for {_withoutPrediction} of the {_checked} checked images, because a logit is NaN or positive infinity; such images count as misclassified, so look for overflow, division by zero or the logarithm of zero inside it.";
        }

        if (_between0And1 && _withoutPrediction < _checked)
        {
            yield return _sumTo1
                ? $"The outputs of {name} look like probabilities, not logits: each lies between 0 and 1 and they sum to 1, so the gradient vanishes where the model is confident; remove the softmax from the network."
                : $"The outputs of {name} look like probabilities, not logits: each lies between 0 and 1, as after a sigmoid for each class, so the gradient vanishes where the model is confident; remove the sigmoid from the network.";
        }

        if (_random)
        {
            yield return $"The outputs of {name} differ between two passes over the same images, so the results cannot be reproduced; look for dropout, noise or other randomness that evaluation mode does not switch off.";
        }

        if (_dependsOnBatch)
        {
            yield return $"The output of {name} for an image depends on the other images of the batch, so the results depend on --batch-size; look for batch statistics that evaluation mode does not switch off.";
        }

        if (_wrongGradients)
        {
            yield return $"The gradient of {name} for an image differs between a batch and the image alone although the outputs are equal, so attacks follow wrong directions; use --batch-size 1.";
        }

        if (_flat > 0)
        {
            yield return $"The gradient of {name} is zero or not finite at {_flat} of the {_attacked} checked images that it classifies correctly, where gradient-based attacks make no progress even if the model is not robust; look for saturation, rounding or quantisation inside it.";
        }

        if (_checked >= FewestForAccuracy && 2 * _wrong > _checked)
        {
            yield return $"{_wrong} of the {_checked} checked images are misclassified by {name}; usually the classes are in another order than the labels, or the preprocessing (--mean, --std) is not that of the model.";
        }
    }
}
