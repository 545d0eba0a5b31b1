using Brink.Evaluation.Results;

namespace Brink.Evaluation.Tests.Results;

public sealed class DistributionTests
{
    [Fact]
    public void The_median_of_an_even_number_lies_between_the_two_in_the_middle() =>
        Assert.Equal(new Distribution(Mean: 4, Median: 2.5, Worst: 10), Distribution.Of([10, 1, 3, 2]));

    [Fact]
    public void The_median_of_an_odd_number_is_the_middle_one() =>
        Assert.Equal(new Distribution(Mean: 4, Median: 2, Worst: 9), Distribution.Of([9, 1, 2]));

    [Fact]
    public void Of_nothing_there_is_nothing() => Assert.Equal(new Distribution(null, null, null), Distribution.Of([]));

    [Fact]
    public void What_is_not_finite_is_left_out() =>
        Assert.Equal(Distribution.Of([1, 2]), Distribution.Of([double.PositiveInfinity, 1, double.NaN, 2]));
}
