namespace Brink.Data;

/// <summary>A short stream of random numbers that belongs to one image: SplitMix64 (Steele, Lea and Flood 2014, Figure 16).</summary>
/// <remarks>
/// Our own, because <see cref="Random"/> promises no particular numbers from one version to the next, and the drawn images
/// must stay the same byte for byte.
/// </remarks>
internal sealed class RandomStream
{
    private ulong _state;

    /// <summary>The stream of (seed, index).</summary>
    /// <param name="seed">The seed of the set.</param>
    /// <param name="index">The image in the set, or any other number that tells streams apart.</param>
    public RandomStream(long seed, long index)
    {
        // Mixed twice: with state = seed + index the stream of an image would be its neighbour's, shifted by one draw.
        _state = Mix(Mix((ulong)seed) + (ulong)index);
    }

    /// <summary>A number in [0, 1), a multiple of 2⁻⁵³.</summary>
    public double Next() => (NextBits() >> 11) * (1.0 / (1L << 53));

    /// <summary>A number between <paramref name="low"/> and <paramref name="high"/>, all equally likely.</summary>
    public double Between(double low, double high) => low + ((high - low) * Next());

    /// <summary>A whole number from 0 to <paramref name="count"/> − 1.</summary>
    public int Below(int count) => (int)(Next() * count);

    /// <summary>True with the given probability.</summary>
    public bool Chance(double probability) => Next() < probability;

    /// <summary>A number of mean 0 and standard deviation 1, nearly normal: four uniform ones added up, which needs no logarithm.</summary>
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
