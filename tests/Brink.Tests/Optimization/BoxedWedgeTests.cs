using Brink.Optimization;
using Brink.Tensors;
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
    [InlineData("l1", 8)]
    [InlineData("l1", 9)]
    public void The_result_reaches_both_half_spaces_and_is_the_nearest_such_point_by_duality(string normName, int seed)
    {
        using var scope = NewDisposeScope();
        var norm = Norm.Parse(normName);
        var (wedge, points) = Random(seed);
        var nearest = wedge.Nearest(points, norm);
        var distances = norm.Of(nearest - points);

        // No point of the box that reaches both half-spaces is nearer than the nearest point that reaches a mixture of them.
        var bound = zeros_like(distances);
        for (var share = 0; share <= 500; share++)
        {
            using var step = NewDisposeScope();
            bound = maximum(bound, norm.Of(Mixed(wedge, points, share / 500.0).Nearest(points, norm) - points)).MoveToOtherDisposeScope(scope);
        }

        Assert.True(nearest.ge(Scalars.Zero).logical_and(nearest.le(Scalars.One)).all().item<bool>());
        // Between the last two mixtures, which are 1/64 apart (in L1 1/4096), the hyperplane is reached only approximately.
        Assert.True(wedge.Plane.Shortfalls(nearest).lt(wedge.Plane.Shortfalls(points) * 0.1).all().item<bool>());
        Assert.True(wedge.HalfSpace.Shortfalls(nearest).lt(1e-9).all().item<bool>());
        Assert.True((distances / bound).lt(1.005).all().item<bool>());
        var edges = wedge.HalfSpace.Shortfalls(wedge.Plane.Nearest(points, norm)).gt(0).sum().item<long>();
        Assert.InRange(edges, 10, Rows - 10);
    }

    [Theory]
    [InlineData("l2")]
    [InlineData("linf")]
    [InlineData("l1")]
    public void A_half_space_that_is_the_whole_space_changes_nothing(string normName)
    {
        using var scope = NewDisposeScope();
        var norm = Norm.Parse(normName);
        var (wedge, points) = Random(5);
        var whole = wedge with { HalfSpace = wedge.HalfSpace with { Normals = zeros_like(points), Rises = zeros(Rows, dtype: ScalarType.Float64) } };
        Assert.True(whole.Nearest(points, norm).equal(wedge.Plane.Nearest(points, norm)).all().item<bool>());
    }

    [Fact]
    public void A_half_space_outside_the_box_gives_the_corner_nearest_to_it()
    {
        using var scope = NewDisposeScope();
        var (wedge, points) = Random(6);
        var far = wedge with { HalfSpace = wedge.HalfSpace with { Rises = full(Rows, 1e3, dtype: ScalarType.Float64) } };
        Assert.True(far.Nearest(points, Norm.L2).equal(wedge.HalfSpace.Normals.gt(0).to(ScalarType.Float64)).all().item<bool>());
    }

    [Theory]
    [InlineData("linf")]
    [InlineData("l1")]
    public void Rows_do_not_depend_on_each_other(string normName)
    {
        using var scope = NewDisposeScope();
        var (wedge, points) = Random(7);
        var together = wedge.Nearest(points, Norm.Parse(normName));
        for (var row = 0; row < Rows; row++)
        {
            var index = tensor([(long)row]);
            var alone = new BoxedWedge(wedge.Plane.Select(index), wedge.HalfSpace.Select(index)).Nearest(points.index_select(0, index), Norm.Parse(normName));
            Assert.True((alone[0] - together[row]).abs().max().item<double>() < 1e-12);
        }
    }

    private static BoxedHyperplane Mixed(BoxedWedge wedge, Tensor points, double share) => new(
        (wedge.Plane.Normals * tensor(1 - share)).Plus(wedge.HalfSpace.Normals * tensor(share)),
        points,
        (wedge.Plane.Shortfalls(points) * tensor(1 - share)).Plus(wedge.HalfSpace.Shortfalls(points) * tensor(share)),
        wedge.Plane.Lower,
        wedge.Plane.Upper);

    /// <summary>Draws two random half-spaces that have a common point in the box; the given points are outside the first and often outside the second.</summary>
    private static (BoxedWedge Wedge, Tensor Points) Random(int seed)
    {
        var random = new Random(seed);
        Tensor Uniform(int columns) => tensor(Enumerable.Range(0, Rows * columns).Select(_ => random.NextDouble()).ToArray()).reshape(Rows, columns);
        var (points, inside) = (Uniform(Size), Uniform(Size));
        BoxedHyperplane Reached(double least, double range)
        {
            var normals = Uniform(Size).mul(Scalars.Two).sub(Scalars.One);
            normals = normals * (normals * (inside - points)).sum(1, keepdim: true).sign();
            return new(normals, points, (normals * (inside - points)).sum(1) * tensor(least).Plus(tensor(range) * Uniform(1).squeeze(1)), tensor(0.0), tensor(1.0));
        }

        return (new(Reached(0.5, 0.4), Reached(-0.4, 1)), points);
    }
}
