namespace Brink.Training;

/// <summary>The position of a training run, reported after every step and after every epoch.</summary>
/// <param name="Epoch">The number of the current epoch, starting at 1.</param>
/// <param name="Epochs">The number of epochs of the run.</param>
/// <param name="Batch">The number of finished batches of the epoch.</param>
/// <param name="Batches">The number of batches of the epoch.</param>
/// <param name="Loss">The mean loss over the images of the epoch so far.</param>
/// <param name="Accuracy">The accuracy on the training images of the epoch so far, between 0 and 1.</param>
/// <param name="Finished">The results of the epoch after its last batch; null before.</param>
public sealed record TrainingProgress(int Epoch, int Epochs, int Batch, int Batches, double Loss, double Accuracy, EpochRecord? Finished = null);

/// <summary>The results of one epoch.</summary>
/// <param name="Epoch">The number of the epoch, starting at 1.</param>
/// <param name="Loss">The mean loss over the training images, as they were seen: augmented, and perturbed in adversarial training.</param>
/// <param name="TrainAccuracy">The accuracy on these images, between 0 and 1.</param>
/// <param name="HeldOutAccuracy">The accuracy on the held-out images after the epoch, between 0 and 1; null without held-out images.</param>
/// <param name="TestAccuracy">The accuracy on the test images after the epoch, between 0 and 1; null without test images.</param>
/// <param name="LearningRate">The learning rate of the last step.</param>
/// <param name="BatchSize">The number of images per step.</param>
/// <param name="Seconds">The duration of the training steps in seconds, without the measurement of accuracies.</param>
/// <param name="Waiting">The share of this time in which the model waited for data, between 0 and 1.</param>
/// <param name="AdversarialShare">The share of each batch that was perturbed, between 0 and 1.</param>
/// <param name="Eigenvalue">The eigenvalue of largest magnitude of the Hessian of the loss with respect to the weights, after the epoch; null if it was not computed.</param>
public sealed record EpochRecord(
    int Epoch,
    double Loss,
    double TrainAccuracy,
    double? HeldOutAccuracy,
    double? TestAccuracy,
    double LearningRate,
    int BatchSize,
    double Seconds,
    double Waiting,
    double AdversarialShare = 0,
    double? Eigenvalue = null)
{
    /// <summary>Returns the epoch with the highest accuracy on the held-out images or, without held-out images, on the training images as they were seen. The test images have no influence.</summary>
    /// <param name="history">The finished epochs.</param>
    /// <returns>The best epoch, the first one of equals; null if no epoch is finished.</returns>
    internal static EpochRecord? BestOf(IEnumerable<EpochRecord> history) => history.MaxBy(epoch => epoch.HeldOutAccuracy ?? epoch.TrainAccuracy);
}
