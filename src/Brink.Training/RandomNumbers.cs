using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Training;

/// <summary>The purposes of random draws. Each purpose has its own numbers, so that no draw depends on another one.</summary>
internal enum RandomPurpose
{
    /// <summary>The choice of the held-out images and of the images under a limit.</summary>
    Selection = 1,

    /// <summary>The order of the images in an epoch.</summary>
    Order = 2,

    /// <summary>The crop and the flip of an image in an epoch.</summary>
    Augmentation = 3,

    /// <summary>Draws of the model in a step, such as dropout masks.</summary>
    Network = 4,

    /// <summary>The random starts of the attack in a step.</summary>
    Attack = 5,

    /// <summary>The images on which the curvature of the loss is estimated, and the initial vector of the power iteration.</summary>
    Curvature = 6,
}

/// <summary>Random numbers that are functions of the seed and of the numbers they are drawn for, so that a resumed run draws the same ones.</summary>
internal static class RandomNumbers
{
    /// <summary>Draws an integer between 0 and <paramref name="count"/> − 1.</summary>
    /// <param name="count">The number of possible values.</param>
    /// <param name="numbers">The seed, the purpose, the epoch and further numbers that identify the draw.</param>
    public static int Below(int count, params ReadOnlySpan<long> numbers) => (int)((RandomSeed.Of(numbers) >> 11) * (1.0 / (1L << 53)) * count);

    /// <summary>Draws a permutation of the integers from 0 to <paramref name="count"/> − 1 (Fisher–Yates shuffle in Durstenfeld's form).</summary>
    /// <param name="count">The number of integers.</param>
    /// <param name="seed">The seed of the run.</param>
    /// <param name="purpose">The purpose of the permutation.</param>
    /// <param name="epoch">The epoch, starting at 0.</param>
    public static int[] Permutation(int count, long seed, RandomPurpose purpose, long epoch)
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

/// <summary>Seeds torch's global random generator and restores its previous state when disposed.</summary>
/// <remarks>Initial weights and dropout masks can be drawn from the global generator only.</remarks>
internal sealed class SeededTorch : IDisposable
{
    private readonly Tensor _before;

    /// <summary>Saves the state of the generator and seeds it.</summary>
    /// <param name="seed">The seed.</param>
    public SeededTorch(long seed)
    {
        _before = get_rng_state().DetachFromDisposeScope();
        Seed(seed);
    }

    /// <summary>Seeds the generator again, without saving its state.</summary>
    /// <param name="seed">The seed.</param>
    public static void Seed(long seed) => manual_seed(seed).Dispose();

    /// <inheritdoc/>
    public void Dispose()
    {
        set_rng_state(_before);
        _before.Dispose();
    }
}
