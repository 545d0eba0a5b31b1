using static TorchSharp.torch;

namespace Brink.Optimization;

/// <summary>The part of a hyperplane {x : ⟨n, x − a⟩ = r} that lies in a box [l, u], one for each row.</summary>
/// <param name="Normals">n, [batch, …].</param>
/// <param name="Anchors">a, [batch, …].</param>
/// <param name="Rises">r, [batch].</param>
/// <param name="Lower">l, broadcasting against a row.</param>
/// <param name="Upper">u, broadcasting against a row.</param>
internal sealed record BoxedHyperplane(Tensor Normals, Tensor Anchors, Tensor Rises, Tensor Lower, Tensor Upper)
{
    /// <summary>Some of the rows.</summary>
    public BoxedHyperplane Select(Tensor rows) =>
        this with { Normals = Normals.index_select(0, rows), Anchors = Anchors.index_select(0, rows), Rises = Rises.index_select(0, rows) };

    /// <summary>How far ⟨n, x⟩ falls short of the hyperplane, [batch]; negative beyond it.</summary>
    public Tensor Missing(Tensor points)
    {
        using var scope = NewDisposeScope();
        return Rises.Plus(PerSample.Dot(Normals, Anchors - points)).MoveToOuterDisposeScope();
    }

    /// <summary>The point nearest to the given one, [batch, …]; where the hyperplane misses the box, the corner that comes closest to it.</summary>
    /// <remarks>
    /// By the optimality conditions the answer is clip(p + μd) with ⟨n, clip(p + μd) − a⟩ = r, where d = ±n in L2 and ±sign n in L∞, the sign
    /// toward the hyperplane. The left side is piecewise linear in μ ≥ 0 and flattens with every entry that reaches its bound, so Newton's
    /// method from μ = 0 never passes the root, and a step that took no entry to its bound has reached it. Comparisons and masks are many
    /// times slower in libtorch than arithmetic, hence the signs.
    /// </remarks>
    /// <param name="points">p, [batch, …], inside the box.</param>
    /// <param name="norm">In which norm it is the nearest: L2 or L∞.</param>
    public Tensor Nearest(Tensor points, Norm norm)
    {
        using var scope = NewDisposeScope();
        var missing = Missing(points);
        var (toward, distance) = (missing.sign(), missing.abs());
        var directions = (norm == Norm.LInf ? Normals.sign() : Normals) * PerSample.Broadcast(toward, Normals);
        var slopes = norm == Norm.LInf ? Normals.abs() : Normals.pow(Scalars.Two);
        var slope = slopes.flatten(1).sum(1);
        var (nearest, rest, length, stuck) = (points.alias(), distance, zeros_like(distance), zeros_like(distance));
        for (var moves = slope.gt(Scalars.Zero); moves.any().item<bool>();)
        {
            using var step = NewDisposeScope();
            length = length.Plus(where(moves, rest / slope, zeros_like(rest))).MoveToOtherDisposeScope(scope);
            var beyond = directions.mul(PerSample.Broadcast(length, directions)).add_(points, Scalars.One);
            using var previous = nearest;
            nearest = maximum(beyond, Lower).minimum(Upper).MoveToOtherDisposeScope(scope);
            var atBound = beyond.sub_(nearest).abs_().sign_();
            var count = atBound.flatten(1).sum(1);
            // Summed over those that are free, not taken off the whole: what is left may be many times smaller.
            slope = PerSample.Dot(slopes, atBound.neg_().add_(Scalars.One, Scalars.One)).MoveToOtherDisposeScope(scope);
            rest = (distance - (PerSample.Dot(Normals, nearest - points) * toward)).MoveToOtherDisposeScope(scope);
            moves = count.gt(stuck).logical_and(slope.gt(Scalars.Zero)).MoveToOtherDisposeScope(scope);
            stuck = count.MoveToOtherDisposeScope(scope);
        }

        return nearest.MoveToOuterDisposeScope();
    }
}
