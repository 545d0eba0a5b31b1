using Brink.Optimization;
using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Tests.Optimization;

public sealed class BoxedHyperplaneTests
{
    private const int Rows = 40;
    private const int Size = 15;

    [Theory]
    [InlineData("l2", 1)]
    [InlineData("l2", 2)]
    [InlineData("linf", 3)]
    [InlineData("linf", 4)]
    public void The_nearest_point_satisfies_the_optimality_conditions(string normName, int seed)
    {
        using var scope = NewDisposeScope();
        var (normals, origins, points, rises) = Random(seed);
        var nearest = Nearest(normName, normals, origins, points, rises);
        var missed = 0;
        for (var row = 0; row < Rows; row++)
        {
            var (n, p, x) = (normals[row].data<double>().ToArray(), points[row].data<double>().ToArray(), nearest[row].data<double>().ToArray());
            var rise = n.Zip(x, (a, b) => a * b).Sum() - n.Zip(origins[row].data<double>().ToArray(), (a, b) => a * b).Sum();
            var target = rises[row].item<double>();
            var sign = Math.Sign(target - n.Zip(p, (a, b) => a * b).Sum() + n.Zip(origins[row].data<double>().ToArray(), (a, b) => a * b).Sum());
            Assert.All(x, entry => Assert.InRange(entry, 0, 1));
            // Every entry has moved by the same multiple μ of its direction, or by less if it reached its bound.
            var directions = n.Select(entry => sign * (normName == "l2" ? entry : Math.Sign(entry))).ToArray();
            var multiples = x.Zip(p, (a, b) => a - b).Zip(directions, (move, direction) => direction == 0 ? 0 : move / direction).ToArray();
            var stuck = x.Zip(directions, (entry, direction) => direction > 0 ? entry >= 1 : direction >= 0 || entry <= 0).ToArray();
            Assert.All(multiples, multiple => Assert.True(multiple >= -1e-12));
            if (stuck.All(entry => entry))
            {
                // A corner of the box, from which the hyperplane is not reached.
                missed++;
                Assert.True(sign * (target - rise) >= -1e-9);
                continue;
            }

            var length = multiples.Where((_, entry) => !stuck[entry]).Max();
            Assert.Equal(target, rise, 9);
            Assert.All(Enumerable.Range(0, Size), entry => Assert.True(stuck[entry] ? multiples[entry] <= length + 1e-9 : Math.Abs(multiples[entry] - length) < 1e-9));
        }

        Assert.InRange(missed, 1, Rows - 10);
    }

    /// <summary>An exchange of a move of one entry for a move of another with a larger weight would be shorter.</summary>
    [Theory]
    [InlineData(9)]
    [InlineData(10)]
    public void In_L1_the_entries_with_the_largest_weights_move_to_their_bounds_and_one_entry_in_part(int seed)
    {
        using var scope = NewDisposeScope();
        var (normals, origins, points, rises) = Random(seed);
        var nearest = Nearest("l1", normals, origins, points, rises);
        var missed = 0;
        for (var row = 0; row < Rows; row++)
        {
            var (n, o, p, x) = (normals[row].data<double>().ToArray(), origins[row].data<double>().ToArray(), points[row].data<double>().ToArray(), nearest[row].data<double>().ToArray());
            var shortfall = rises[row].item<double>() - n.Zip(x.Zip(o, (a, b) => a - b), (a, b) => a * b).Sum();
            var sign = Math.Sign(rises[row].item<double>() - n.Zip(p.Zip(o, (a, b) => a - b), (a, b) => a * b).Sum());
            Assert.All(x, entry => Assert.InRange(entry, 0, 1));
            Assert.All(Enumerable.Range(0, Size), entry => Assert.True((x[entry] - p[entry]) * n[entry] * sign >= 0));
            int[] moved = [.. Enumerable.Range(0, Size).Where(entry => x[entry] != p[entry])];
            int[] free = [.. Enumerable.Range(0, Size).Where(entry => x[entry] != (n[entry] * sign > 0 ? 1 : 0))];
            Assert.All(moved, entry => Assert.DoesNotContain(free, other => Math.Abs(n[other]) > Math.Abs(n[entry])));
            Assert.InRange(moved.Intersect(free).Count(), 0, 1);
            if (free.Length == 0)
            {
                // A corner of the box, from which the hyperplane is not reached.
                missed++;
                Assert.True(sign * shortfall >= -1e-9);
                continue;
            }

            Assert.Equal(0, shortfall, 9);
        }

        Assert.InRange(missed, 1, Rows - 10);
    }

