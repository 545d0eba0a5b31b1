using static TorchSharp.torch;

namespace Brink.Optimization;

/// <summary>A hyperplane in a box, and a second one of the same box that is not to be fallen short of, one pair for each row.</summary>
/// <param name="Face">The hyperplane.</param>
/// <param name="Other">The second: {x : ⟨n, x − a⟩ ≥ r}; a normal and a rise of zero say nothing.</param>
internal sealed record BoxedWedge(BoxedHyperplane Face, BoxedHyperplane Other)
{
    /// <summary>How often the mixture is halved: the edge is found to 1/64 of the angle, and the rest is interpolated.</summary>
    private const int Halvings = 6;

    /// <summary>The point nearest to the given one, [batch, …]: that of the face; or where this falls short of the second hyperplane, the nearest that reaches both, beyond the face where the second alone leads there.</summary>
    /// <remarks>
    /// By duality the answer is the nearest point of a hyperplane (1 − θ)·face + θ·other, and the larger θ, the less that point falls short
    /// of the other: bisection finds θ. In L∞ the nearest points of the last two mixtures may lie far apart, since many points of a
    /// hyperplane are nearest there; between them is the one that is on both.
    /// </remarks>
    /// <param name="points">p, [batch, …], inside the box.</param>
    /// <param name="norm">In which norm it is the nearest: L2 or L∞.</param>
    public Tensor Nearest(Tensor points, Norm norm)
    {
        using var scope = NewDisposeScope();
        var onFace = Face.Nearest(points, norm);
        var rows = Other.Missing(onFace).gt(Scalars.Zero).nonzero().squeeze(1);
        return (rows.shape[0] == 0 ? onFace : onFace.index_copy(0, rows, Select(rows).OnBoth(onFace.index_select(0, rows), points.index_select(0, rows), norm)))
            .MoveToOuterDisposeScope();
    }

    private BoxedWedge Select(Tensor rows) => new(Face.Select(rows), Other.Select(rows));

    private Tensor OnBoth(Tensor onFace, Tensor points, Norm norm)
    {
        using var scope = NewDisposeScope();
        var (faceMissing, otherMissing) = (Face.Missing(points), Other.Missing(points));
        using var half = Scalars.Of(0.5);
        var (low, high) = (zeros_like(faceMissing), ones_like(faceMissing));
        var (isShort, reaches) = (onFace, Mixed(high));
        for (var halving = 0; halving < Halvings; halving++)
        {
            var middle = low.Plus(high).mul(half);
            var nearest = Mixed(middle);
            var falls = Other.Missing(nearest).gt(Scalars.Zero);
            (low, high) = (where(falls, middle, low), where(falls, high, middle));
            var fallingRows = PerSample.Broadcast(falls, nearest);
            (isShort, reaches) = (where(fallingRows, nearest, isShort), where(fallingRows, reaches, nearest));
        }

        var (missing, spare) = (Other.Missing(isShort), Other.Missing(reaches).neg());
        // Where even the other alone misses the box, the point closest to it is all there is.
        var share = (missing / missing.Plus(spare)).clamp(Scalars.Zero, Scalars.One).nan_to_num(1);
        return isShort.Plus((reaches - isShort) * PerSample.Broadcast(share, isShort)).MoveToOuterDisposeScope();

        Tensor Mixed(Tensor shares)
        {
            var weights = PerSample.Broadcast(shares, points);
            var normals = Face.Normals.Plus((Other.Normals - Face.Normals) * weights);
            var rises = faceMissing.Plus((otherMissing - faceMissing) * shares);
            return new BoxedHyperplane(normals, points, rises, Face.Lower, Face.Upper).Nearest(points, norm);
        }
    }
}
