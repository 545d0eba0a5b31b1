using System.Collections.Concurrent;

namespace Brink.Training;

/// <summary>Has the next batches put together on another thread while the network works on this one, and measures how long the network waits all the same.</summary>
internal sealed class PrefetchedBatches : IDisposable
{
    // Enough that an image that takes long to put together does not stop the network; each of 128 small images is a few megabytes.
    private const int Ahead = 4;

    private readonly BlockingCollection<Batch> _ready = new(Ahead);
    private readonly CancellationTokenSource _stop = new();
    private readonly TimeProvider _time;
    private readonly Task _assembly;

    public PrefetchedBatches(IEnumerable<Batch> batches, TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        _assembly = Task.Factory.StartNew(() => Assemble(batches), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>How long <see cref="Next"/> has waited in all.</summary>
    public TimeSpan Waited { get; private set; }

    /// <summary>The next batch; null after the last.</summary>
    public Batch? Next()
    {
        var start = _time.GetTimestamp();
        var found = _ready.TryTake(out var batch, Timeout.Infinite);
        Waited += _time.GetElapsedTime(start);
        if (!found)
        {
            // Throws what stopped the assembly, if anything did.
            _assembly.GetAwaiter().GetResult();
        }

        return batch;
    }

    public void Dispose()
    {
        _stop.Cancel();
        _assembly.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).Wait();
        _ready.Dispose();
        _stop.Dispose();
    }

    private void Assemble(IEnumerable<Batch> batches)
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
            // Nobody wants the rest.
        }
        finally
        {
            _ready.CompleteAdding();
        }
    }
}
