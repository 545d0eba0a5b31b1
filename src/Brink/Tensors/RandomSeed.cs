namespace Brink.Tensors;

/// <summary>Seeds of random generators, one per image and draw, so that draws do not depend on batches or on their order.</summary>
internal static class RandomSeed
{
    /// <summary>Computes a seed from several numbers and their order.</summary>
    /// <param name="numbers">The numbers, for instance the user's seed, the index of the image in the data set and the number of the draw.</param>
    public static ulong Of(params ReadOnlySpan<long> numbers)
    {
        var state = 0UL;
        foreach (var number in numbers)
        {
            state = Mix(state + unchecked((ulong)number));
        }

        return state;
    }

    /// <summary>One step of SplitMix64 (Steele, Lea, Flood 2014), which gives unrelated numbers for neighbouring ones.</summary>
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
