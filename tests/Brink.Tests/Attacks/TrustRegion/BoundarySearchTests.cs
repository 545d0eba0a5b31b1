using Brink.Attacks;
using static TorchSharp.torch;

namespace Brink.Tests.Attacks.TrustRegion;

/// <summary>Tests of the search for nearer points, the second stage of the trust-region attack with an effort.</summary>
public sealed class BoundarySearchTests
{
    public static TheoryData<string, int> Efforts()
    {
        var data = new TheoryData<string, int>();
        foreach (var norm in new[] { "l2", "linf" })
        {
            foreach (var effort in new[] { 1, 2, 5, 25, 60, 200 })
            {
                data.Add(norm, effort);
            }
        }

        return data;
    }

    [Theory, MemberData(nameof(Efforts))]
    public void No_image_takes_more_passes_of_a_kind_than_its_effort(string norm, int effort)
    {
        using var scope = NewDisposeScope();
        using var network = new SmoothNetwork(12, 20, 5, seed: 1);
        var (images, labels) = network.Batch(16, seed: 3);
        using var result = Attack(norm, effort).Run(network.AsClassifier(), images, labels);
        Assert.All(result.Outcomes, image => Assert.InRange(Math.Max(image.Forwards, image.Backwards), 1, effort));
        if (effort >= 60)
        {
            // The effort is spent: what is left is too little for another try.
            Assert.All(result.Outcomes, image => Assert.InRange(Math.Max(image.Forwards, image.Backwards), effort - 4, effort));
        }
    }

    [Theory]
    [InlineData("l2")]
    [InlineData("linf")]
    public void A_larger_effort_finds_shorter_perturbations(string norm)
    {
        using var scope = NewDisposeScope();
        using var network = new SmoothNetwork(12, 20, 5, seed: 1);
        var (images, labels) = network.Batch(32, seed: 3);
        var before = Enumerable.Repeat(double.PositiveInfinity, 32).ToArray();
        foreach (var effort in new[] { 25, 60, 125 })
        {
            using var result = Attack(norm, effort).Run(network.AsClassifier(), images, labels);
            var lengths = result.Outcomes.Select(image => image.Fooled ? norm == "l2" ? image.L2 : image.LInf : double.PositiveInfinity).ToArray();
            // A single image may take another path.
            Assert.True(lengths.Sum() < before.Sum());
            before = lengths;
        }
    }

    [Theory]
    [InlineData("l2")]
    [InlineData("linf")]
    public void The_nearest_class_is_found_although_another_one_is_reached_first(string norm)
    {
        using var scope = NewDisposeScope();
        var classifier = Linear.Classes(10, 24, seed: 6);
        var random = new Random(4);
        var rows = Enumerable.Range(0, 24).Select(_ => Enumerable.Range(0, 24).Select(_ => (random.NextDouble() * 2) - 1).ToArray()).ToArray();
        using var result = Attack(norm, 200).Run(classifier, tensor(rows.SelectMany(row => row).ToArray()).reshape(24, 24), tensor(rows.Select(row => (long)classifier.ClassOf(row)).ToArray()));
        for (var row = 0; row < rows.Length; row++)
        {
            var (label, image) = (classifier.ClassOf(rows[row]), result.Outcomes[row]);
            var exact = Enumerable.Range(0, 10).Where(other => other != label).Min(other => classifier.DistanceToFace(rows[row], label, other, norm == "l2" ? Norm.L2 : Norm.LInf));
            Assert.InRange(norm == "l2" ? image.L2 : image.LInf, exact * (1 - 1e-9), exact * 1.002);
        }
    }

    [Theory]
    [InlineData("l2")]
    [InlineData("linf")]
    public void A_starting_image_fools_an_image_without_a_gradient(string norm)
    {
        using var scope = NewDisposeScope();
        // The gap is constant except in a narrow band around the boundary, where the smallest entry is 0.9, which random points do not reach.
        var classifier = new TwoClasses(images => (images.amin([1]) - 0.9).clamp(-0.001, 0.001)) { Bounds = Bounds.Pixels };
        var images = full([3, 8], 0.2, dtype: ScalarType.Float64);
        var labels = zeros(3, dtype: ScalarType.Int64);
        var attack = Attack(norm, 60);
        using var without = attack.Run(classifier, images, labels);
        Assert.All(without.Outcomes, image => Assert.False(image.Fooled));

        var other = full([3, 8], 0.95, dtype: ScalarType.Float64);
        using var starts = new StartingImages(() => (other, [1, 1, 1]));
        using var with = ((IStartsFromImages)attack).StartingFrom(starts).Run(classifier, images, labels);
        Assert.All(with.Outcomes, image => Assert.True(image.Fooled, image.Exit.Describe()));
        // Four bisections of a segment of length 0.75 determine the boundary to 0.05.
        Assert.All(with.Outcomes, image => Assert.InRange(image.LInf, 0.7, 0.75));
    }

