using TorchSharp;
using static TorchSharp.torch;

namespace Brink;

/// <summary>The selection of the class with the smallest or largest linearised distance (z_y − z_j) / ‖∇(z_y − z_j)‖_q.</summary>
/// <remarks>Yao et al. (2019), §3, after Moosavi-Dezfooli et al. (2016).</remarks>
/// <param name="farthest">Whether to select the farthest class (hardest) instead of the nearest (best).</param>
/// <param name="excluded">The classes of each image that are not selected, bool, shape [batch, classes]; null for none.</param>
internal sealed class LinearizedDistanceSelection(bool farthest, Tensor? excluded = null) : TargetSelection
{
    public override string Name => farthest ? "hardest" : "best";

    public override string Criterion => "misclassified";

    internal override bool ComparesClasses => true;

    internal override void Check(IClassifier classifier)
    {
    }

    internal override bool Skips(long label) => false;

    internal override TargetChoice Choose(ForwardPass pass, Tensor labels, Norm norm, int candidates, Tensor? origins = null)
    {
        using var scope = NewDisposeScope();
        var classesByLogit = LargestOthers(pass.Logits, labels, candidates);
        var count = (int)classesByLogit.shape[1];
        var points = pass.Points.detach();
        var (up, down) = (pass.Bounds.Upper(points) - points, pass.Bounds.Lower(points) - points);
        var offsets = origins is null ? null : points - origins;
        Candidate? chosen = null;
        for (var position = 0; position < count; position++)
        {
            // Only the better of two candidates is kept, because the gradients of many classes may not fit into memory.
            using var candidateScope = NewDisposeScope();
            var targets = classesByLogit.select(1, position).clone();
            var gaps = LogitGap.Instance.Values(pass.Logits, targets, labels);
            var gradients = pass.Gradients(gaps, keepGraph: true);
            var candidate = new Candidate(LinearizedDistance(gaps.detach(), gradients, targets, norm, offsets, LargestRise(gradients, up, down)), targets, gaps.detach(), gradients);
            var better = chosen is null ? candidate : Better(candidate, chosen);
            better.MoveToScope(scope);
            chosen?.Dispose();
            chosen = better;
        }

        return new(chosen!.Targets.MoveToOuterDisposeScope(), chosen.Gaps.MoveToOuterDisposeScope(), chosen.Gradients.MoveToOuterDisposeScope(), count);
    }

    internal override Tensor Values(IObjective objective, Tensor logits, Tensor labels, Tensor targets) => objective.Values(logits, targets, labels);

    internal override Tensor Fooled(Tensor predictions, Tensor labels, Tensor targets) => Misclassified(predictions, labels);

    /// <summary>Returns the classes with the largest logits other than the label, in descending order, int64, shape [batch, candidates].</summary>
    private Tensor LargestOthers(Tensor logits, Tensor labels, int candidates)
    {
        using var scope = NewDisposeScope();
        var others = logits.detach().scatter(1, labels.unsqueeze(1), full_like(labels, Scalars.NegativeInfinity, dtype: logits.dtype).unsqueeze(1));
        others = excluded is null ? others : others.masked_fill(excluded, Scalars.NegativeInfinity);
        var count = (int)Math.Min(candidates, logits.shape[1] - 1);
        return others.topk(count, 1).indexes.MoveToOuterDisposeScope();
    }

    /// <summary>Computes the linearised distances −f / ‖∇f‖_q, shape [batch], with the value f of the linear model at the origins.</summary>
    /// <remarks>
    /// A class is chosen only if all classes are such: with a zero or infinite gradient or distance, excluded, with a boundary that is already
    /// crossed at the origin, or whose linearised boundary does not meet the box of the bounds.
    /// </remarks>
    private Tensor LinearizedDistance(Tensor gaps, Tensor gradients, Tensor targets, Norm norm, Tensor? offsets, Tensor largestRises)
    {
        using var scope = NewDisposeScope();
        var lengths = norm.Dual.Of(gradients);
        var distances = (offsets is null ? gaps.neg() : PerSample.Dot(gradients, offsets) - gaps).div(lengths);
        var unusable = lengths.eq(Scalars.Zero).logical_or(lengths.isfinite().logical_and(distances.isfinite()).logical_not()).logical_or(distances.lt(Scalars.Zero))
            .logical_or(gaps.Plus(largestRises).lt(Scalars.Zero));
        unusable = excluded is null ? unusable : unusable.logical_or(excluded.gather(1, targets.unsqueeze(1)).squeeze(1));
        return distances.masked_fill(unusable, farthest ? Scalars.NegativeInfinity : Scalars.PositiveInfinity).MoveToOuterDisposeScope();
    }

    /// <summary>Computes the largest increase of a linear function within the bounds, max ⟨g, x′ − x⟩, shape [batch].</summary>
    /// <param name="gradients">The gradients g.</param>
    /// <param name="up">The largest differences x′ − x of each entry.</param>
    /// <param name="down">The smallest differences x′ − x of each entry.</param>
    private static Tensor LargestRise(Tensor gradients, Tensor up, Tensor down)
    {
        using var scope = NewDisposeScope();
        return maximum(gradients * up, gradients * down).flatten(1).sum(1).MoveToOuterDisposeScope();
    }

    private Candidate Better(Candidate one, Candidate other)
    {
        var first = farthest ? one.Distances.gt(other.Distances) : one.Distances.lt(other.Distances);
        return new(
            where(first, one.Distances, other.Distances),
            where(first, one.Targets, other.Targets),
            where(first, one.Gaps, other.Gaps),
            where(PerSample.Broadcast(first, one.Gradients), one.Gradients, other.Gradients));
    }

    /// <summary>A class for each image with its linearised distance, its logit gap and the gradient of the gap.</summary>
    private sealed record Candidate(Tensor Distances, Tensor Targets, Tensor Gaps, Tensor Gradients) : IDisposable
    {
        private IEnumerable<Tensor> Tensors => [Distances, Targets, Gaps, Gradients];

        public void MoveToScope(DisposeScope scope)
        {
            foreach (var tensor in Tensors)
            {
                tensor.MoveToOtherDisposeScope(scope);
            }
        }

        public void Dispose()
        {
            foreach (var tensor in Tensors)
            {
                tensor.Dispose();
            }
        }
    }
}
