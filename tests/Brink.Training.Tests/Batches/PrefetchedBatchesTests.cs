namespace Brink.Training.Tests.Batches;

public sealed class PrefetchedBatchesTests
{
    private static readonly Batch Any = new(0, [], [], []);

    [Fact]
    public void Batches_are_returned_in_order_followed_by_null()
    {
        using var batches = new PrefetchedBatches(Enumerable.Range(0, 20).Select(number => Any with { Number = number }));
        for (var number = 0; number < 20; number++)
        {
            Assert.Equal(number, batches.Next()!.Number);
        }

        Assert.Null(batches.Next());
    }

    [Fact]
    public void An_exception_in_the_preparation_is_rethrown()
    {
        using var batches = new PrefetchedBatches(Failing());
        Assert.NotNull(batches.Next());
        Assert.Throws<BadInputException>(() => batches.Next());

        static IEnumerable<Batch> Failing()
        {
            yield return Any;
            throw new BadInputException("No more.");
        }
    }

    [Fact]
    public void The_waiting_time_is_measured()
    {
        using var clock = new Clock();
        using var slow = new PrefetchedBatches(Slow(), clock);
        while (slow.Next() is not null)
        {
        }

        Assert.Equal(TimeSpan.FromSeconds(3 * 60), slow.Waited);

        IEnumerable<Batch> Slow()
        {
            for (var number = 0; number < 3; number++)
            {
                // Next reads the clock before and after it waits.
                clock.AwaitReads(number == 0 ? 1 : 2);
                clock.Advance(TimeSpan.FromSeconds(60));
                yield return Any;
            }

            clock.AwaitReads(2);
        }
    }

    [Fact]
    public void Dispose_stops_an_endless_preparation()
    {
        var stopped = false;
        using (var batches = new PrefetchedBatches(Endless()))
        {
            Assert.NotNull(batches.Next());
        }

        Assert.True(stopped);

        IEnumerable<Batch> Endless()
        {
            try
            {
                while (true)
                {
                    yield return Any;
                }
            }
            finally
            {
                stopped = true;
            }
        }
    }

    /// <summary>A clock that only moves when it is advanced.</summary>
    private sealed class Clock : TimeProvider, IDisposable
    {
        private readonly SemaphoreSlim _reads = new(0);
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp()
        {
            var now = Volatile.Read(ref _now);
            _reads.Release();
            return now;
        }

        public void Advance(TimeSpan time) => Interlocked.Add(ref _now, time.Ticks);

        /// <summary>Waits until the clock has been read a given number of further times.</summary>
        public void AwaitReads(int count)
        {
            for (var read = 0; read < count; read++)
            {
                // A missing read fails instead of waiting forever.
                Assert.True(_reads.Wait(TimeSpan.FromMinutes(1)));
            }
        }

        public void Dispose() => _reads.Dispose();
    }
}
