using static TorchSharp.torch;

namespace Brink.Optimization;

/// <summary>The intersection of a hyperplane {x : ⟨n, x − o⟩ = e} with a box [l, u], for each row of a batch.</summary>
/// <param name="Normals">The normals n, shape [batch, …], of ordinary length.</param>
/// <param name="Origins">The origins o, shape [batch, …].</param>
/// <param name="Rises">The right-hand sides e: the increase of ⟨n, x⟩ from the origin to the hyperplane, shape [batch].</param>
/// <param name="Lower">The lower bounds l, which broadcast against a row.</param>
/// <param name="Upper">The upper bounds u, which broadcast against a row.</param>
internal sealed record BoxedHyperplane(Tensor Normals, Tensor Origins, Tensor Rises, Tensor Lower, Tensor Upper)
{
    /// <summary>The number of steps of Newton's method after which the method reads whether it is complete, where reads are not cheap. Most solutions take two or three.</summary>
    private const int StepsPerRead = 4;

    /// <summary>Selects rows.</summary>
    /// <param name="rows">The rows, int64.</param>
    public BoxedHyperplane Select(Tensor rows) =>
        this with { Normals = Normals.index_select(0, rows), Origins = Origins.index_select(0, rows), Rises = Rises.index_select(0, rows) };

    /// <summary>Computes the shortfall e − ⟨n, x − o⟩ of each point, shape [batch]; negative beyond the hyperplane.</summary>
    /// <param name="points">The points x, shape [batch, …].</param>
    public Tensor Shortfalls(Tensor points)
    {
        using var scope = NewDisposeScope();
        return Rises.Plus(PerSample.OrdinaryDot(Normals, Origins - points)).MoveToOuterDisposeScope();
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
    /// <param name="limit">The limit of the steps of Newton's method; null if it takes as many as it needs, which it reads.</param>
    public Tensor Nearest(Tensor points, Norm norm, NewtonLimit? limit = null) => norm == Norm.L1 ? NearestByFilling(points) : NearestByNewton(points, norm, limit);

    private Tensor NearestByFilling(Tensor points)
    {
        using var scope = NewDisposeScope();
        var shortfalls = Shortfalls(points);
        var moves = BoxFilling.ShortestMoves(points, Normals.Times(shortfalls.sign()), shortfalls.abs(), Lower, Upper);
        return maximum(points.Plus(moves).to(points.dtype), Lower).minimum(Upper).MoveToOuterDisposeScope();
    }

    private Tensor NearestByNewton(Tensor points, Norm norm, NewtonLimit? limit)
    {
        using var scope = NewDisposeScope();
        var shortfalls = Shortfalls(points);
        var (toward, distance) = (shortfalls.sign(), shortfalls.abs());
        var normals = Normals * PerSample.Broadcast(toward, Normals);
        var directions = norm == Norm.LInf ? normals.sign() : normals;
        var slopes = norm == Norm.LInf ? Normals.abs() : Normals.pow(Scalars.Two);
        var slope = slopes.flatten(1).sum(1);
        var zero = zeros_like(distance);
        var (nearest, rest, length, stuck, moves) = (points.alias(), distance, zero, zero, slope.gt(Scalars.Zero));
        for (var taken = 0; limit is null ? !IsChecked(taken) || moves.ToBools().Contains(true) : taken < limit.Steps; taken++)
        {
            using var step = NewDisposeScope();
            length = length.Plus(where(moves, rest / slope, zero)).MoveToOtherDisposeScope(scope);
            var beyond = directions.mul(PerSample.Broadcast(length, directions)).add_(points, Scalars.One);
            using var previous = nearest;
            nearest = maximum(beyond, Lower).minimum(Upper).MoveToOtherDisposeScope(scope);
            var atBound = beyond.sub_(nearest).abs_().sign_();
            var count = atBound.flatten(1).sum(1);
            // The sum over the free entries. The difference of the whole sum and that of the other entries would lose precision.
            slope = PerSample.OrdinaryDot(slopes, atBound.neg_().add_(Scalars.One, Scalars.One)).MoveToOtherDisposeScope(scope);
            rest = (distance - PerSample.OrdinaryDot(normals, nearest - points)).MoveToOtherDisposeScope(scope);
            moves = count.gt(stuck).logical_and(slope.gt(Scalars.Zero)).MoveToOtherDisposeScope(scope);
            stuck = count.MoveToOtherDisposeScope(scope);
        }

        limit?.Record(moves);
        return nearest.MoveToOuterDisposeScope();

        // Further steps do not change a solution.
        bool IsChecked(int taken) => TensorValues.IsReadCheap(points) || (taken > 0 && taken % StepsPerRead == 0);
    }
}

/// <summary>A limit of the steps of Newton's method, shared by several solutions: they all end without a read, and whether they were complete is read once.</summary>
/// <remarks>Further steps do not change a complete solution, so a solution with a higher limit replaces one that is not complete.</remarks>
/// <param name="steps">The number of steps, which all solutions take.</param>
internal sealed class NewtonLimit(int steps) : IDisposable
{
    /// <summary>The number of steps.</summary>
    public int Steps => steps;

    /// <summary>The flags of the rows in which a solution is not complete, bool, shape [batch], which the limit owns; null before the first solution.</summary>
    public Tensor? Incomplete { get; private set; }

    /// <summary>Records the rows of a solution that would take a further step.</summary>
    /// <param name="moves">The flags, bool, shape [batch].</param>
    public void Record(Tensor moves)
    {
        using var before = Incomplete;
        Incomplete = (before is null ? moves.alias() : before.logical_or(moves)).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => Incomplete?.Dispose();
}
