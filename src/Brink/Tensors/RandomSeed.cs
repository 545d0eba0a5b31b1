namespace Brink.Tensors;

/// <summary>Seeds of random generators for one image each, so that what is drawn depends on nothing but what it is drawn for.</summary>
internal static class RandomSeed
{
    /// <summary>A seed that follows from all the numbers, in their order.</summary>
    /// <param name="numbers">For instance the user's seed, the image's place in the data set, and which draw it is.</param>
    public static ulong Of(params ReadOnlySpan<long> numbers)
    {
        var state = 0UL;
        foreach (var number in numbers)
        {
            state = Mix(state + unchecked((ulong)number));
        }

        return state;
    }

    /// <summary>SplitMix64 (Steele, Lea, Flood 2014): neighbouring numbers give unrelated ones.</summary>
    private static ulong Mix(ulong state)
    {
        unchecked
        {
            state += 0x9E3779B97F4A7C15;
            state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
            state = (state ^ (state >> 27)) * 0x94D049BB133111EB;
            return state ^ (state >> 31);
        }
    }
}
