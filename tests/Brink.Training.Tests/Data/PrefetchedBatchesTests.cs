using Brink.Training.Data;

namespace Brink.Training.Tests.Data;

public sealed class PrefetchedBatchesTests
{
    private static readonly Batch Any = new(0, [], [], []);

    [Fact]
    public void Batches_come_in_order_and_end()
    {
        using var batches = new PrefetchedBatches(Enumerable.Range(0, 20).Select(number => Any with { Number = number }));
        for (var number = 0; number < 20; number++)
        {
            Assert.Equal(number, batches.Next()!.Number);
        }

        Assert.Null(batches.Next());
    }

    [Fact]
    public void An_error_of_the_assembly_reaches_the_training()
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
    public void Waiting_is_measured()
    {
        using var slow = new PrefetchedBatches(Enumerable.Range(0, 3).Select(_ =>
        {
            Thread.Sleep(60);
            return Any;
        }));
        while (slow.Next() is not null)
        {
        }

        Assert.InRange(slow.Waited.TotalMilliseconds, 150, 5000);
    }

    [Fact]
    public void Leaving_early_stops_an_endless_assembly()
    {
        var made = 0;
        using (var batches = new PrefetchedBatches(Endless()))
        {
            Assert.NotNull(batches.Next());
        }

        var after = made;
        Thread.Sleep(50);
        Assert.Equal(after, made);

        IEnumerable<Batch> Endless()
        {
            while (true)
            {
                made++;
                yield return Any;
            }
        }
    }
}
