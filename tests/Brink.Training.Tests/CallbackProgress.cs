namespace Brink.Training.Tests;

/// <summary>Tells at once and on the same thread, which <see cref="Progress{T}"/> does not.</summary>
internal sealed class CallbackProgress(Action<TrainingProgress> report) : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value) => report(value);
}
