using Brink.Training;

namespace TrainSigns;

/// <summary>Prints a line an epoch.</summary>
internal sealed class EpochLines : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value)
    {
        if (value.Finished is { } epoch)
        {
            Console.WriteLine(FormattableString.Invariant($"epoch {epoch.Epoch}: loss {epoch.Loss:F4}, accuracy on fresh images {epoch.TestAccuracy:P2}"));
        }
    }
}
