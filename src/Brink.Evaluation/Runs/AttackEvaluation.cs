using System.Diagnostics;
using Brink.Attacks;
using Brink.Data;
using Brink.Evaluation.Results;
using static TorchSharp.torch;

namespace Brink.Evaluation.Runs;

/// <summary>Runs an attack over a data set, range by range.</summary>
/// <param name="model">The network, opened in the space of the attack, on <paramref name="device"/>.</param>
/// <param name="attack">The attack.</param>
/// <param name="batchSize">The number of images in a range, at least 1.</param>
/// <param name="device">Where to compute; null for the CPU.</param>
public sealed class AttackEvaluation(OpenedModel model, IAttack attack, int batchSize = AttackEvaluation.DefaultBatchSize, Device? device = null)
{
    /// <summary>64 (ours: large enough to keep a few cores busy, small enough for the memory of a laptop).</summary>
    public const int DefaultBatchSize = 64;

    private readonly int _batchSize = CheckBatchSize(batchSize);

    /// <summary>A batch size that was asked for, for use before there is an attack.</summary>
    /// <param name="batchSize">The number of images.</param>
    /// <returns>The same number.</returns>
    /// <exception cref="BadInputException">It is less than 1.</exception>
    public static int CheckBatchSize(int batchSize) => batchSize >= 1
        ? batchSize
        : throw new BadInputException($"The batch size must be at least 1, but {batchSize} was given.");

    /// <summary>Attacks every image of a set.</summary>
    /// <remarks>
    /// A cancellation is no exception here: the result then holds the ranges finished by then. Neither is a failure once a range is
    /// finished: <see cref="EvaluationResult.Failure"/> holds it, and the result what was finished before.
    /// </remarks>
    /// <param name="images">The images.</param>
    /// <param name="progress">Told after every iteration of the attack.</param>
    /// <param name="store">Keeps ranges as they finish; those it has already are not computed again.</param>
    /// <param name="cancellationToken">Stops the run at the next iteration.</param>
    /// <exception cref="BadInputException">The network cannot take these images, or the attack cannot use the network.</exception>
    public EvaluationResult Run(ImageSet images, IProgress<EvaluationProgress>? progress = null, IRangeStore? store = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        var ranges = new List<EvaluatedRange>();
        var before = 0;
        Exception? failure = null;
        try
        {
            for (var start = 0; start < images.Count; start += _batchSize)
            {
                var count = Math.Min(_batchSize, images.Count - start);
                var report = new RangeProgress(progress, images.Count, [.. ranges.SelectMany(range => range.Images)], before);
                var kept = store?.Find(start, count);
                ranges.Add(kept ?? RunRange(images, start, count, report, cancellationToken));
                if (kept is null)
                {
                    store?.Keep(start, ranges[^1]);
                }

                before += kept is null ? 0 : count;
                new RangeProgress(progress, images.Count, [.. ranges.SelectMany(range => range.Images)], before).Report(default);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
        catch (Exception exception) when (ranges.Count > 0)
        {
            // Hours of finished work must not go with the range that failed.
            failure = exception;
        }

        return new(ranges, images.Count, failure);
    }

    /// <summary>One forward and one backward pass over the first range, uncounted and untimed: the first of several attacks is not to pay for torch's start.</summary>
    /// <param name="images">The images.</param>
    /// <exception cref="BadInputException">The network cannot take these images.</exception>
    public void WarmUp(ImageSet images)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        using var gradients = enable_grad();
        using var evaluation = model.Classifier.EnterEvaluation();
        var pixels = model.FromPixels(images.Images(0, Math.Min(_batchSize, images.Count)));
        var points = (device is null ? pixels : pixels.to(device)).clone().requires_grad_(true);
        var sum = model.Classifier.Logits(points).sum();
        // Where there is no gradient the attack says so, in a sentence.
        if (sum.requires_grad)
        {
            sum.backward(null!, create_graph: false, retain_graph: false, inputs: [points]);
        }
    }

    private EvaluatedRange RunRange(ImageSet images, int start, int count, RangeProgress progress, CancellationToken cancellationToken)
    {
        var stopwatch = Stopwatch.StartNew();
        using var scope = NewDisposeScope();
        var original = model.FromPixels(images.Images(start, count)).clone();
        var labels = images.Labels(start, count);
        using var result = attack.Run(model.Classifier, device is null ? original : original.to(device), device is null ? labels : labels.to(device), [.. Enumerable.Range(images.FirstIndex + start, count).Select(index => (long)index)], progress, cancellationToken);
        var adversarial = result.Adversarial.cpu().clone();

        var normalized = model.ToNormalized(original);
        var perturbations = model.ToNormalized(adversarial) - normalized;
        var relative = attack.Norm.Of(perturbations).div(attack.Norm.Of(normalized)).cpu().data<double>().ToArray();
        var evaluated = result.Outcomes.Select((image, row) => new EvaluatedImage(images.FirstIndex + start + row, image, relative[row]));
        return new([.. evaluated], original.DetachFromDisposeScope(), adversarial.DetachFromDisposeScope(), stopwatch.Elapsed.TotalSeconds);
    }

    /// <summary>Turns an attack's progress on one range into the run's.</summary>
    private sealed class RangeProgress(IProgress<EvaluationProgress>? run, int images, EvaluatedImage[] finished, int kept) : IProgress<AttackProgress>
    {
        private readonly int _fooled = finished.Count(image => image.Outcome.Fooled);
        private readonly double[] _relative = [.. finished.Where(image => image.Outcome.Fooled && double.IsFinite(image.Outcome.Relative)).Select(image => image.Outcome.Relative)];

        public void Report(AttackProgress value) =>
            run?.Report(new(images, finished.Length + value.Attacked - value.Active, _fooled, _relative.Length > 0 ? _relative.Average() : double.NaN) { Evaluated = finished.Length, Kept = kept });
    }
}
