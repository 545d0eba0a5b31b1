using System.Globalization;
using System.Text;

namespace Brink.Training;

/// <summary>The history of a training as CSV (RFC 4180), one line an epoch.</summary>
public static class HistoryTable
{
    /// <summary>The table with its heading; accuracies are fractions, an empty cell was not measured.</summary>
    /// <param name="history">The finished epochs.</param>
    public static string Of(IEnumerable<EpochRecord> history)
    {
        ArgumentNullException.ThrowIfNull(history);
        var table = new StringBuilder("epoch,loss,train_accuracy,held_out_accuracy,test_accuracy,learning_rate,batch_size,seconds,waiting,adversarial_share,eigenvalue\n");
        foreach (var epoch in history)
        {
            table.Append(CultureInfo.InvariantCulture, $"{epoch.Epoch},{epoch.Loss:G6},{epoch.TrainAccuracy:F4},{epoch.HeldOutAccuracy:F4},{epoch.TestAccuracy:F4},{epoch.LearningRate:G6},{epoch.BatchSize},{epoch.Seconds:F1},{epoch.Waiting:F4},{epoch.AdversarialShare:G6},{epoch.Eigenvalue:G6}\n");
        }

        return table.ToString();
    }
}
