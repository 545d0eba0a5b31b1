using Brink.Optimization;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>Chooses the target classes of the trust-region attack and builds its linear models, at the original images and at each new point.</summary>
/// <param name="options">The settings of the attack.</param>
/// <param name="bounds">The bounds of the classifier.</param>
internal sealed class Linearization(TrustRegionOptions options, Bounds bounds)
{
    /// <summary>The smallest linearised distance D, as a share of the width of the bounds.</summary>
    /// <remarks>The shortest step is 0.005 D. With 1e-4 it still changes a float32 number in [0, 1].</remarks>
    private const double SmallestDistance = 1e-4;

    private bool NeedsDifferentiableGradients => options.Curvature?.Products == HessianProductMethod.Exact;

    /// <summary>Computes the state before the first step and records the chosen classes.</summary>
    /// <param name="run">The bookkeeping of the attack.</param>
    /// <param name="pass">The pass at the original images.</param>
    /// <param name="passRows">The rows of the pass: the rows to attack if classes are compared, otherwise all rows of the batch.</param>
    /// <param name="rows">The rows to attack.</param>
    /// <returns>The state, one row per attacked image; the caller disposes it.</returns>
    public TrustRegionState AtImages(AttackRun run, ForwardPass pass, ActiveRows passRows, ActiveRows rows)
    {
        // The backward pass covers images that are not attacked too. They are not counted, because the counts of an image must not depend on
        // the other images of its batch.
        using var scope = NewDisposeScope();
        var labels = passRows.Select(run.Labels);
        var choice = options.Target.Choose(pass, labels, options.Norm, options.Candidates);
        run.CountBackwards(rows, choice.BackwardPasses);

        var gap = new LinearModel(choice.Gaps, choice.Gradients);
        var distances = Distances(gap);
        var model = gap;
        if (options.Objective is not LogitGap || NeedsDifferentiableGradients)
        {
            model = ModelOf(run, pass, passRows, labels, choice.Targets);
            run.CountBackwards(rows);
        }

        var points = pass.Points.detach();
        var (projected, stuck) = Project(points, model);
        var state = new TrustRegionState(points, labels, choice.Targets, projected, LabelLogits(pass, labels), options.Radius.First(distances), distances, PassRows(points), stuck);
        var positions = passRows == rows ? Enumerable.Range(0, rows.Count) : rows.Rows;
        var attacked = state.Select(tensor(positions.Select(position => (long)position).ToArray(), device: labels.device));
        run.SetTargets(rows, attacked.Targets.ToLongs());
        return attacked;
    }

    /// <summary>Computes the state at the points of a pass. Its radii are still those of the step that led there.</summary>
    /// <param name="run">The bookkeeping of the attack.</param>
    /// <param name="rows">The active rows.</param>
    /// <param name="pass">The pass at the new points.</param>
    /// <param name="state">The state before the step.</param>
    public TrustRegionState At(AttackRun run, ActiveRows rows, ForwardPass pass, TrustRegionState state)
    {
        var points = pass.Points.detach();
        var model = ModelOf(run, pass, rows, state.Labels, state.Targets);
        run.CountBackwards(rows);
        var (projected, stuck) = Project(points, model);
        return state with { Points = points, Model = projected, LabelLogits = LabelLogits(pass, state.Labels), PassRows = PassRows(points), Stuck = stuck };
    }

    private LinearModel ModelOf(AttackRun run, ForwardPass pass, ActiveRows rows, Tensor labels, Tensor targets)
    {
        using var scope = NewDisposeScope();
        var values = run.Objective(options.Objective, options.Target, pass, rows, labels, targets);
        var gradients = NeedsDifferentiableGradients ? pass.GradientsForProducts(values) : pass.Gradients(values);
        return new(values.detach().MoveToOuterDisposeScope(), gradients.MoveToOuterDisposeScope());
    }

    /// <summary>Sets the entries of the gradient to zero that are at their bound and would be pushed outward, and returns their flags.</summary>
    private (LinearModel Model, Tensor? Stuck) Project(Tensor points, LinearModel model)
    {
        if (!options.ProjectGradient)
        {
            return (model, null);
        }

        using var scope = NewDisposeScope();
        var stuck = points.ge(bounds.Upper(points)).logical_and(model.Gradients.gt(Scalars.Zero))
            .logical_or(points.le(bounds.Lower(points)).logical_and(model.Gradients.lt(Scalars.Zero)));
        return (model with { Gradients = model.Gradients.masked_fill(stuck, Scalars.Zero).MoveToOuterDisposeScope() }, stuck.MoveToOuterDisposeScope());
    }

    /// <summary>Computes the linearised distances D = −f / ‖∇f‖_q at the images, limited by the width of the bounds, shape [batch].</summary>
    private Tensor Distances(LinearModel gap)
    {
        using var scope = NewDisposeScope();
        var widths = options.Norm.Of((bounds.Upper(gap.Gradients) - bounds.Lower(gap.Gradients)).expand_as(gap.Gradients));
        var distances = gap.Values.neg().div(options.Norm.Dual.Of(gap.Gradients)).nan_to_num(double.PositiveInfinity);
        using var smallest = Scalars.Of(SmallestDistance);
        // With saturated logits the distance may exceed the width of the bounds. For an image on the boundary it is 0, and steps that are shares
        // of it would be too short to change a number of the image.
        return minimum(maximum(distances, widths.mul(smallest)), widths).MoveToOuterDisposeScope();
    }

    private static Tensor PassRows(Tensor points) => PerSample.Positions(points.shape[0], points.device);

    private static Tensor LabelLogits(ForwardPass pass, Tensor labels)
    {
        using var scope = NewDisposeScope();
        return pass.Logits.detach().gather(1, labels.unsqueeze(1)).squeeze(1).MoveToOuterDisposeScope();
    }
}
