using Brink.Evaluation.Results;

namespace Brink.Evaluation.Tests.Results;

public sealed class DistributionTests
{
    [Fact]
    public void The_median_of_an_even_count_is_the_mean_of_the_middle_numbers() =>
        Assert.Equal(new Distribution(Mean: 4, Median: 2.5, Worst: 10), Distribution.Of([10, 1, 3, 2]));

    [Fact]
    public void The_median_of_an_odd_count_is_the_middle_number() =>
        Assert.Equal(new Distribution(Mean: 4, Median: 2, Worst: 9), Distribution.Of([9, 1, 2]));

    [Fact]
    public void The_distribution_of_no_numbers_is_null() => Assert.Equal(new Distribution(null, null, null), Distribution.Of([]));

    [Fact]
    public void Numbers_that_are_not_finite_are_left_out() =>
        Assert.Equal(Distribution.Of([1, 2]), Distribution.Of([double.PositiveInfinity, 1, double.NaN, 2]));
}
