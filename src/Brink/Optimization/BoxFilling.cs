using static TorchSharp.torch;

namespace Brink.Optimization;

/// <summary>Moves of entries within a box that are shortest, or best, in L1: one entry after the other is moved as far as its bound, those with the largest weight first, until a budget is used up.</summary>
/// <remarks>
/// These are the solutions of linear programs with one constraint beside the bounds (fractional knapsack problems, Dantzig 1957). Only the last
/// entry is moved in part. Computed in double precision, so that float32 entries reach their bounds exactly and sums over many entries are exact enough.
/// </remarks>
internal static class BoxFilling
{
    /// <summary>Computes the shortest moves that increase ⟨w, x⟩ by given amounts; where the box does not permit this, the moves to the corner with the largest ⟨w, x⟩.</summary>
    /// <param name="points">The points x, inside the box, shape [batch, …].</param>
    /// <param name="weights">The weights w, shape [batch, …].</param>
    /// <param name="increases">The increases, not negative, shape [batch].</param>
    /// <param name="lower">The lower bounds of the box, which broadcast against a row.</param>
    /// <param name="upper">The upper bounds of the box, which broadcast against a row.</param>
    /// <returns>The moves, float64, shape [batch, …].</returns>
    public static Tensor ShortestMoves(Tensor points, Tensor weights, Tensor increases, Tensor lower, Tensor upper) =>
        Scoped(() => Fill(points, weights, weights.abs().to(ScalarType.Float64), increases, lower, upper));

    /// <summary>Computes the steps s within the box with the largest ⟨g, s⟩ over ‖s‖₁ ≤ length.</summary>
    /// <param name="points">The points, inside the box, shape [batch, …].</param>
    /// <param name="gradients">The gradients g, shape [batch, …].</param>
    /// <param name="lengths">The lengths, not negative, shape [batch].</param>
    /// <param name="lower">The lower bounds of the box, which broadcast against a row.</param>
    /// <param name="upper">The upper bounds of the box, which broadcast against a row.</param>
    /// <returns>The steps, of the type of the points, shape [batch, …]; shorter than the length where every entry with a gradient reaches its bound.</returns>
    public static Tensor SteepestSteps(Tensor points, Tensor gradients, Tensor lengths, Tensor lower, Tensor upper) =>
        Scoped(() => Fill(points, gradients, ones_like(gradients, ScalarType.Float64), lengths, lower, upper).to(points.dtype));

    private static Tensor Fill(Tensor points, Tensor weights, Tensor costs, Tensor budgets, Tensor lower, Tensor upper)
    {
        var (exact, signs) = (points.to(ScalarType.Float64), weights.sign().to(ScalarType.Float64));
        // The distance to the bound in the direction of the sign, and 0 where the sign is 0.
        var rooms = maximum((upper - exact).mul_(signs), (lower - exact).mul_(signs)).flatten(1);
        // A stable order, so that equal weights are taken in the order of their entries, whatever the batch.
        var (_, order) = weights.abs().flatten(1).sort(1, descending: true, stable: true);
        var (room, cost) = (rooms.gather(1, order), costs.flatten(1).gather(1, order));
        // The cost of all entries before each. A difference of the sums would lose precision.
        var totals = room.mul(cost).cumsum(1);
        var spent = cat([zeros_like(totals.narrow(1, 0, 1)), totals.narrow(1, 0, totals.shape[1] - 1)], 1);
        var moves = budgets.to(ScalarType.Float64).unsqueeze(1).sub(spent).clamp_min_(Scalars.Zero);
        // An entry without weight has no room; 0/0 would be NaN.
        moves = minimum(moves.div_(cost.masked_fill_(cost.eq(Scalars.Zero), Scalars.One)), room);
        return zeros_like(moves).scatter(1, order, moves).reshape(points.shape).mul(signs);
    }
}
