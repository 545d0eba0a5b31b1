using Brink.Optimization;
using static TorchSharp.torch;

namespace Brink.Tests.Optimization;

[Trait("speed", "slow")]
public sealed class BoxedWedgeTests
{
    private const int Rows = 60;
    private const int Size = 15;

    [Theory]
    [InlineData("l2", 1)]
    [InlineData("l2", 2)]
    [InlineData("linf", 3)]
    [InlineData("linf", 4)]
    public void It_reaches_both_half_spaces_and_by_duality_nothing_that_does_is_nearer(string normName, int seed)
    {
        using var scope = NewDisposeScope();
        var norm = normName == "l2" ? Norm.L2 : Norm.LInf;
        var (wedge, points) = Random(seed);
        var nearest = wedge.Nearest(points, norm);
        var distances = norm.Of(nearest - points);

        // No point within the bounds that reaches both can be nearer than the nearest that reaches a mixture of them.
        var bound = zeros_like(distances);
        for (var share = 0; share <= 500; share++)
        {
            using var step = NewDisposeScope();
            bound = maximum(bound, norm.Of(Mixed(wedge, points, share / 500.0).Nearest(points, norm) - points)).MoveToOtherDisposeScope(scope);
        }

        Assert.True(nearest.ge(0).logical_and(nearest.le(1)).all().item<bool>());
        // Between the last two mixtures the first half-space is met to the 1/64 that they are apart.
        Assert.True(wedge.Face.Missing(nearest).lt(wedge.Face.Missing(points) * 0.1).all().item<bool>());
        Assert.True(wedge.Other.Missing(nearest).lt(1e-9).all().item<bool>());
        Assert.True((distances / bound).lt(1.005).all().item<bool>());
        var edges = wedge.Other.Missing(wedge.Face.Nearest(points, norm)).gt(0).sum().item<long>();
        Assert.InRange(edges, 10, Rows - 10);
    }

    [Theory]
    [InlineData("l2")]
    [InlineData("linf")]
    public void A_second_half_space_that_says_nothing_changes_nothing(string normName)
    {
        using var scope = NewDisposeScope();
        var norm = normName == "l2" ? Norm.L2 : Norm.LInf;
        var (wedge, points) = Random(5);
        var silent = wedge with { Other = wedge.Other with { Normals = zeros_like(points), Rises = zeros(Rows, dtype: ScalarType.Float64) } };
        Assert.True(silent.Nearest(points, norm).equal(wedge.Face.Nearest(points, norm)).all().item<bool>());
    }

    [Fact]
    public void A_half_space_that_the_box_does_not_reach_leaves_the_corner_closest_to_it()
    {
        using var scope = NewDisposeScope();
        var (wedge, points) = Random(6);
        var far = wedge with { Other = wedge.Other with { Rises = full(Rows, 1e3, dtype: ScalarType.Float64) } };
        Assert.True(far.Nearest(points, Norm.L2).equal(wedge.Other.Normals.gt(0).to(ScalarType.Float64)).all().item<bool>());
    }

    [Fact]
    public void Rows_do_not_depend_on_each_other()
    {
        using var scope = NewDisposeScope();
        var (wedge, points) = Random(7);
        var together = wedge.Nearest(points, Norm.LInf);
        for (var row = 0; row < Rows; row++)
        {
            var index = tensor([(long)row]);
            var alone = new BoxedWedge(wedge.Face.Select(index), wedge.Other.Select(index)).Nearest(points.index_select(0, index), Norm.LInf);
            Assert.True((alone[0] - together[row]).abs().max().item<double>() < 1e-12);
        }
    }

    private static BoxedHyperplane Mixed(BoxedWedge wedge, Tensor points, double share) => new(
        (wedge.Face.Normals * (1 - share)) + (wedge.Other.Normals * share),
        points,
        (wedge.Face.Missing(points) * (1 - share)) + (wedge.Other.Missing(points) * share),
        wedge.Face.Lower,
        wedge.Face.Upper);

    /// <summary>Two half-spaces, of which the point is short of the first and often of the second, both of which a random point of the box reaches.</summary>
    private static (BoxedWedge Wedge, Tensor Points) Random(int seed)
    {
        var random = new Random(seed);
        Tensor Uniform(int columns) => tensor(Enumerable.Range(0, Rows * columns).Select(_ => random.NextDouble()).ToArray()).reshape(Rows, columns);
        var (points, inside) = (Uniform(Size), Uniform(Size));
        BoxedHyperplane Reached(double least, double range)
        {
            var normals = (Uniform(Size) * 2) - 1;
            normals = normals * (normals * (inside - points)).sum(1, keepdim: true).sign();
            return new(normals, points, (normals * (inside - points)).sum(1) * (least + (range * Uniform(1).squeeze(1))), tensor(0.0), tensor(1.0));
        }

        return (new(Reached(0.5, 0.4), Reached(-0.4, 1)), points);
    }
}
