using static TorchSharp.torch;

namespace Brink.Optimization.Subproblems;

/// <summary>The part of a hyperplane {x : ⟨n, x − a⟩ = r} that lies in a box [l, u], one for each row.</summary>
/// <param name="Normals">n, [batch, …].</param>
/// <param name="Anchors">a, [batch, …].</param>
/// <param name="Rises">r, [batch].</param>
/// <param name="Lower">l, broadcasting against a row.</param>
/// <param name="Upper">u, broadcasting against a row.</param>
internal sealed record BoxedHyperplane(Tensor Normals, Tensor Anchors, Tensor Rises, Tensor Lower, Tensor Upper)
{
    /// <summary>The point nearest to the given one, [batch, …]; where the hyperplane misses the box, the corner that comes closest to it.</summary>
    /// <remarks>
    /// By the optimality conditions the answer is clip(p + μd) with ⟨n, clip(p + μd) − a⟩ = r, where d = ±n in L2 and ±sign n in L∞, the sign
    /// toward the hyperplane. The left side is piecewise linear in μ ≥ 0 and flattens with every entry that reaches its bound, so Newton's
    /// method from μ = 0 never passes the root, and a step that took no entry to its bound has reached it.
    /// </remarks>
    /// <param name="points">p, [batch, …], inside the box.</param>
    /// <param name="norm">In which norm it is the nearest: L2 or L∞.</param>
    public Tensor Nearest(Tensor points, Norm norm)
    {
        using var scope = NewDisposeScope();
        var missing = Rises + PerSample.Dot(Normals, Anchors - points);
        var normals = Normals * PerSample.Broadcast(missing.sign(), Normals);
        var distance = missing.abs();
        var directions = norm == Norm.LInf ? normals.sign() : normals;
        var (rising, falling) = (directions.gt(Scalars.Zero), directions.lt(Scalars.Zero));
        var slopes = normals * directions;
        var (nearest, length, entries) = (points.alias(), zeros_like(distance), full_like(distance, Scalars.PositiveInfinity));
        for (var done = false; !done;)
        {
            using var step = NewDisposeScope();
            var free = rising.logical_and(nearest.lt(Upper)).logical_or(falling.logical_and(nearest.gt(Lower))).to(points.dtype);
            var left = free.flatten(1).sum(1);
            var slope = PerSample.Dot(slopes, free);
            var moves = left.lt(entries).logical_and(slope.gt(Scalars.Zero));
            var rest = distance - PerSample.Dot(normals, nearest - points);
            length = (length + where(moves, rest / slope, zeros_like(rest))).MoveToOtherDisposeScope(scope);
            using var previous = nearest;
            nearest = (points + (directions * PerSample.Broadcast(length, directions))).clamp(Lower, Upper).MoveToOtherDisposeScope(scope);
            entries = left.MoveToOtherDisposeScope(scope);
            done = !moves.any().item<bool>();
        }

        return nearest.MoveToOuterDisposeScope();
    }
}
