using System.Diagnostics;
using Brink.Attacks;
using Brink.Data;
using Brink.Evaluation.Results;
using static TorchSharp.torch;

namespace Brink.Evaluation.Runs;

/// <summary>Runs an attack over a data set, range by range.</summary>
/// <param name="model">The model, opened in the space of the attack, on <paramref name="device"/>.</param>
/// <param name="attack">The attack.</param>
/// <param name="batchSize">The number of images in a range, at least 1. The default is 64.</param>
/// <param name="device">The device of the computation, or null for the CPU.</param>
/// <param name="criterion">The condition under which an image counts as fooled; null for <see cref="Criterion.Misclassification"/>.</param>
/// <param name="maxPasses">The maximum number of forward plus backward passes per image; null for no limit.</param>
public sealed class AttackEvaluation(OpenedModel model, IAttack attack, int batchSize = AttackEvaluation.DefaultBatchSize, Device? device = null, Criterion? criterion = null, int? maxPasses = null)
{
    /// <summary>The default number of images in a range.</summary>
    /// <value>64: large enough to keep several cores busy, small enough for the memory of a laptop.</value>
    public const int DefaultBatchSize = 64;

    /// <summary>The largest number of images from which an attack may start.</summary>
    internal const int MostStartingImages = 1024;

    // 128 MB of float32 values.
    private const long MostStartingValues = 1 << 25;

    private readonly int _batchSize = CheckBatchSize(batchSize);

    /// <summary>The function that opens images of the data set from which an attack may start, or returns null for none; null for none. They must not depend on which part of the data set is attacked.</summary>
    internal Func<ImageSet?>? OpenStartingImages { get; init; }

    /// <summary>Checks a batch size.</summary>
    /// <param name="batchSize">The number of images.</param>
    /// <returns>The batch size.</returns>
    /// <exception cref="BadInputException">The batch size is less than 1.</exception>
    internal static int CheckBatchSize(int batchSize) => batchSize >= 1
        ? batchSize
        : throw new BadInputException($"The batch size must be at least 1, but {batchSize} was given.");

    /// <summary>Attacks every image of a data set.</summary>
    /// <remarks>
    /// A cancellation does not throw: the result then holds the ranges that were finished before. A failure after the first finished
    /// range does not throw either: <see cref="EvaluationResult.Failure"/> then holds the exception.
    /// </remarks>
    /// <param name="images">The images.</param>
    /// <param name="progress">Receives the progress after every iteration of the attack, or null.</param>
    /// <param name="folder">The run folder that stores finished ranges, or null. Ranges that it already holds are not computed again.</param>
    /// <param name="cancellationToken">Cancels the run at the next iteration.</param>
    /// <returns>The finished ranges. The caller disposes the result.</returns>
    /// <exception cref="BadInputException">The model cannot process these images, or the attack cannot use the model.</exception>
    public EvaluationResult Run(ImageSet images, IProgress<EvaluationProgress>? progress = null, RunFolder? folder = null, CancellationToken cancellationToken = default) =>
        Run(images, progress, (IRangeStore?)folder, cancellationToken);