    [Theory]
    [InlineData("l2")]
    [InlineData("linf")]
    public void Images_at_the_corners_of_the_bounds_take_no_more_passes_than_their_effort(string norm)
    {
        using var scope = NewDisposeScope();
        // In a corner, all entries of a gradient may point outward; then the first stage tries other classes, each with a comparison of classes.
        var classifier = Linear.Classes(10, 4, seed: 6, Bounds.Pixels);
        var rows = Enumerable.Range(0, 16).Select(corner => Enumerable.Range(0, 4).Select(entry => (double)((corner >> entry) & 1)).ToArray()).ToArray();
        using var result = Attack(norm, 25).Run(classifier, tensor(rows.SelectMany(row => row).ToArray()).reshape(16, 4), tensor(rows.Select(row => (long)classifier.ClassOf(row)).ToArray()));
        Assert.All(result.Outcomes, image => Assert.InRange(Math.Max(image.Forwards, image.Backwards), 1, 25));
    }

    [Theory]
    [InlineData("l2")]
    [InlineData("linf")]
    public void Starting_images_do_not_make_results_depend_on_the_batch(string norm)
    {
        using var scope = NewDisposeScope();
        using var network = new SmoothNetwork(12, 20, 5, seed: 1);
        var (images, labels) = network.Batch(8, seed: 3);
        var (others, classes) = network.Batch(64, seed: 9);
        using var starts = new StartingImages(() => (others, classes.data<long>().ToArray()));
        var attack = ((IStartsFromImages)Attack(norm, 150)).StartingFrom(starts);
        using var together = attack.Run(network.AsClassifier(), images, labels);
        using var without = Attack(norm, 150).Run(network.AsClassifier(), images, labels);
        Assert.NotEqual(without.Outcomes.Select(image => image.Forwards - image.Backwards), together.Outcomes.Select(image => image.Forwards - image.Backwards));
        for (var row = 0; row < 8; row++)
        {
            using var alone = attack.Run(network.AsClassifier(), images.narrow(0, row, 1), labels.narrow(0, row, 1), indices: [row]);
            Assert.Equal(together.Outcomes[row].L2, alone.Outcomes[0].L2, 1e-9);
            Assert.Equal((together.Outcomes[row].Forwards, together.Outcomes[row].Backwards), (alone.Outcomes[0].Forwards, alone.Outcomes[0].Backwards));
        }
    }

    [Theory]
    [InlineData(100, 1)]
    [InlineData(2, 4)]
    public void The_first_stage_goes_on_where_the_boundary_is_near_although_the_linear_model_is_inaccurate(double width, int fewest)
    {
        using var scope = NewDisposeScope();
        // The slope of the logarithm falls by a factor of ten from the image to the boundary, so ρ of the first step is 0.66.
        var classifier = new TwoClasses(images => images.select(1, 0).clamp_min(1e-3).log()) { Bounds = new(0, width) };
        var images = full([1, 3], 0.1, dtype: ScalarType.Float64);
        using var starts = new StartingImages(() => (full([1, 3], 0.9 * width, dtype: ScalarType.Float64), [1]));
        using var result = ((IStartsFromImages)Attack("linf", 25)).StartingFrom(starts).Run(classifier, images, zeros(1, dtype: ScalarType.Int64));
        Assert.InRange(result.Outcomes[0].LInf, 0.9, 0.91);
        // Bisections of a segment toward a starting image are forward passes without backward passes; the classification is one as well.
        Assert.Equal(fewest > 1, result.Outcomes[0].Forwards - result.Outcomes[0].Backwards >= fewest);
    }

    [Fact]
    public void Without_starting_images_there_is_no_ranking()
    {
        using var scope = NewDisposeScope();
        using var starts = new StartingImages(() => (empty(0), []));
        Assert.Empty(starts.Rank(zeros(3), label: 0, target: null));
    }

    [Fact]
    public void Starting_images_are_ordered_by_class_and_distance_and_those_of_the_label_are_left_out()
    {
        using var scope = NewDisposeScope();
        using var starts = new StartingImages(() => (tensor(new[] { 0.1, 0.2, 0.3, 0.4, 0.5, 0.6 }).reshape(6, 1), [0, 2, 2, 1, 1, -1]));
        var original = zeros(1, dtype: ScalarType.Float64);
        Assert.Equal([1, 3, 2, 4], starts.Rank(original, label: 0, target: null));
        Assert.Equal([3, 4], starts.Rank(original, label: 0, target: tensor(new[] { 1L })));
        Assert.Equal([0, 3, 4], starts.Rank(original, label: 2, target: tensor(new[] { 7L })));
    }

    private static TrustRegionAttack Attack(string norm, int effort) => new(new() { Norm = norm == "l2" ? Norm.L2 : Norm.LInf, Refinement = new() { Effort = effort } });
}
