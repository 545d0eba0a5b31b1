using Brink.Evaluation.Runs;
using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Evaluation.Transfer;

/// <summary>Evaluates the adversarial images of runs on another model.</summary>
/// <param name="model">The model, which the caller still owns.</param>
/// <param name="batchSize">The number of images of a forward pass, at least 1.</param>
/// <param name="device">The device of the computation, or null for the CPU.</param>
internal sealed class TransferEvaluation(LoadedModel model, int batchSize = AttackEvaluation.DefaultBatchSize, Device? device = null)
{
    // Saved images are converted to pixels, whatever the space of their attack, and each model applies its own preprocessing.
    private readonly OpenedModel _opened = new(model, InputSpace.Pixel);

    private readonly int _batchSize = batchSize >= 1
        ? batchSize
        : throw new BadInputException($"The batch size must be at least 1, but {batchSize} was given.");

    /// <summary>Counts the images that were fooled in a run and also fool this model.</summary>
    /// <remarks>Only images whose original this model classifies correctly count.</remarks>
    /// <param name="run">The run.</param>
    /// <param name="cancellationToken">Cancels before the next batch.</param>
    /// <returns>The counts.</returns>
    /// <exception cref="BadInputException">The model cannot process the images of the run, or has fewer classes, or the criterion of the run is not stored.</exception>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    public TransferCount Run(SavedRun run, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(run);
        var largest = run.Labels.Max();
        if (largest >= model.ClassCount)
        {
            throw new BadInputException($"The run in {run.Folder} has images of class {largest}, but {model.Name} has the classes 0 to {model.ClassCount - 1}; give a model that was trained for these images.");
        }

        var rows = Enumerable.Range(0, run.Labels.Count).Where(row => run.Fooled[row]).ToArray();
        using var withoutGradients = no_grad();
        using var evaluation = _opened.Classifier.EnterEvaluation();
        var (correct, fooled) = (0, 0);
        foreach (var batch in rows.Chunk(_batchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var indices = tensor(batch.Select(row => (long)row).ToArray());
            var before = Predictions(run.OriginalPixels(indices));
            var fools = run.Fools(batch, _opened.Logits(_opened.FromPixels(run.AdversarialPixels(indices)), device));
            for (var position = 0; position < batch.Length; position++)
            {
                var label = run.Labels[batch[position]];
                if (before[position] == label)
                {
                    correct++;
                    fooled += fools[position] ? 1 : 0;
                }
            }
        }

        return new(rows.Length, correct, fooled);
    }

    private long[] Predictions(Tensor pixels) => _opened.Predict(_opened.FromPixels(pixels), device);
}

/// <summary>The transfer of the adversarial images of one run to another model.</summary>
/// <param name="FooledAtSource">The number of images that were fooled in the run.</param>
/// <param name="RightBefore">The number of these whose original the other model classifies correctly. Only these images count.</param>
/// <param name="Fooled">The number of the images that count that meet the criterion of the run on the other model.</param>
internal sealed record TransferCount(int FooledAtSource, int RightBefore, int Fooled)
{
    /// <summary>The share <see cref="Fooled"/> / <see cref="RightBefore"/>, or null if no image counts.</summary>
    public double? Share => RightBefore == 0 ? null : (double)Fooled / RightBefore;
}