    /// <summary>Attacks every image of a data set and stores finished ranges.</summary>
    /// <param name="images">The images.</param>
    /// <param name="progress">Receives the progress after every iteration of the attack, or null.</param>
    /// <param name="store">The store of finished ranges, or null. Ranges that it already holds are not computed again.</param>
    /// <param name="cancellationToken">Cancels the run at the next iteration.</param>
    /// <returns>The finished ranges. The caller disposes the result.</returns>
    /// <exception cref="BadInputException">The model cannot process these images, or the attack cannot use the model.</exception>
    internal EvaluationResult Run(ImageSet images, IProgress<EvaluationProgress>? progress, IRangeStore? store, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var starts = new StartingImages(() => LoadStarts(OpenStartingImages?.Invoke(), cancellationToken));
        var started = OpenStartingImages is not null && attack is IStartsFromImages { NeedsImages: true } starting ? starting.StartingFrom(starts) : attack;
        var ranges = new List<EvaluatedRange>();
        var restored = 0;
        Exception? failure = null;
        try
        {
            for (var start = 0; start < images.Count; start += _batchSize)
            {
                var count = Math.Min(_batchSize, images.Count - start);
                var report = new RangeProgress(progress, images.Count, [.. ranges.SelectMany(range => range.Images)], restored);
                var stored = store?.Find(start, count);
                ranges.Add(stored ?? RunRange(started, images, start, count, report, cancellationToken));
                if (stored is null)
                {
                    store?.Store(start, ranges[^1]);
                }

                restored += stored is null ? 0 : count;
                new RangeProgress(progress, images.Count, [.. ranges.SelectMany(range => range.Images)], restored).Report(default);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
        catch (Exception exception) when (ranges.Count > 0)
        {
            // The finished ranges are returned: hours of work must not be lost because a later range failed.
            failure = exception;
        }

        return new(ranges, images.Count, failure);
    }

    /// <summary>Runs one forward and one backward pass over the first range, so that the time of the first attack does not include the initialisation of torch.</summary>
    /// <param name="images">The images.</param>
    /// <exception cref="BadInputException">The model cannot process these images.</exception>
    internal void WarmUp(ImageSet images)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        using var gradients = enable_grad();
        using var evaluation = model.Classifier.EnterEvaluation();
        var pixels = model.FromPixels(images.Images(0, Math.Min(_batchSize, images.Count)));
        using var pass = ForwardPass.At(model.Classifier, device is null ? pixels : pixels.to(device));
        // Without a gradient the attack itself fails with a message, which is clearer than an exception here.
        if (pass.Logits.requires_grad)
        {
            pass.Gradients(pass.Logits.sum(1)).Dispose();
        }
    }

    private (Tensor Images, long[] Classes) LoadStarts(ImageSet? images, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        using var withoutGradients = no_grad();
        using var evaluation = model.Classifier.EnterEvaluation();
        var count = images is null ? 0 : (int)Math.Min(Math.Min(images.Count, MostStartingImages), MostStartingValues / ((long)images.Channels * images.Height * images.Width));
        var (parts, classes) = (new List<Tensor>(), new List<long>());
        for (var start = 0; start < count; start += _batchSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var part = model.FromPixels(images!.Images(start, Math.Min(_batchSize, count - start)));
            parts.Add(device is null ? part : part.to(device));
            classes.AddRange(model.Predict(part, device));
        }

        return ((count == 0 ? empty(0) : cat(parts)).MoveToOuterDisposeScope(), [.. classes]);
    }

    private EvaluatedRange RunRange(IAttack attack, ImageSet images, int start, int count, RangeProgress progress, CancellationToken cancellationToken)
    {
        var stopwatch = Stopwatch.StartNew();
        using var scope = NewDisposeScope();
        var original = model.FromPixels(images.Images(start, count));
        var labels = images.Labels(start, count);
        using var result = attack.Run(model.Classifier, device is null ? original : original.to(device), device is null ? labels : labels.to(device), criterion, [.. Enumerable.Range(images.FirstIndex + start, count).Select(index => (long)index)], maxPasses, progress, cancellationToken);
        var adversarial = result.Adversarial.cpu().clone();

        var perturbations = BlockNorm.Of(attack.Norm, [original, adversarial], parts => model.ToNormalized(parts[1]) - model.ToNormalized(parts[0]));
        var relative = perturbations.div(BlockNorm.Of(attack.Norm, [original], parts => model.ToNormalized(parts[0]))).cpu().data<double>().ToArray();
        var evaluated = result.Outcomes.Select((image, row) => new EvaluatedImage(images.FirstIndex + start + row, image, relative[row]));
        return new([.. evaluated], original.DetachFromDisposeScope(), adversarial.DetachFromDisposeScope(), stopwatch.Elapsed.TotalSeconds);
    }

    /// <summary>Converts the progress of an attack on one range to the progress of the run.</summary>
    private sealed class RangeProgress(IProgress<EvaluationProgress>? run, int images, EvaluatedImage[] finished, int restored) : IProgress<AttackProgress>
    {
        private readonly int _fooled = finished.Count(image => image.Outcome.Fooled);
        private readonly double[] _relative = [.. finished.Where(image => image.Outcome.Fooled && double.IsFinite(image.Outcome.Relative)).Select(image => image.Outcome.Relative)];

        public void Report(AttackProgress value) =>
            run?.Report(new(images, finished.Length + value.Attacked - value.Active, _fooled, _relative.Length > 0 ? _relative.Average() : double.NaN) { Evaluated = finished.Length, Restored = restored });
    }
}

/// <summary>The progress of a run.</summary>
/// <param name="Images">The number of images of the run.</param>
/// <param name="Finished">The number of finished images, including those of the current range.</param>
/// <param name="Fooled">The number of fooled images in finished ranges.</param>
/// <param name="MeanRelative">The mean relative perturbation of the fooled images of finished ranges, NaN without such an image.</param>
public readonly record struct EvaluationProgress(int Images, int Finished, int Fooled, double MeanRelative)
{
    /// <summary>The number of images of finished ranges, which <see cref="Fooled"/> and <see cref="MeanRelative"/> cover.</summary>
    public int Evaluated { get; init; }

    /// <summary>The number of images of ranges that were restored from an earlier start of the run.</summary>
    public int Restored { get; init; }
}

/// <summary>A store of finished ranges, from which an interrupted run is continued.</summary>
internal interface IRangeStore
{
    /// <summary>Reads a stored range.</summary>
    /// <param name="start">The position of the first image of the range in the run.</param>
    /// <param name="count">The number of images of the range.</param>
    /// <returns>The range, which the caller disposes, or null if it is not stored or damaged.</returns>
    EvaluatedRange? Find(int start, int count);

    /// <summary>Stores a finished range.</summary>
    /// <param name="start">The position of the first image of the range in the run.</param>
    /// <param name="range">The range, which the caller still owns.</param>
    /// <exception cref="BadInputException">The range cannot be stored.</exception>
    void Store(int start, EvaluatedRange range);
}
