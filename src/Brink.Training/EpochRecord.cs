namespace Brink.Training;

/// <summary>One epoch in numbers.</summary>
/// <param name="Epoch">Its number, from 1.</param>
/// <param name="Loss">The mean loss of the images as they were trained on.</param>
/// <param name="TrainAccuracy">The share of them that was named rightly, as a fraction.</param>
/// <param name="HeldOutAccuracy">The share of the held-out images named rightly after the epoch; null where none are held out.</param>
/// <param name="TestAccuracy">The same of the test images; null where none were given.</param>
/// <param name="LearningRate">The learning rate of the epoch's last step.</param>
/// <param name="BatchSize">Images in a step.</param>
/// <param name="Seconds">How long training took, without measuring accuracy.</param>
/// <param name="Waiting">The share of that time in which the network waited for data, as a fraction.</param>
/// <param name="AdversarialShare">The share of each batch that was made adversarial.</param>
/// <param name="Eigenvalue">The top eigenvalue of the loss's Hessian in the weights after the epoch; null where it was not measured.</param>
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
    double? Eigenvalue = null);
