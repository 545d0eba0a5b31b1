namespace Brink.Data;

/// <summary>The random numbers of one image: SplitMix64 (Steele, Lea and Flood 2014, Figure 16).</summary>
/// <remarks>
/// <see cref="Random"/> may give other numbers in another version of .NET, and every byte of the drawn images must stay the same.
/// </remarks>
internal sealed class RandomStream
{
    private ulong _state;

    /// <summary>Creates the random numbers of an image.</summary>
    /// <param name="seed">The seed of the set.</param>
    /// <param name="index">The index of the image in the set, or another number that identifies the stream.</param>
    public RandomStream(long seed, long index)
    {
        // Mixed twice: with state = seed + index, the numbers of an image would be those of the previous one, shifted by one.
        _state = Mix(Mix((ulong)seed) + (ulong)index);
    }

    /// <summary>Draws a multiple of 2⁻⁵³ in [0, 1).</summary>
    public double Next() => (NextBits() >> 11) * (1.0 / (1L << 53));

    /// <summary>Draws a uniformly distributed number between <paramref name="low"/> and <paramref name="high"/>.</summary>
    public double Between(double low, double high) => low + ((high - low) * Next());

    /// <summary>Draws an integer from 0 to <paramref name="count"/> − 1.</summary>
    public int Below(int count) => (int)(Next() * count);

    /// <summary>Draws true with the given probability.</summary>
    public bool Chance(double probability) => Next() < probability;

    /// <summary>Draws an approximately normal number of mean 0 and standard deviation 1, as a sum of four uniform numbers, which needs no logarithm.</summary>
    public double Noise() => (Next() + Next() + Next() + Next() - 2) * 1.7320508075688772;

    private ulong NextBits()
    {
        _state += 0x9E3779B97F4A7C15;
        return Mix(_state);
    }

    private static ulong Mix(ulong bits)
    {
        bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
        bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
        return bits ^ (bits >> 31);
    }
}
