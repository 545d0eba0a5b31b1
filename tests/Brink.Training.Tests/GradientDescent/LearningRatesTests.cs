namespace Brink.Training.Tests.GradientDescent;

public sealed class LearningRatesTests
{
    [Theory]
    [InlineData(LearningRateSchedule.OneCycle)]
    [InlineData(LearningRateSchedule.Cosine)]
    [InlineData(LearningRateSchedule.Step)]
    [InlineData(LearningRateSchedule.Constant)]
    public void Learning_rates_are_between_zero_and_the_highest_one_which_is_reached(LearningRateSchedule schedule)
    {
        var shares = Enumerable.Range(0, 1001).Select(step => LearningRates.Share(schedule, step / 1000.0, warmUp: 0.2)).ToArray();
        Assert.All(shares, share => Assert.InRange(share, 0, 1));
        Assert.Equal(1, shares.Max(), 1e-12);
    }

    [Fact]
    public void One_cycle_increases_and_decreases_continuously()
    {
        double Share(double progress) => LearningRates.Share(LearningRateSchedule.OneCycle, progress, warmUp: 0.2);
        Assert.Equal((0, 0.5, 1), (Share(0), Share(0.1), Share(0.2)));
        Assert.Equal(0.5, Share(0.6), 1e-12);
        Assert.Equal(0, Share(1), 1e-12);
        Assert.All(Enumerable.Range(0, 1000), step => Assert.True(Math.Abs(Share((step + 1) / 1000.0) - Share(step / 1000.0)) < 0.006));
    }

    [Fact]
    public void Without_a_warm_up_one_cycle_equals_the_cosine() =>
        Assert.All(Enumerable.Range(0, 100), step => Assert.Equal(
            LearningRates.Share(LearningRateSchedule.Cosine, step / 100.0, warmUp: 0.2),
            LearningRates.Share(LearningRateSchedule.OneCycle, step / 100.0, warmUp: 0),
            1e-12));

    [Fact]
    public void Step_divides_by_ten_and_by_a_hundred() =>
        Assert.Equal([1, 1, 0.1, 0.1, 0.01], new[] { 0, 0.49, 0.5, 0.74, 0.75 }.Select(progress => LearningRates.Share(LearningRateSchedule.Step, progress, warmUp: 0.2)));
}
