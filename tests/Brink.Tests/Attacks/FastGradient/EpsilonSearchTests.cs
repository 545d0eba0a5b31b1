using Brink.Attacks;

namespace Brink.Tests.Attacks.FastGradient;

public sealed class EpsilonSearchTests
{
    [Theory]
    [InlineData(0.37, 0.1)]
    [InlineData(0.37, 5.0)]
    [InlineData(1e-4, 1.0)]
    [InlineData(7.9, 1e-6)]
    public void It_closes_in_on_the_threshold_from_any_guess(double threshold, double guess)
    {
        var search = new EpsilonSearch(guess, largest: 8, tolerance: 1e-3);
        var nearest = double.PositiveInfinity;
        var tries = 0;
        while (search.Exit is null)
        {
            Assert.InRange(++tries, 1, 60);
            var radius = search.Radius;
            search.Note(radius >= threshold, radius, isFinite: true, steps: 1);
            nearest = search.IsNearest ? radius : nearest;
        }

        Assert.Equal((AttackExit.Fooled, tries), (search.Exit, search.Steps));
        Assert.InRange(nearest, threshold, threshold * 1.001);
    }

    [Fact]
    public void A_perturbation_shorter_than_its_radius_narrows_the_interval_at_once()
    {
        var search = new EpsilonSearch(1, largest: 8, tolerance: 0.01);
        search.Note(fooled: true, length: 0.25, isFinite: true, steps: 1);
        Assert.True(search.IsNearest);
        Assert.Equal(0.125, search.Radius);
    }

    [Fact]
    public void A_try_that_comes_to_the_same_point_ends_the_search()
    {
        // Pixels have a last digit: a smaller ε may round to the same image.
        var search = new EpsilonSearch(1, largest: 8, tolerance: 1e-9);
        search.Note(fooled: true, length: 1, isFinite: true, steps: 1);
        Assert.Null(search.Exit);
        search.Note(fooled: true, length: 1, isFinite: true, steps: 1);
        Assert.Equal(AttackExit.Fooled, search.Exit);
    }

    [Fact]
    public void A_point_nearer_than_a_radius_that_failed_opens_the_interval_again()
    {
        var search = new EpsilonSearch(1, largest: 8, tolerance: 0.01);
        search.Note(fooled: false, length: 1, isFinite: true, steps: 1);
        search.Note(fooled: true, length: 0.8, isFinite: true, steps: 1);
        Assert.Null(search.Exit);
        Assert.Equal(0.4, search.Radius);
    }

    [Fact]
    public void Where_nothing_up_to_the_width_of_the_bounds_fools_the_search_ends()
    {
        var search = new EpsilonSearch(1, largest: 3, tolerance: 0.01);
        var radii = new List<double>();
        while (search.Exit is null)
        {
            radii.Add(search.Radius);
            search.Note(fooled: false, search.Radius, isFinite: true, steps: 1);
        }

        Assert.Equal([1, 2, 3], radii);
        Assert.Equal(AttackExit.IterationLimit, search.Exit);
    }

    [Fact]
    public void A_logit_that_is_not_finite_ends_the_search_with_what_was_found()
    {
        var search = new EpsilonSearch(1, largest: 8, tolerance: 0.01);
        search.Note(fooled: false, 0, isFinite: false, steps: 1);
        Assert.Equal(AttackExit.NotFinite, search.Exit);

        var found = new EpsilonSearch(1, largest: 8, tolerance: 0.01);
        found.Note(fooled: true, 1, isFinite: true, steps: 1);
        found.Note(fooled: false, 0, isFinite: false, steps: 1);
        Assert.Equal(AttackExit.Fooled, found.Exit);
    }
}
