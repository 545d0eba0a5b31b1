using Brink.Evaluation.Results;
using Brink.Reports.Figures;

namespace Brink.Reports.Tests.Figures;

public sealed class RobustnessCurveTests
{
    [Fact]
    public void Lengths_that_are_equal_up_to_rounding_share_a_step()
    {
        const double level = 1.0 / 255;
        double[] lengths = [level - 3e-8, level, level + 6e-8, 2 * level];
        var (xs, ys) = RobustnessCurve.Steps(lengths, attacked: 8, new LengthTolerance(1), end: 0.01);
        Assert.Equal([0, lengths[0], lengths[0], lengths[3], lengths[3], 0.01], xs);
        Assert.Equal([0, 0, 37.5, 37.5, 50, 50], ys);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(10_000)]
    public void The_curve_ends_at_the_share_of_fooled_images_and_has_a_limited_number_of_steps(int count)
    {
        var (xs, ys) = RobustnessCurve.Steps([.. Enumerable.Range(1, count).Select(length => (double)length)], attacked: 2 * count, new LengthTolerance(1), end: count + 1);
        Assert.Equal(50, ys[^1]);
        Assert.Equal(xs.Order(), xs);
        Assert.InRange(xs.Length, 2, 2 * 500);
    }
}
