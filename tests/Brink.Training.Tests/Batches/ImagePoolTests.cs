using Brink.Data;

namespace Brink.Training.Tests.Batches;

public sealed class ImagePoolTests
{
    [Fact]
    public void Data_sets_are_combined_in_order()
    {
        var (first, second) = (SmallTask.Images(5, seed: 1), SmallTask.Images(7, seed: 2));
        var pool = new ImagePool(first, second);
        Assert.Equal(12, pool.Count);
        Assert.Equal(first.Pixels(4), pool.Pixels(4));
        Assert.Equal(second.Pixels(0), pool.Pixels(5));
        Assert.Equal(second.Label(6), pool.Label(11));
    }

    [Fact]
    public void Shared_images_are_counted_by_their_pixels()
    {
        var images = SmallTask.Images(30, seed: 1);
        var pool = new ImagePool(images);
        Assert.Equal(10, pool.CountShared(new ImagePool(images.Take(10), SmallTask.Images(5, seed: 2))));
        Assert.Equal(0, pool.CountShared(new ImagePool(SmallTask.Images(5, seed: 2))));
    }

    [Fact]
    public void A_split_puts_every_image_into_one_of_two_parts_that_depend_on_the_seed()
    {
        var pool = new ImagePool(SmallTask.Images(30, seed: 1));
        var (training, heldOut) = pool.Split(seed: 3, heldOut: 8);
        Assert.Equal((22, 8), (training.Count, heldOut.Count));
        Assert.Equal(Enumerable.Range(0, 30), Positions(training).Concat(Positions(heldOut)).Order());
        Assert.Equal(Positions(heldOut), Positions(pool.Split(seed: 3, heldOut: 8).HeldOut));
        Assert.NotEqual(Positions(heldOut), Positions(pool.Split(seed: 4, heldOut: 8).HeldOut));
    }

    [Fact]
    public void A_limit_draws_from_all_images_and_does_not_change_the_held_out_images()
    {
        var pool = new ImagePool(SmallTask.Images(300, seed: 1));
        var (training, heldOut) = pool.Split(seed: 3, heldOut: 20, limit: 60);
        Assert.Equal(60, training.Count);
        Assert.Equal(Positions(pool.Split(seed: 3, heldOut: 20).HeldOut), Positions(heldOut));
        Assert.Empty(Positions(training).Intersect(Positions(heldOut)));
        Assert.Equal(3, Enumerable.Range(0, 60).Select(training.Label).Distinct().Count());
        // Not the first 60, but images up to the end of the pool.
        Assert.InRange(Positions(training).Max(), 200, 299);
    }

    [Theory]
    [InlineData(-1, 5)]
    [InlineData(30, 5)]
    [InlineData(0, 0)]
    public void A_split_without_training_images_is_rejected(int heldOut, int limit) =>
        Assert.Throws<BadInputException>(() => new ImagePool(SmallTask.Images(30, seed: 1)).Split(seed: 0, heldOut, limit));

    [Fact]
    public void Data_sets_with_different_sizes_or_classes_are_rejected()
    {
        var set = SmallTask.Images(5, seed: 1);
        var other = new ImageSet("grey", set.ClassNames, 1, 8, 8, new byte[64], new long[1]);
        Assert.Contains("3×8×8 and those of grey 1×8×8", Assert.Throws<BadInputException>(() => new ImagePool(set, other)).Message, StringComparison.Ordinal);
        var renamed = new ImageSet("renamed", ["green", "red", "blue"], 3, 8, 8, new byte[192], new long[1]);
        Assert.Contains("same class names", Assert.Throws<BadInputException>(() => new ImagePool(set, renamed)).Message, StringComparison.Ordinal);
    }

    private static int[] Positions(ImagePool pool) => [.. Enumerable.Range(0, pool.Count).Select(pool.Position)];
}
