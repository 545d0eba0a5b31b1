using static TorchSharp.torch;

namespace Brink.Optimization;

/// <summary>The intersection of a hyperplane {x : ⟨n, x − o⟩ = e} with a box [l, u], for each row of a batch.</summary>
/// <param name="Normals">The normals n, shape [batch, …].</param>
/// <param name="Origins">The origins o, shape [batch, …].</param>
/// <param name="Rises">The right-hand sides e: the increase of ⟨n, x⟩ from the origin to the hyperplane, shape [batch].</param>
/// <param name="Lower">The lower bounds l, which broadcast against a row.</param>
/// <param name="Upper">The upper bounds u, which broadcast against a row.</param>
internal sealed record BoxedHyperplane(Tensor Normals, Tensor Origins, Tensor Rises, Tensor Lower, Tensor Upper)
{
    /// <summary>Selects rows.</summary>
    /// <param name="rows">The rows, int64.</param>
    public BoxedHyperplane Select(Tensor rows) =>
        this with { Normals = Normals.index_select(0, rows), Origins = Origins.index_select(0, rows), Rises = Rises.index_select(0, rows) };

    /// <summary>Computes the shortfall e − ⟨n, x − o⟩ of each point, shape [batch]; negative beyond the hyperplane.</summary>
    /// <param name="points">The points x, shape [batch, …].</param>
    public Tensor Shortfalls(Tensor points)
    {
        using var scope = NewDisposeScope();
        return Rises.Plus(PerSample.Dot(Normals, Origins - points)).MoveToOuterDisposeScope();
    }

    /// <summary>Computes the point of the intersection that is nearest to a given point, shape [batch, …]. If the intersection is empty, it is the corner of the box nearest to the hyperplane.</summary>
    /// <remarks>
    /// By the optimality conditions the nearest point is clip(x + μd) with ⟨n, clip(x + μd) − o⟩ = e, where d = ±n in L2 and ±sign n in L∞, with
    /// the sign toward the hyperplane. The left side is piecewise linear in μ ≥ 0 and flattens with every entry that reaches its bound. So
    /// Newton's method from μ = 0 never passes the root, and a step in which no further entry reaches its bound ends at the root. The
    /// code uses signs instead of comparisons and masks, which are many times slower in libtorch. In L1 the nearest point is a <see cref="BoxFilling"/>.
    /// </remarks>
    /// <param name="points">The points x, inside the box, shape [batch, …].</param>
    /// <param name="norm">The norm of the distance.</param>
    public Tensor Nearest(Tensor points, Norm norm) => norm == Norm.L1 ? NearestByFilling(points) : NearestByNewton(points, norm);

    private Tensor NearestByFilling(Tensor points)
    {
        using var scope = NewDisposeScope();
        var shortfalls = Shortfalls(points);
        var moves = BoxFilling.ShortestMoves(points, Normals.Times(shortfalls.sign()), shortfalls.abs(), Lower, Upper);
        return maximum(points.Plus(moves).to(points.dtype), Lower).minimum(Upper).MoveToOuterDisposeScope();
    }

    private Tensor NearestByNewton(Tensor points, Norm norm)
    {
        using var scope = NewDisposeScope();
        var shortfalls = Shortfalls(points);
        var (toward, distance) = (shortfalls.sign(), shortfalls.abs());
        var directions = (norm == Norm.LInf ? Normals.sign() : Normals) * PerSample.Broadcast(toward, Normals);
        var slopes = norm == Norm.LInf ? Normals.abs() : Normals.pow(Scalars.Two);
        var slope = slopes.flatten(1).sum(1);
        var (nearest, rest, length, stuck) = (points.alias(), distance, zeros_like(distance), zeros_like(distance));
        for (var moves = slope.gt(Scalars.Zero); moves.ToBools().Contains(true);)
        {
            using var step = NewDisposeScope();
            length = length.Plus(where(moves, rest / slope, zeros_like(rest))).MoveToOtherDisposeScope(scope);
            var beyond = directions.mul(PerSample.Broadcast(length, directions)).add_(points, Scalars.One);
            using var previous = nearest;
            nearest = maximum(beyond, Lower).minimum(Upper).MoveToOtherDisposeScope(scope);
            var atBound = beyond.sub_(nearest).abs_().sign_();
            var count = atBound.flatten(1).sum(1);
            // The sum over the free entries. The difference of the whole sum and that of the other entries would lose precision.
            slope = PerSample.Dot(slopes, atBound.neg_().add_(Scalars.One, Scalars.One)).MoveToOtherDisposeScope(scope);
            rest = (distance - (PerSample.Dot(Normals, nearest - points) * toward)).MoveToOtherDisposeScope(scope);
            moves = count.gt(stuck).logical_and(slope.gt(Scalars.Zero)).MoveToOtherDisposeScope(scope);
            stuck = count.MoveToOtherDisposeScope(scope);
        }

        return nearest.MoveToOuterDisposeScope();
    }
}
