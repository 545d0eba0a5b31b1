using Brink.Optimization;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>Builds the local models: the first, for which the class is chosen, and the one at each new point.</summary>
/// <param name="options">The settings of the attack.</param>
/// <param name="bounds">The bounds of the classifier.</param>
internal sealed class Linearization(TrustRegionOptions options, Bounds bounds)
{
    /// <summary>The smallest linearised distance that radii are shares of, as a share of the box: 0.005 of it still changes a float32 in [0, 1].</summary>
    private const double Nearest = 1e-4;

    private bool NeedsDifferentiableGradients => options.Curvature?.Products == HessianProductMethod.Exact;

    /// <summary>The state before the first step, a row for each attacked image.</summary>
    /// <param name="run">The books, which learn the chosen classes.</param>
    /// <param name="pass">The pass at the images.</param>
    /// <param name="passRows">The images of the pass: those to attack, or, where one class is enough and the graph of the classification serves, all.</param>
    /// <param name="rows">The images to attack.</param>
    /// <returns>The state, owned by no scope: to be disposed.</returns>
    public TrustRegionState AtImages(AttackRun run, ForwardPass pass, ActiveRows passRows, ActiveRows rows)
    {
        // Images of the pass that are not attacked go backward with the others, and are not charged: whether it happens depends on the others.
        using var scope = NewDisposeScope();
        var labels = passRows.Select(run.Labels);
        var choice = options.Target.Choose(pass, labels, options.Norm, options.Candidates);
        run.CountBackwards(rows, choice.BackwardPasses);

        var gap = new LinearModel(choice.Gaps, choice.Gradients);
        var distances = Distances(gap);
        var model = gap;
        if (options.Objective is not LogitGap || NeedsDifferentiableGradients)
        {
            model = ModelOf(pass, labels, choice.Targets);
            run.CountBackwards(rows);
        }

        var points = pass.Points.detach();
        var state = new TrustRegionState(points, labels, choice.Targets, Project(points, model), LabelLogits(pass, labels), options.Radius.First(distances), distances, PassRows(points));
        var positions = passRows == rows ? Enumerable.Range(0, rows.Count) : rows.Rows;
        var attacked = state.Select(tensor(positions.Select(position => (long)position).ToArray(), device: labels.device));
        run.SetTargets(rows, attacked.Targets.ToLongs());
        return attacked;
    }

    /// <summary>The state at the points of a pass; its radii are still those that led there.</summary>
    public TrustRegionState At(AttackRun run, ActiveRows rows, ForwardPass pass, TrustRegionState state)
    {
        var points = pass.Points.detach();
        var model = ModelOf(pass, state.Labels, state.Targets);
        run.CountBackwards(rows);
        return state with { Points = points, Model = Project(points, model), LabelLogits = LabelLogits(pass, state.Labels), PassRows = PassRows(points) };
    }

    private LinearModel ModelOf(ForwardPass pass, Tensor labels, Tensor targets)
    {
        using var scope = NewDisposeScope();
        var values = options.Target.Values(options.Objective, pass.Logits, labels, targets);
        var gradients = NeedsDifferentiableGradients ? pass.GradientsForProducts(values) : pass.Gradients(values);
        return new(values.detach().MoveToOuterDisposeScope(), gradients.MoveToOuterDisposeScope());
    }

    /// <summary>Takes the entries out of the gradient that are at their bound and pushed outward.</summary>
    private LinearModel Project(Tensor points, LinearModel model)
    {
        if (!options.ProjectGradient)
        {
            return model;
        }

        using var scope = NewDisposeScope();
        var stuck = points.ge(bounds.Upper(points)).logical_and(model.Gradients.gt(Scalars.Zero))
            .logical_or(points.le(bounds.Lower(points)).logical_and(model.Gradients.lt(Scalars.Zero)));
        return model with { Gradients = model.Gradients.masked_fill(stuck, Scalars.Zero).MoveToOuterDisposeScope() };
    }

    /// <summary>−f / ‖∇f‖_q at the images, within what makes sense for the box, [batch].</summary>
    private Tensor Distances(LinearModel gap)
    {
        using var scope = NewDisposeScope();
        var widths = options.Norm.Of((bounds.Upper(gap.Gradients) - bounds.Lower(gap.Gradients)).expand_as(gap.Gradients));
        var distances = gap.Values.neg().div(options.Norm.Dual.Of(gap.Gradients)).nan_to_num(double.PositiveInfinity);
        using var nearest = Scalars.Of(Nearest);
        // A saturated image sees its boundary farther away than the box is wide, and one on the boundary sees it at no distance at all:
        // shares of that would be steps too small to change a number of the image.
        return minimum(maximum(distances, widths.mul(nearest)), widths).MoveToOuterDisposeScope();
    }

    private static Tensor PassRows(Tensor points) => PerSample.Positions(points.shape[0], points.device);

    private static Tensor LabelLogits(ForwardPass pass, Tensor labels)
    {
        using var scope = NewDisposeScope();
        return pass.Logits.detach().gather(1, labels.unsqueeze(1)).squeeze(1).MoveToOuterDisposeScope();
    }
}