    [Fact]
    public void In_L1_a_hyperplane_of_many_entries_is_reached_in_single_precision()
    {
        using var scope = NewDisposeScope();
        const int entries = 100_000;
        using var generator = new Generator(11);
        var (normals, points) = (rand([2, entries], generator: generator).Plus(1), rand([2, entries], generator: generator));
        var rises = tensor([12_345.678f, -12_345.678f]);
        var nearest = new BoxedHyperplane(normals, points, rises, tensor(0f), tensor(1f)).Nearest(points, Norm.L1);
        Assert.Equal(ScalarType.Float32, nearest.dtype);
        var reached = (normals.to(ScalarType.Float64) * (nearest.to(ScalarType.Float64) - points.to(ScalarType.Float64))).sum(1);
        // The rounding of the one entry that moves in part; all others are at their bounds or unchanged.
        Assert.True((reached - rises).abs().le(1e-6).all().item<bool>());
        Assert.True(nearest.ne(points).logical_and(nearest.gt(0)).logical_and(nearest.lt(1)).sum(1).le(1).all().item<bool>());
        Assert.True(nearest.ne(points).sum(1).gt(entries / 10).all().item<bool>());
    }

    [Theory]
    [InlineData("l2")]
    [InlineData("linf")]
    [InlineData("l1")]
    public void No_other_point_of_the_hyperplane_is_nearer(string normName)
    {
        using var scope = NewDisposeScope();
        var norm = Norm.Parse(normName);
        var (normals, origins, points, rises) = Random(seed: 5);
        var nearest = Nearest(normName, normals, origins, points, rises);
        // Random points of the hyperplane, between two points of the box on either side of it.
        var random = new Random(6);
        Tensor Value(Tensor x) => (normals * (x - origins)).sum(1) - rises;
        for (var trial = 0; trial < 200; trial++)
        {
            using var trialScope = NewDisposeScope();
            var (one, other) = (Uniform(random), Uniform(random));
            var (first, second) = (Value(one), Value(other));
            var crossing = first / (first - second);
            var between = crossing.ge(Scalars.Zero).logical_and(crossing.le(Scalars.One));
            var found = one.Plus((other - one) * crossing.unsqueeze(1));
            var farther = norm.Of(found - points).ge(norm.Of(nearest - points) - tensor(1e-9));
            Assert.True(farther.logical_or(between.logical_not()).all().item<bool>());
        }
    }

    [Theory]
    [InlineData("l2")]
    [InlineData("l1")]
    public void Rows_do_not_depend_on_each_other(string normName)
    {
        using var scope = NewDisposeScope();
        var (normals, origins, points, rises) = Random(seed: 7);
        if (normName == "l1")
        {
            // Many entries of equal weight, whose order must not depend on the batch either.
            normals = normals.mul(Scalars.Two).round();
        }

        var together = Nearest(normName, normals, origins, points, rises);
        for (var row = 0; row < Rows; row++)
        {
            var alone = Nearest(normName, normals[row..(row + 1)], origins[row..(row + 1)], points[row..(row + 1)], rises[row..(row + 1)]);
            Assert.True((alone[0] - together[row]).abs().max().item<double>() < 1e-12);
        }
    }

    [Fact]
    public void The_hyperplane_is_reached_with_entries_of_very_different_weights()
    {
        using var scope = NewDisposeScope();
        var (normals, points, rises) = (tensor(new[] { 1, 5e-4 }).unsqueeze(0), tensor(new[] { 0.9, 0 }).unsqueeze(0), tensor([1.0002]));
        var nearest = Nearest("l2", normals, zeros_like(points), points, rises);
        Assert.Equal(1, nearest[0, 0].item<double>(), 12);
        Assert.Equal(0.4, nearest[0, 1].item<double>(), 9);
    }

    [Theory]
    [InlineData("linf")]
    [InlineData("l1")]
    public void A_zero_normal_leaves_the_point_unchanged(string normName)
    {
        using var scope = NewDisposeScope();
        var (normals, origins, points, rises) = Random(seed: 8);
        Assert.True(Nearest(normName, zeros_like(normals), origins, points, rises).equal(points).all().item<bool>());
    }

    private static Tensor Nearest(string normName, Tensor normals, Tensor origins, Tensor points, Tensor rises) =>
        new BoxedHyperplane(normals, origins, rises, tensor(0.0), tensor(1.0)).Nearest(points, Norm.Parse(normName));

    /// <summary>Draws random hyperplanes, some of which miss the box, some of which have their nearest point at a bound, and others.</summary>
    private static (Tensor Normals, Tensor Origins, Tensor Points, Tensor Rises) Random(int seed)
    {
        var random = new Random(seed);
        return (Uniform(random).mul(Scalars.Two).sub(Scalars.One), Uniform(random), Uniform(random), (tensor(Enumerable.Range(0, Rows).Select(_ => random.NextDouble()).ToArray()) * 10) - 5);
    }

    private static Tensor Uniform(Random random) => tensor(Enumerable.Range(0, Rows * Size).Select(_ => random.NextDouble()).ToArray()).reshape(Rows, Size);
}
