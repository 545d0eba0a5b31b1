namespace Brink.Data;

/// <summary>Ten kinds of traffic sign, 32×32 pixels in colour, drawn here and nowhere else: no download, no licence.</summary>
/// <remarks>
/// The signs vary in place, size, turn, paint, background, light, blur and noise, and two in five are partly hidden. Image i of a
/// set depends on (seed, i) alone: not on how many are drawn, in which order, on how many threads, nor on platform or culture.
/// Sets of different seeds have nothing in common, so a split is a choice of seeds: <see cref="TrainingSeed"/> is for training,
/// <see cref="TestSeed"/> and any other for measuring.
/// </remarks>
public static class TrafficSigns
{
    /// <summary>The seed of the images the embedded network was trained on. Not for measuring.</summary>
    public const long TrainingSeed = 1;

    /// <summary>The seed of the images that are drawn when nobody asks for another.</summary>
    public const long TestSeed = 2;

    // Where the labels' streams begin, far beyond the streams of the images.
    private const long LabelStreams = 1L << 40;

    /// <summary>The ten classes in the order of the labels.</summary>
    public static IReadOnlyList<string> ClassNames { get; } =
    [
        "stop", "no entry", "yield", "warning", "priority road",
        "speed limit 30", "speed limit 80", "turn left", "turn right", "straight ahead",
    ];

    /// <summary>Draws images of a seed.</summary>
    /// <param name="seed">Any number; each is a data set of its own.</param>
    /// <param name="count">How many images; a smaller set is the beginning of a larger one.</param>
    /// <param name="start">The place of the first of them among the images of the seed.</param>
    /// <returns>The images. Of every ten from a multiple of ten on, each class has one, in random order.</returns>
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

    /// <summary>The place of the image among its ten, looked up in a shuffle (Fisher and Yates) of the ten kinds that belongs to those ten.</summary>
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
