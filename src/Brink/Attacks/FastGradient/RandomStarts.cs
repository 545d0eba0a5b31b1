using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>Draws from the unit ball that follow from the seed, the image's place in the data set and the number of the start, and from nothing else.</summary>
/// <param name="norm">Of the ball.</param>
/// <param name="seed">The seed.</param>
internal sealed class RandomStarts(Norm norm, long seed)
{
    /// <summary>One point an image, within the unit ball.</summary>
    /// <param name="indices">The images' places in the data set.</param>
    /// <param name="images">[rows, …], whose shape, type and device the draws take.</param>
    /// <param name="restart">The number of the start, from 0.</param>
    public Tensor Draw(IEnumerable<long> indices, Tensor images, int restart)
    {
        using var scope = NewDisposeScope();
        long[] shape = [1, .. images.shape[1..]];
        var draws = indices.Select(index =>
        {
            // On the CPU whatever the device, so that a GPU starts from the same points.
            using var generator = new Generator(Mix(Mix(Mix(unchecked((ulong)seed)) + unchecked((ulong)index)) + (ulong)restart), CPU);
            return norm.UniformInUnitBall(shape, generator);
        });
        return cat([.. draws], 0).to(images.dtype).to(images.device).MoveToOuterDisposeScope();
    }

    /// <summary>SplitMix64 (Steele, Lea and Flood 2014): neighbouring numbers give unrelated ones.</summary>
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
