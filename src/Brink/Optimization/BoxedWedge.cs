using static TorchSharp.torch;

namespace Brink.Optimization;

/// <summary>The intersection of a hyperplane P with a half-space C in a box, for each row of a batch.</summary>
/// <param name="Plane">The hyperplane P.</param>
/// <param name="HalfSpace">The half-space C = {x : ⟨n, x − o⟩ ≥ e}, given by its boundary; with n = 0 and e = 0 it is the whole space.</param>
internal sealed record BoxedWedge(BoxedHyperplane Plane, BoxedHyperplane HalfSpace)
{
    /// <summary>The number of bisections of ψ. They determine ψ to 1/64; the last interval is interpolated.</summary>
    private const int Halvings = 6;

    /// <summary>The number of bisections of ψ in L1, where the nearest points of two mixtures differ most: with ψ to 1/64, some results would miss P by more than the given point does.</summary>
    private const int HalvingsInL1 = 12;

    /// <summary>Computes the point that is nearest to a given point, shape [batch, …]: the nearest point of P if it is in C, otherwise the nearest point that reaches both hyperplanes, which may lie beyond P.</summary>
    /// <remarks>
    /// By duality it is the nearest point of a hyperplane (1 − ψ)·P + ψ·∂C. The shortfall of that point with respect to C decreases as ψ grows, so
    /// bisection finds ψ. In L∞ and L1 the nearest points of the last two mixtures may be far apart, because a hyperplane may have many nearest
    /// points; the result is the point between them that is on the boundary of C.
    /// </remarks>
    /// <param name="points">The points, inside the box, shape [batch, …].</param>
    /// <param name="norm">The norm of the distance.</param>
    /// <param name="limit">The limit of the steps of Newton's method, with which nothing is read; null if it takes as many as it needs, for the rows that need it.</param>
    public Tensor Nearest(Tensor points, Norm norm, NewtonLimit? limit = null)
    {
        using var scope = NewDisposeScope();
        var onPlane = Plane.Nearest(points, norm, limit);
        var isShort = HalfSpace.Shortfalls(onPlane).gt(Scalars.Zero);
        if (limit is not null)
        {
            return where(PerSample.Broadcast(isShort, onPlane), OnBoth(onPlane, points, norm, limit), onPlane).MoveToOuterDisposeScope();
        }

        var rows = isShort.SetRows();
        return (rows.shape[0] == 0 ? onPlane : onPlane.index_copy(0, rows, Select(rows).OnBoth(onPlane.index_select(0, rows), points.index_select(0, rows), norm, null)))
            .MoveToOuterDisposeScope();
    }

    private BoxedWedge Select(Tensor rows) => new(Plane.Select(rows), HalfSpace.Select(rows));

    private Tensor OnBoth(Tensor onPlane, Tensor points, Norm norm, NewtonLimit? limit)
    {
        using var scope = NewDisposeScope();
        var (planeShortfalls, halfSpaceShortfalls) = (Plane.Shortfalls(points), HalfSpace.Shortfalls(points));
        using var half = Scalars.Of(0.5);
        var (low, high) = (zeros_like(planeShortfalls), ones_like(planeShortfalls));
        var (outside, inside) = (onPlane, Mixed(high));
        for (var halving = 0; halving < (norm == Norm.L1 ? HalvingsInL1 : Halvings); halving++)
        {
            var middle = low.Plus(high).mul(half);
            var nearest = Mixed(middle);
            var isOutside = HalfSpace.Shortfalls(nearest).gt(Scalars.Zero);
            (low, high) = (where(isOutside, middle, low), where(isOutside, high, middle));
            var outsideRows = PerSample.Broadcast(isOutside, nearest);
            (outside, inside) = (where(outsideRows, nearest, outside), where(outsideRows, inside, nearest));
        }

        var (shortfalls, excess) = (HalfSpace.Shortfalls(outside), HalfSpace.Shortfalls(inside).neg());
        // If C does not meet the box at all, the result is the point of the box nearest to C.
        var share = (shortfalls / shortfalls.Plus(excess)).clamp(Scalars.Zero, Scalars.One).nan_to_num(1);
        return outside.Plus((inside - outside) * PerSample.Broadcast(share, outside)).MoveToOuterDisposeScope();

        // The nearest points of the mixtures (1 − ψ)·P + ψ·∂C.
        Tensor Mixed(Tensor shares)
        {
            var weights = PerSample.Broadcast(shares, points);
            var normals = Plane.Normals.Plus((HalfSpace.Normals - Plane.Normals) * weights);
            var rises = planeShortfalls.Plus((halfSpaceShortfalls - planeShortfalls) * shares);
            return new BoxedHyperplane(normals, points, rises, Plane.Lower, Plane.Upper).Nearest(points, norm, limit);
        }
    }
}
