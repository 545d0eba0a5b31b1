using Brink.Evaluation.Runs;
using Brink.Models;
using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Evaluation.Transfer;

/// <summary>Shows a network the images that fooled another.</summary>
/// <param name="model">The network; stays the caller's.</param>
/// <param name="batchSize">How many images it sees at once, at least 1.</param>
/// <param name="device">Where to compute; null for the CPU.</param>
public sealed class TransferEvaluation(LoadedModel model, int batchSize = AttackEvaluation.DefaultBatchSize, Device? device = null)
{
    // Saved images are brought back to pixels, whatever the space of their attack: each network then applies its own preprocessing.
    private readonly OpenedModel _opened = new(model, InputSpace.Pixel);

    private readonly int _batchSize = batchSize >= 1
        ? batchSize
        : throw new BadInputException($"The batch size must be at least 1, but {batchSize} was given.");

    /// <summary>Counts how many of the images that were fooled in a run fool this network too.</summary>
    /// <remarks>Only images that this network gets right before the attack count: on the others there is nothing to transfer.</remarks>
    /// <param name="run">The run.</param>
    /// <param name="cancellationToken">Stops between two batches.</param>
    /// <exception cref="BadInputException">The network cannot take the run's images, or has fewer classes than they do.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public TransferCount Run(SavedRun run, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(run);
        var largest = run.Labels.Max();
        if (largest >= model.ClassCount)
        {
            throw new BadInputException($"The run in {run.Folder} has images of class {largest}, but {model.Name} knows the classes 0 to {model.ClassCount - 1}; give a network made for these images.");
        }

        var rows = Enumerable.Range(0, run.Labels.Count).Where(row => run.Fooled[row]).ToArray();
        using var withoutGradients = no_grad();
        using var evaluation = _opened.Classifier.EnterEvaluation();
        var (right, fooled) = (0, 0);
        foreach (var batch in rows.Chunk(_batchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var indices = tensor(batch.Select(row => (long)row).ToArray());
            var before = Predictions(run.OriginalPixels(indices));
            var after = Predictions(run.AdversarialPixels(indices));
            for (var position = 0; position < batch.Length; position++)
            {
                var label = run.Labels[batch[position]];
                if (before[position] == label)
                {
                    right++;
                    fooled += after[position] >= 0 && after[position] != label ? 1 : 0;
                }
            }
        }

        return new(rows.Length, right, fooled);
    }

    /// <summary>The predicted classes; −1, no prediction, where a logit is not a finite number.</summary>
    private long[] Predictions(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var logits = _opened.Classifier.Logits(_opened.FromPixels(device is null ? pixels : pixels.to(device)));
        return logits.argmax(1).where(logits.isfinite().all(1), full_like(logits.argmax(1), Scalars.MinusOne)).cpu().data<long>().ToArray();
    }
}
