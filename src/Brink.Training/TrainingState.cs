namespace Brink.Training;

/// <summary>Where a training stands, apart from the weights and their velocities: enough to go on as if it had never stopped.</summary>
public sealed class TrainingState
{
    /// <summary>The epoch to go on with, from 0.</summary>
    public int Epoch { get; set; }

    /// <summary>Its first batch that is still to do.</summary>
    public int Batch { get; set; }

    /// <summary>Images in a step.</summary>
    public int BatchSize { get; set; }

    /// <summary>The sum of the losses of the epoch's images so far.</summary>
    public double LossSum { get; set; }

    /// <summary>How many of them were named rightly.</summary>
    public long Right { get; set; }

    /// <summary>How many images that are.</summary>
    public long Seen { get; set; }

    /// <summary>How long the epoch has taken so far, in seconds.</summary>
    public double Seconds { get; set; }

    /// <summary>How much of that was waiting for data, in seconds.</summary>
    public double Waited { get; set; }

    /// <summary>By what factor the learning rate has grown with the batch size.</summary>
    public double RateFactor { get; set; } = 1;

    /// <summary>The epoch, from 0, before which they last grew; 0 where they never did.</summary>
    public int GrownAt { get; set; }

    /// <summary>The magnitude of the top eigenvalue when they last grew, or after the first epoch; null before.</summary>
    public double? GrownAtEigenvalue { get; set; }

    /// <summary>The finished epochs.</summary>
    public List<EpochRecord> History { get; init; } = [];

    /// <summary>The finished epoch with the highest accuracy: on the held-out images, or where there are none on the images as they were trained on; never on the test images.</summary>
    public EpochRecord? Best => History.MaxBy(epoch => epoch.HeldOutAccuracy ?? epoch.TrainAccuracy);

    /// <summary>Goes on to the next epoch.</summary>
    /// <param name="epoch">The one that is finished.</param>
    /// <param name="growth">When batch size and learning rate grow; null for never.</param>
    /// <param name="images">How many images there are; no batch has more.</param>
    internal void Finish(EpochRecord epoch, BatchGrowthOptions? growth, int images)
    {
        History.Add(epoch);
        Epoch++;
        Batch = 0;
        (LossSum, Right, Seen, Seconds, Waited) = (0, 0, 0, 0, 0);
        if (growth is null || epoch.Eigenvalue is not { } signed)
        {
            return;
        }

        // A negative one is a saddle, no flatter than a minimum of the same magnitude.
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
