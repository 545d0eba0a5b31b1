using static TorchSharp.torch;

namespace Brink;

/// <summary>The class that an attack approaches if every class other than the label counts. Criteria with a target class or of your own need no selection.</summary>
public enum TargetSelection
{
    /// <summary>At each point, the class other than the label with the largest logit.</summary>
    Untargeted,

    /// <summary>The class with the smallest linearised distance (z_y − z_j) / ‖∇(z_y − z_j)‖_q (Yao et al. 2019, §3, after Moosavi-Dezfooli et al. 2016).</summary>
    Best,

    /// <summary>The class with the largest linearised distance (Yao et al. 2019, §3).</summary>
    Hardest,
}

/// <summary>The class of each image with the smallest or largest linearised distance, and the linear model of its margin.</summary>
/// <param name="Targets">The classes t, int64, shape [batch].</param>
/// <param name="Distances">The linearised distances, shape [batch]; infinite if the class cannot be used.</param>
/// <param name="Margins">The margins f of the classes at the images, shape [batch].</param>
/// <param name="Gradients">The gradients ∇f at the images, shape [batch, …].</param>
internal sealed record ComparedClasses(Tensor Targets, Tensor Distances, Tensor Margins, Tensor Gradients) : IRows<ComparedClasses>
{
    public ComparedClasses Map(Func<Tensor, Tensor> map) => new(map(Targets), map(Distances), map(Margins), map(Gradients));

    /// <summary>Compares classes, with one backward pass per class.</summary>
    /// <param name="pass">The pass at the images; its graph is kept for further gradients.</param>
    /// <param name="criterion">The criterion, which compares classes.</param>
    /// <param name="farthest">Whether to choose the farthest class (hardest) instead of the nearest (best).</param>
    /// <param name="labels">The labels y, int64, shape [batch].</param>
    /// <param name="norm">The norm of the attack.</param>
    /// <param name="candidates">The number of classes to compare: those with the largest logits other than the label.</param>
    /// <param name="origins">The points from which distances are measured, shape [batch, …]; null for the points of the pass.</param>
    /// <param name="excluded">The classes of each image that are not chosen, bool, shape [batch, classes]; null for none.</param>
    public static ComparedClasses Choose(ForwardPass pass, Criterion criterion, bool farthest, Tensor labels, Norm norm, int candidates, Tensor? origins = null, Tensor? excluded = null) => Scoped(() =>
    {
        var others = LogitGap.Without(pass.Logits.detach(), labels);
        others = excluded is null ? others : others.masked_fill(excluded, Scalars.NegativeInfinity);
        var classesByLogit = others.topk((int)Math.Min(candidates, others.shape[1] - 1), 1).indexes;
        var points = pass.Points.detach();
        var (up, down) = (pass.Bounds.Upper(points) - points, pass.Bounds.Lower(points) - points);
        var offsets = origins is null ? null : points - origins;
        ComparedClasses? chosen = null;
        for (var position = 0; position < classesByLogit.shape[1]; position++)
        {
            // Only the better of two classes is kept, because the gradients of many classes may not fit into memory.
            var before = chosen;
            var next = Scoped(() =>
            {
                var targets = classesByLogit.select(1, position).clone();
                var margins = criterion.MarginsToward(pass.Logits, labels, targets);
                var gradients = pass.Gradients(margins, keepGraph: true);
                var distances = Distances(margins.detach(), gradients, targets);
                var candidate = new ComparedClasses(targets, distances, margins.detach(), gradients);
                return before is null ? candidate : Better(candidate, before);
            });
            before?.Free();
            chosen = next;
        }

        return chosen!;

        // The linearised distances −f / ‖∇f‖_q, shape [batch], with the value f of the linear model at the origins. A class is chosen only if all
        // classes are such: with a zero or infinite gradient or distance, excluded, with a boundary that is already crossed at the origin, or
        // whose linearised boundary does not meet the box of the bounds.
        Tensor Distances(Tensor margins, Tensor gradients, Tensor targets)
        {
            var slopes = norm.Dual.Of(gradients);
            var distances = (offsets is null ? margins.neg() : PerSample.Dot(gradients, offsets) - margins).div(slopes);
            var largestRises = maximum(gradients * up, gradients * down).flatten(1).sum(1);
            var unusable = slopes.eq(Scalars.Zero).logical_or(slopes.isfinite().logical_and(distances.isfinite()).logical_not()).logical_or(distances.lt(Scalars.Zero))
                .logical_or(margins.Plus(largestRises).lt(Scalars.Zero));
            unusable = excluded is null ? unusable : unusable.logical_or(excluded.gather(1, targets.unsqueeze(1)).squeeze(1));
            return distances.masked_fill(unusable, farthest ? Scalars.NegativeInfinity : Scalars.PositiveInfinity);
        }

        ComparedClasses Better(ComparedClasses one, ComparedClasses other)
        {
            var first = farthest ? one.Distances.gt(other.Distances) : one.Distances.lt(other.Distances);
            return new(
                where(first, one.Targets, other.Targets),
                where(first, one.Distances, other.Distances),
                where(first, one.Margins, other.Margins),
                where(PerSample.Broadcast(first, one.Gradients), one.Gradients, other.Gradients));
        }
    });
}
