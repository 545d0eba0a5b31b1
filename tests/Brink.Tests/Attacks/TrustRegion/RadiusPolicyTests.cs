using Brink.Attacks;
using static TorchSharp.torch;

namespace Brink.Tests.Attacks.TrustRegion;

public sealed class RadiusPolicyTests
{
    private static readonly RadiusPolicy Policy = new() { Unit = RadiusUnit.Input, Start = 1, Smallest = 0.9, Largest = 1.1, Growth = 1.2, GrowAbove = 0.9, ShrinkBelow = 0.5 };

    [Fact]
    public void The_radius_grows_above_one_ratio_and_shrinks_below_another()
    {
        var wide = Policy with { Smallest = 0.1, Largest = 10 };
        Assert.Equal([1 / 1.2, 1, 1, 1.2, 1 / 1.2], Next(wide, radii: 1, double.NegativeInfinity, 0.5, 0.9, 0.91, 0.49));
    }

    [Fact]
    public void The_radius_stays_within_its_limits() =>
        Assert.Equal([0.9, 1, 1.1], Next(Policy, radii: 1, -1, 0.7, 2));

    [Fact]
    public void Limits_in_units_of_the_first_distance_scale_with_it()
    {
        using var scope = NewDisposeScope();
        var policy = Policy with { Unit = RadiusUnit.FirstDistance };
        var distances = tensor(new[] { 10.0, 0.1 });
        Assert.Equal([10.0, 0.1], policy.First(distances).data<double>().ToArray());
        Assert.Equal([11.0, 0.11], policy.Next(distances, ones(2, dtype: ScalarType.Float64), distances).data<double>().ToArray(), (a, b) => Math.Abs(a - b) < 1e-12);
    }

    [Fact]
    public void A_fixed_radius_never_changes() =>
        Assert.Equal([0.05, 0.05, 0.05], Next(RadiusPolicy.Fixed(0.05), radii: 0.05, 2, 0.7, -1));

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(1e300)]
    public void A_radius_that_is_not_positive_is_refused(double radius) =>
        Assert.Contains("radius", Assert.Throws<BadInputException>(RadiusPolicy.Fixed(radius).Check).Message, StringComparison.OrdinalIgnoreCase);

    [Fact]
    public void Limits_and_thresholds_out_of_order_are_refused()
    {
        Assert.Throws<BadInputException>((Policy with { Smallest = 2 }).Check);
        Assert.Throws<BadInputException>((Policy with { Largest = 0.5 }).Check);
        Assert.Throws<BadInputException>((Policy with { Growth = 0.5 }).Check);
        Assert.Throws<BadInputException>((Policy with { ShrinkBelow = 0.95 }).Check);
        Assert.Throws<BadInputException>((Policy with { GrowAbove = double.NaN }).Check);
    }

    private static double[] Next(RadiusPolicy policy, double radii, params double[] ratios)
    {
        using var scope = NewDisposeScope();
        var all = ones(ratios.Length, dtype: ScalarType.Float64);
        return policy.Next(all * radii, tensor(ratios), all).data<double>().ToArray();
    }
}
