using Brink.Objectives;
using static TorchSharp.torch;

namespace Brink.Targets;

/// <summary>The nearest or farthest class by linearised distance (z_y − z_j) / ‖∇(z_y − z_j)‖_q, Yao et al. (2019), §3, after Moosavi-Dezfooli et al. (2016).</summary>
/// <param name="farthest">The hardest class rather than the best.</param>
internal sealed class LinearizedTarget(bool farthest) : TargetSelection
{
    public override string Name => farthest ? "hardest" : "best";

    public override string Criterion => "misclassified";

    internal override bool ComparesClasses => true;

    internal override void Check(IClassifier classifier)
    {
    }

    internal override bool Skips(long label) => false;

    internal override TargetChoice Choose(ForwardPass pass, Tensor labels, Norm norm, int candidates)
    {
        using var scope = NewDisposeScope();
        var classesByLogit = LikeliestOthers(pass.Logits, labels, candidates);
        var count = (int)classesByLogit.shape[1];
        Tensor? distances = null;
        Tensor targets = labels, gaps = labels, gradients = labels;
        for (var candidate = 0; candidate < count; candidate++)
        {
            var classes = classesByLogit.select(1, candidate);
            var candidateGaps = LogitGap.Instance.Values(pass.Logits, classes, labels);
            var candidateGradients = pass.Gradients(candidateGaps, keepGraph: true);
            candidateGaps = candidateGaps.detach();
            var candidateDistances = LinearizedDistance(candidateGaps, candidateGradients, norm);
            if (distances is null)
            {
                (distances, targets, gaps, gradients) = (candidateDistances, classes, candidateGaps, candidateGradients);
                continue;
            }

            var better = farthest ? candidateDistances.gt(distances) : candidateDistances.lt(distances);
            distances = where(better, candidateDistances, distances);
            targets = where(better, classes, targets);
            gaps = where(better, candidateGaps, gaps);
            gradients = where(PerSample.Broadcast(better, gradients), candidateGradients, gradients);
        }

        return new(targets.clone().MoveToOuterDisposeScope(), gaps.MoveToOuterDisposeScope(), gradients.MoveToOuterDisposeScope(), count);
    }

    internal override Tensor Rivals(Tensor logits, Tensor labels, Tensor targets) => labels.alias();

    internal override Tensor Fooled(Tensor predictions, Tensor labels, Tensor targets)
    {
        using var scope = NewDisposeScope();
        return predictions.ne(labels).logical_and(predictions.ge(Scalars.Zero)).MoveToOuterDisposeScope();
    }

    /// <summary>The classes with the largest logits other than the label, largest first, int64 [batch, candidates].</summary>
    private static Tensor LikeliestOthers(Tensor logits, Tensor labels, int candidates)
    {
        using var scope = NewDisposeScope();
        var others = logits.detach().scatter(1, labels.unsqueeze(1), full_like(labels, Scalars.NegativeInfinity, dtype: logits.dtype).unsqueeze(1));
        var count = (int)Math.Min(candidates, logits.shape[1] - 1);
        return others.topk(count, 1).indexes.MoveToOuterDisposeScope();
    }

    /// <summary>−f / ‖∇f‖_q, [batch]. A class that no small change leads toward, its gradient zero or not finite, is left aside unless all are.</summary>
    private Tensor LinearizedDistance(Tensor gaps, Tensor gradients, Norm norm)
    {
        using var scope = NewDisposeScope();
        var lengths = norm.Dual.Of(gradients);
        var unusable = lengths.eq(Scalars.Zero).logical_or(lengths.isfinite().logical_not());
        return gaps.neg().div(lengths).masked_fill(unusable, farthest ? Scalars.NegativeInfinity : Scalars.PositiveInfinity).MoveToOuterDisposeScope();
    }
}
