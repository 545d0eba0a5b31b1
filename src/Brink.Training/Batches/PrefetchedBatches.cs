using System.Collections.Concurrent;

namespace Brink.Training;

/// <summary>Prepares the next batches on another thread while the model computes, and measures the time in which the model waits for them.</summary>
internal sealed class PrefetchedBatches : IDisposable
{
    // Enough to bridge the slow preparation of a single batch; a batch of 128 small images takes a few megabytes.
    private const int Ahead = 4;

    private readonly BlockingCollection<Batch> _ready = new(Ahead);
    private readonly CancellationTokenSource _stop = new();
    private readonly TimeProvider _time;
    private readonly Task _preparation;

    /// <summary>Starts to prepare the batches.</summary>
    /// <param name="batches">The batches, which are enumerated on another thread.</param>
    /// <param name="time">The clock; null for the clock of the system.</param>
    public PrefetchedBatches(IEnumerable<Batch> batches, TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        _preparation = Task.Factory.StartNew(() => Prepare(batches), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>The total time that <see cref="Next"/> has waited.</summary>
    public TimeSpan Waited { get; private set; }

    /// <summary>Waits for the next batch and returns it.</summary>
    /// <returns>The next batch; null after the last one.</returns>
    public Batch? Next()
    {
        var start = _time.GetTimestamp();
        var found = _ready.TryTake(out var batch, Timeout.Infinite);
        Waited += _time.GetElapsedTime(start);
        if (!found)
        {
            // Rethrows the exception that ended the preparation, if there was one.
            _preparation.GetAwaiter().GetResult();
        }

        return batch;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _preparation.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).Wait();
        _ready.Dispose();
        _stop.Dispose();
    }

    private void Prepare(IEnumerable<Batch> batches)
    {
        try
        {
            foreach (var batch in batches)
            {
                _ready.Add(batch, _stop.Token);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Disposed before the last batch.
        }
        finally
        {
            _ready.CompleteAdding();
        }
    }
}
