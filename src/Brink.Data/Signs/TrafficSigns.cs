namespace Brink.Data;

/// <summary>Synthetic images of ten kinds of traffic sign, 32×32 pixels in colour, drawn by Brink without a download.</summary>
/// <remarks>
/// The signs vary in position, size, rotation, colour, background, light, blur and noise, and two in five are partly hidden. Image i
/// depends only on the seed and on i, not on the number of images, their order, the number of threads, the platform or the culture.
/// Sets of different seeds are independent: <see cref="TrainingSeed"/> is for training, <see cref="TestSeed"/> and all others are for
/// evaluation.
/// </remarks>
public static class TrafficSigns
{
    /// <summary>The seed of the images with which the embedded network was trained. Do not use it for evaluation.</summary>
    public const long TrainingSeed = 1;

    /// <summary>The default seed for evaluation.</summary>
    public const long TestSeed = 2;

    // The index of the first random stream of labels, far above the indices of images.
    private const long LabelStreams = 1L << 40;

    /// <summary>The names of the ten classes in the order of the labels.</summary>
    public static IReadOnlyList<string> ClassNames { get; } =
    [
        "stop", "no entry", "yield", "warning", "priority road",
        "speed limit 30", "speed limit 80", "turn left", "turn right", "straight ahead",
    ];

    /// <summary>Draws images.</summary>
    /// <param name="seed">The seed, any number; each seed gives another data set.</param>
    /// <param name="count">The number of images.</param>
    /// <param name="start">The index of the first image; default 0.</param>
    /// <returns>The images. Each ten images from a multiple of ten contain every class once, in random order.</returns>
    public static ImageSet Generate(long seed, int count, int start = 0)
    {
        const int imageLength = 3 * SignPicture.Side * SignPicture.Side;
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, int.MaxValue - count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Array.MaxLength / imageLength);
        var pixels = new byte[count * imageLength];
        var labels = new long[count];
        Parallel.For(0, count, index =>
        {
            var kind = KindOf(seed, start + index);
            labels[index] = (long)kind;
            new SignPicture(kind, new RandomStream(seed, start + index)).Draw(pixels.AsSpan(index * imageLength, imageLength));
        });

        return new ImageSet("signs", ClassNames, 3, SignPicture.Side, SignPicture.Side, pixels, labels) { FirstIndex = start };
    }

    /// <summary>Determines the kind of an image from a random permutation (Fisher and Yates) of the ten kinds for each ten images.</summary>
    private static SignKind KindOf(long seed, int index)
    {
        var random = new RandomStream(seed, LabelStreams + (index / ClassNames.Count));
        var kinds = Enum.GetValues<SignKind>();
        for (var i = kinds.Length - 1; i > 0; i--)
        {
            var other = random.Below(i + 1);
            (kinds[i], kinds[other]) = (kinds[other], kinds[i]);
        }

        return kinds[index % kinds.Length];
    }
}
