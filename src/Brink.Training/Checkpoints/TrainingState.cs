using System.Text.Json.Serialization;

namespace Brink.Training;

/// <summary>The position of a training run and the sums over its current epoch. Together with the weights and their velocities it determines the rest of the run.</summary>
/// <remarks>Stored as JSON in the checkpoint; the names in the file do not change.</remarks>
internal sealed class TrainingState
{
    /// <summary>The current epoch, starting at 0.</summary>
    public int Epoch { get; set; }

    /// <summary>The next batch of the epoch, starting at 0.</summary>
    public int Batch { get; set; }

    /// <summary>The number of images per step.</summary>
    public int BatchSize { get; set; }

    /// <summary>The sum of the losses of all images of the epoch so far.</summary>
    public double LossSum { get; set; }

    /// <summary>The number of correctly classified images of the epoch so far.</summary>
    [JsonPropertyName("Right")]
    public long Correct { get; set; }

    /// <summary>The number of images of the epoch so far.</summary>
    public long Seen { get; set; }

    /// <summary>The duration of the steps of the epoch so far, in seconds.</summary>
    public double Seconds { get; set; }

    /// <summary>The time of the epoch in which the model waited for data, in seconds.</summary>
    public double Waited { get; set; }

    /// <summary>The factor by which the learning rate has grown with the batch size.</summary>
    public double RateFactor { get; set; } = 1;

    /// <summary>The epoch, starting at 0, before which batch size and learning rate last grew; 0 before the first growth.</summary>
    public int GrownAt { get; set; }

    /// <summary>The magnitude of the top eigenvalue at the last growth or, before any growth, after the first epoch; null before the first epoch has ended.</summary>
    public double? GrownAtEigenvalue { get; set; }

    /// <summary>The finished epochs.</summary>
    public List<EpochRecord> History { get; init; } = [];

    /// <summary>Adds a finished epoch to the history, moves on to the next epoch and lets batch size and learning rate grow if due (ABSA, Yao et al. 2018, Algorithm 1).</summary>
    /// <param name="epoch">The results of the finished epoch.</param>
    /// <param name="growth">The settings for growing batches; null for a constant batch size.</param>
    /// <param name="images">The number of training images, which is an upper limit of the batch size.</param>
    public void Finish(EpochRecord epoch, BatchGrowthOptions? growth, int images)
    {
        History.Add(epoch);
        Epoch++;
        Batch = 0;
        (LossSum, Correct, Seen, Seconds, Waited) = (0, 0, 0, 0, 0);
        if (growth is null || epoch.Eigenvalue is not { } signed)
        {
            return;
        }

        // A negative eigenvalue means a saddle, which is no flatter than a minimum with the same magnitude.
        var eigenvalue = Math.Abs(signed);
        GrownAtEigenvalue ??= eigenvalue;
        if (eigenvalue * growth.EigenvalueDrop <= GrownAtEigenvalue || Epoch - GrownAt >= growth.Patience)
        {
            Grow(Math.Min((int)Math.Min(Math.Ceiling(BatchSize * growth.Factor), growth.MaxBatchSize), images));
            (GrownAt, GrownAtEigenvalue) = (Epoch, eigenvalue);
        }
    }

    private void Grow(int batchSize)
    {
        if (batchSize > BatchSize)
        {
            RateFactor *= batchSize / (double)BatchSize;
            BatchSize = batchSize;
        }
    }
}
