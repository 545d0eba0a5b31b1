using TorchSharp;

namespace Brink.Data.Tests;

public sealed class ImageSetTests
{
    [Fact]
    public void Images_are_bytes_over_255_in_float32()
    {
        using var images = Set(3).Images(1, 2);
        Assert.Equal([2L, 1, 2, 2], images.shape);
        Assert.Equal(torch.ScalarType.Float32, images.dtype);
        Assert.Equal([4 / 255f, 5 / 255f, 6 / 255f, 7 / 255f, 8 / 255f, 9 / 255f, 10 / 255f, 11 / 255f], images.data<float>().ToArray());
    }

    [Fact]
    public void The_brightest_byte_is_exactly_one()
    {
        using var images = new ImageSet("white", ["a"], 1, 1, 1, new byte[] { 255 }, new long[] { 0 }).Images(0, 1);
        Assert.Equal(1f, images.item<float>());
    }

    [Fact]
    public void Labels_are_int64()
    {
        using var labels = Set(3).Labels(1, 2);
        Assert.Equal(torch.ScalarType.Int64, labels.dtype);
        Assert.Equal([1L, 0], labels.data<long>().ToArray());
    }

    [Fact]
    public void Images_and_labels_leave_no_other_tensors()
    {
        var set = Set(3);
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        set.Images(0, 3).Dispose();
        set.Labels(0, 3).Dispose();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void A_part_of_a_part_has_the_correct_images_and_first_index()
    {
        var part = Set(9).Skip(2).Slice(1, 5).Take(2);
        Assert.Equal(2, part.Count);
        Assert.Equal(3, part.FirstIndex);
        Assert.Equal(Set(9).Pixels(4), part.Pixels(1));
        Assert.Equal(Set(9).Label(4), part.Label(1));
    }

    [Fact]
    public void Skip_and_take_stop_at_the_end()
    {
        Assert.Equal(0, Set(3).Skip(4).Count);
        Assert.Equal(3, Set(3).Take(4).Count);
        using var none = Set(3).Skip(4).Images(0, 0);
        Assert.Equal([0L, 1, 2, 2], none.shape);
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, -1)]
    [InlineData(3, 1)]
    [InlineData(1, int.MaxValue)]
    public void A_range_outside_the_set_is_refused(int start, int count)
    {
        var set = Set(3);
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Images(start, count));
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Labels(start, count));
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Slice(start, count));
    }

    [Fact]
    public void Lengths_that_do_not_match_are_refused() =>
        Assert.Throws<ArgumentException>(() => new ImageSet("bad", ["a"], 1, 2, 2, new byte[7], new long[2]));

    [Theory]
    [InlineData(-1)]
    [InlineData(2)]
    public void A_label_without_a_class_is_refused(long label) =>
        Assert.Throws<ArgumentException>(() => new ImageSet("bad", ["a", "b"], 1, 1, 1, new byte[1], new[] { label }));

    /// <summary>Creates images of 1×2×2 pixels that count up from 0, with labels 0, 1, 0, 1 and so on.</summary>
    private static ImageSet Set(int count) => new(
        "counting",
        ["even", "odd"],
        1,
        2,
        2,
        Enumerable.Range(0, 4 * count).Select(value => (byte)value).ToArray(),
        Enumerable.Range(0, count).Select(index => (long)(index % 2)).ToArray());
}
