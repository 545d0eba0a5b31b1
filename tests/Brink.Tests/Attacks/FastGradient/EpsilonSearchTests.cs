using Brink.Attacks;

namespace Brink.Tests.Attacks.FastGradient;

public sealed class EpsilonSearchTests
{
    [Theory]
    [InlineData(0.37, 0.1)]
    [InlineData(0.37, 5.0)]
    [InlineData(1e-4, 1.0)]
    [InlineData(7.9, 1e-6)]
    public void The_search_converges_to_the_threshold_from_any_first_epsilon(double threshold, double guess)
    {
        var search = new EpsilonSearch(guess, largest: 8, tolerance: 1e-3);
        var nearest = double.PositiveInfinity;
        var tries = 0;
        while (search.Exit is null)
        {
            Assert.InRange(++tries, 1, 60);
            var radius = search.Radius;
            search.Record(radius >= threshold, radius, isFinite: true, steps: 1);
            nearest = search.IsNearest ? radius : nearest;
        }

        Assert.Equal((AttackExit.Fooled, tries), (search.Exit, search.Steps));
        Assert.InRange(nearest, threshold, threshold * 1.001);
    }

    [Fact]
    public void A_perturbation_shorter_than_its_radius_narrows_the_interval_at_once()
    {
        var search = new EpsilonSearch(1, largest: 8, tolerance: 0.01);
        search.Record(fooled: true, length: 0.25, isFinite: true, steps: 1);
        Assert.True(search.IsNearest);
        Assert.Equal(0.125, search.Radius);
    }

    [Fact]
    public void A_try_with_the_same_result_ends_the_search()
    {
        // With rounding, a smaller ε may give the same image.
        var search = new EpsilonSearch(1, largest: 8, tolerance: 1e-9);
        search.Record(fooled: true, length: 1, isFinite: true, steps: 1);
        Assert.Null(search.Exit);
        search.Record(fooled: true, length: 1, isFinite: true, steps: 1);
        Assert.Equal(AttackExit.Fooled, search.Exit);
    }

    [Fact]
    public void A_point_inside_a_ball_that_failed_extends_the_interval_to_zero()
    {
        var search = new EpsilonSearch(1, largest: 8, tolerance: 0.01);
        search.Record(fooled: false, length: 1, isFinite: true, steps: 1);
        search.Record(fooled: true, length: 0.8, isFinite: true, steps: 1);
        Assert.Null(search.Exit);
        Assert.Equal(0.4, search.Radius);
    }

    [Fact]
    public void The_search_ends_if_no_perturbation_within_the_bounds_succeeds()
    {
        var search = new EpsilonSearch(1, largest: 3, tolerance: 0.01);
        var radii = new List<double>();
        while (search.Exit is null)
        {
            radii.Add(search.Radius);
            search.Record(fooled: false, search.Radius, isFinite: true, steps: 1);
        }

        Assert.Equal([1, 2, 3], radii);
        Assert.Equal(AttackExit.IterationLimit, search.Exit);
    }

    [Fact]
    public void A_logit_that_is_not_finite_ends_the_search_with_the_result_so_far()
    {
        var search = new EpsilonSearch(1, largest: 8, tolerance: 0.01);
        search.Record(fooled: false, 0, isFinite: false, steps: 1);
        Assert.Equal(AttackExit.NotFinite, search.Exit);

        var found = new EpsilonSearch(1, largest: 8, tolerance: 0.01);
        found.Record(fooled: true, 1, isFinite: true, steps: 1);
        found.Record(fooled: false, 0, isFinite: false, steps: 1);
        Assert.Equal(AttackExit.Fooled, found.Exit);
    }
}
