namespace Brink.Training;

/// <summary>How far a training is.</summary>
/// <param name="Epoch">The epoch, from 1.</param>
/// <param name="Epochs">How many there will be.</param>
/// <param name="Batch">The batches of the epoch that are done.</param>
/// <param name="Batches">How many it has.</param>
/// <param name="Loss">The mean loss of the epoch so far.</param>
/// <param name="Accuracy">The share of its images named rightly so far, as a fraction.</param>
/// <param name="Finished">The epoch in numbers, where it is finished; null before.</param>
public sealed record TrainingProgress(int Epoch, int Epochs, int Batch, int Batches, double Loss, double Accuracy, EpochRecord? Finished = null);
