using Brink.Optimization;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>DeepFool (Moosavi-Dezfooli, Fawzi and Frossard, CVPR 2016): takes full steps to the boundary of the linear model until the image is fooled.</summary>
/// <remarks>
/// Algorithm 2 of the paper, with eq. 11 for L∞. With the target best, the class with the nearest linearised boundary is chosen anew at each
/// point, among those with the largest logits, with one backward pass per class. With hardest, the class is chosen once, at the image.
/// Formulas: docs/attacks/deepfool.md.
/// </remarks>
public sealed class DeepFoolAttack : Attack, IMinimalAttack
{
    private readonly DeepFoolOptions _options;

    /// <summary>Initializes the attack.</summary>
    /// <param name="options">The settings; null for the defaults.</param>
    /// <exception cref="BadInputException">A setting is outside its range.</exception>
    public DeepFoolAttack(DeepFoolOptions? options = null)
    {
        _options = options ?? new();
        _options.Check();
    }

    /// <inheritdoc/>
    public override string Name => "deepfool";

    /// <inheritdoc/>
    public override Norm Norm => _options.Norm;

    /// <inheritdoc/>
    public override TargetSelection Target => _options.Target;

    /// <inheritdoc/>
    protected override void Perturb(AttackedBatch batch)
    {
        using var outer = NewDisposeScope();
        var points = batch.Images;
        for (var iteration = 0; batch.Count > 0; iteration++)
        {
            using var scope = NewDisposeScope();
            LinearModel model;
            if (iteration == 0)
            {
                model = batch.Start(Norm, _options.Candidates);
            }
            else
            {
                batch.Forward(points);
                model = Target == TargetSelection.Best && batch.Criterion.ComparesClasses ? batch.Choose(Target, Norm, _options.Candidates) : batch.Linearize(Norm);
            }

            var (next, lengths, isShort) = Step(batch.Bounds, points, model);
            var kept = batch.Keep(model, iteration, _options.MaxIterations, [isShort], out var stays, out var flags);
            int[] rows = [.. Enumerable.Range(0, stays.Length).Where(row => stays[row] && flags[0][row])];
            if (rows.Length > 0)
            {
                Restep(batch.Bounds, points, model, lengths, next, PerSample.Positions(rows, points.device));
            }

            using var previous = points;
            points = next.Rows(kept).MoveToOtherDisposeScope(outer);
            if (iteration > 0)
            {
                batch.Report(iteration);
            }
        }
    }

    /// <summary>Takes a step to the boundary of the linear model, with overshoot.</summary>
    /// <returns>The points after the step, the lengths of the steps before clipping, and the flags of the steps that lose most of their predicted change by clipping to the bounds.</returns>
    private (Tensor Points, Tensor Lengths, Tensor IsShort) Step(Bounds bounds, Tensor points, LinearModel model)
    {
        var lengths = model.Distances().Plus(_options.ExtraLength).Times(1 + _options.Overshoot);
        var next = bounds.Clamp(points.Plus(model.Steps(lengths)));
        var isShort = model.PredictedChanges(next - points).lt(model.Values.Times(-0.5));
        return (next, lengths, isShort.logical_and(model.Values.lt(Scalars.Zero)));
    }

    /// <summary>Replaces steps by those to the nearest point of the boundary within the bounds.</summary>
    private void Restep(Bounds bounds, Tensor points, LinearModel model, Tensor lengths, Tensor next, Tensor rows)
    {
        using var scope = NewDisposeScope();
        var (origins, normals) = (points.index_select(0, rows), Norm.L2.SteepestDirections(model.Gradients.index_select(0, rows)));
        var plane = new BoxedHyperplane(normals, origins, lengths.index_select(0, rows) * Norm.Dual.Of(normals), bounds.Lower(points), bounds.Upper(points));
        next.index_copy_(0, rows, plane.Nearest(origins, Norm));
    }
}
