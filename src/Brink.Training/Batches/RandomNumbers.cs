using Brink.Tensors;

namespace Brink.Training;

/// <summary>Draws that follow from the numbers they are made for and from nothing else, so that any of them can be made again.</summary>
internal static class RandomNumbers
{
    /// <summary>A whole number from 0 to <paramref name="count"/> − 1.</summary>
    /// <param name="count">How many there are to choose from.</param>
    /// <param name="numbers">The seed, the purpose, the epoch, ….</param>
    public static int Below(int count, params ReadOnlySpan<long> numbers) => (int)((RandomSeed.Of(numbers) >> 11) * (1.0 / (1L << 53)) * count);

    /// <summary>The numbers from 0 to <paramref name="count"/> − 1 in random order (Fisher and Yates, in Durstenfeld's form).</summary>
    public static int[] Permutation(int count, long seed, Draw purpose, long epoch)
    {
        var order = Enumerable.Range(0, count).ToArray();
        for (var last = count - 1; last > 0; last--)
        {
            var other = Below(last + 1, seed, (long)purpose, epoch, last);
            (order[last], order[other]) = (order[other], order[last]);
        }

        return order;
    }
}
