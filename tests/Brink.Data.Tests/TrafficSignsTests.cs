using System.Globalization;
using System.Security.Cryptography;

namespace Brink.Data.Tests;

public sealed class TrafficSignsTests
{
    /// <summary>Checks that the drawing is the same on all platforms and versions, because published results and the embedded network depend on it.</summary>
    [Fact]
    public void The_first_hundred_images_have_the_known_hash()
    {
        var set = TrafficSigns.Generate(TrafficSigns.TestSeed, 100);
        Assert.Equal([2L, 5, 6, 1, 9, 7, 8, 3, 0, 4], Labels(set.Take(10)));
        Assert.Equal("FEAC6B58C9A0A0656C63131185BAB8187BE0189B35E6221EA8B7C9DFAD6043A5", Convert.ToHexString(SHA256.HashData(Bytes(set))));
    }

    [Fact]
    public void An_image_does_not_depend_on_the_number_of_images()
    {
        var many = TrafficSigns.Generate(5, 40);
        var few = TrafficSigns.Generate(5, 13);
        Assert.Equal(Bytes(many.Take(13)), Bytes(few));
        Assert.Equal(Labels(many.Take(13)), Labels(few));
    }

    [Fact]
    public void A_part_equals_that_of_the_whole_set_and_skipped_images_are_not_drawn()
    {
        var (part, whole) = (DataCatalog.Open("signs", skip: 17, limit: 9), TrafficSigns.Generate(TrafficSigns.TestSeed, 40));
        Assert.Equal(17, part.FirstIndex);
        Assert.Equal(Bytes(whole.Slice(17, 9)), Bytes(part));
        Assert.Equal(Labels(whole.Slice(17, 9)), Labels(part));
        // Drawing all skipped images would need 3 GB.
        Assert.Equal((2, 900_000), (DataCatalog.Open("signs", skip: 900_000, limit: 2).Count, DataCatalog.Open("signs", skip: 900_000, limit: 2).FirstIndex));
    }

    [Fact]
    public void An_image_does_not_depend_on_parallel_drawing()
    {
        var alone = Bytes(TrafficSigns.Generate(5, 20));
        var together = new byte[4][];
        Parallel.For(0, together.Length, i => together[i] = Bytes(TrafficSigns.Generate(5, 20)));
        Assert.All(together, bytes => Assert.Equal(alone, bytes));
    }

    [Theory]
    [InlineData("tr-TR")]
    [InlineData("ar-SA")]
    [InlineData("de-DE")]
    public void An_image_does_not_depend_on_the_culture(string culture)
    {
        var invariant = Bytes(TrafficSigns.Generate(5, 10));
        var previous = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(culture);
            Assert.Equal(invariant, Bytes(TrafficSigns.Generate(5, 10)));
        }
        finally
        {
            CultureInfo.CurrentCulture = previous;
        }
    }

    [Fact]
    public void Every_ten_images_contain_every_class_once_in_random_order()
    {
        var tens = Labels(TrafficSigns.Generate(9, 300)).Chunk(10).ToArray();
        Assert.All(tens, ten => Assert.Equal([0L, 1, 2, 3, 4, 5, 6, 7, 8, 9], ten.Order()));
        Assert.True(tens.Select(ten => string.Join(' ', ten)).Distinct(StringComparer.Ordinal).Count() > 25);

        // A class must not have a fixed position among its ten: each position has most classes in thirty tens.
        Assert.All(Enumerable.Range(0, 10), place => Assert.True(tens.Select(ten => ten[place]).Distinct().Count() >= 7));
    }

    [Fact]
    [Trait("speed", "slow")]
    public void No_two_images_are_equal_within_a_seed_or_between_seeds()
    {
        long[] seeds = [long.MinValue, -1, 0, 1, 2, long.MaxValue];
        var images = seeds.SelectMany(seed => Images(TrafficSigns.Generate(seed, 50))).ToArray();
        Assert.Equal(images.Length, images.Select(Convert.ToHexString).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void Brightness_and_contrast_are_those_of_photographs()
    {
        var set = TrafficSigns.Generate(11, 500);
        var pixels = Bytes(set);
        var mean = pixels.Average(pixel => (double)pixel);
        Assert.InRange(mean, 70, 140);
        Assert.InRange(Math.Sqrt(pixels.Average(pixel => (pixel - mean) * (pixel - mean))), 30, 70);

        // Few values at the ends: clipping would hide the sign, and the bounds would limit every attack.
        Assert.InRange(pixels.Count(pixel => pixel is 0 or 255) / (double)pixels.Length, 0, 0.03);

        // Every image has contrast; without it a sign cannot be classified.
        Assert.All(Images(set), image => Assert.True(image.Max() - image.Min() > 25));
    }

    [Fact]
    public void Red_signs_have_more_red_than_blue_in_the_middle()
    {
        var set = TrafficSigns.Generate(12, 1000);
        double RedOverBlue(params long[] labels) => Enumerable.Range(0, set.Count)
            .Where(index => labels.Contains(set.Label(index)))
            .Average(index => Plane(set, index, 0) - Plane(set, index, 2));

        var red = RedOverBlue(0, 1);
        var blue = RedOverBlue(7, 8, 9);
        Assert.True(red > blue + 30, $"red signs have {red:F1} more red than blue in the middle, blue ones {blue:F1}");
    }

    [Fact]
    public void A_count_of_zero_gives_an_empty_set() => Assert.Equal(0, TrafficSigns.Generate(1, 0).Count);

    [Theory]
    [InlineData(-1)]
    [InlineData(int.MaxValue)]
    public void An_impossible_count_is_refused(int count) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => TrafficSigns.Generate(1, count));

    /// <summary>Computes the mean of the middle 16×16 pixels of one channel.</summary>
    private static double Plane(ImageSet set, int index, int channel)
    {
        var pixels = set.Pixels(index);
        var sum = 0;
        for (var row = 8; row < 24; row++)
        {
            for (var column = 8; column < 24; column++)
            {
                sum += pixels[(((channel * 32) + row) * 32) + column];
            }
        }

        return sum / 256.0;
    }

    private static IEnumerable<byte[]> Images(ImageSet set) => Enumerable.Range(0, set.Count).Select(index => set.Pixels(index).ToArray());

    private static byte[] Bytes(ImageSet set) => [.. Images(set).SelectMany(image => image)];

    private static long[] Labels(ImageSet set) => [.. Enumerable.Range(0, set.Count).Select(set.Label)];
}
