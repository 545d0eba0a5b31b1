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

    private protected override void Perturb(AttackRun run, ForwardPass first, ActiveRows all, ActiveRows rows)
    {
        first.Dispose();
        using var outer = NewDisposeScope();
        var attacked = rows.Count;
        var (points, labels) = (rows.Select(run.Images), rows.Select(run.Labels));
        Tensor? targets = null;
        for (var iteration = 0; rows.Count > 0; iteration++)
        {
            using var scope = NewDisposeScope();
            using var pass = run.Forward(points, rows);
            var choice = targets is null || Target == TargetSelection.Best ? Target.Choose(pass, labels, Norm, _options.Candidates) : Toward(pass, labels, targets);
            run.CountBackwards(rows, choice.BackwardPasses);
            run.SetTargets(rows, choice.Targets.ToLongs());

            var model = new LinearModel(choice.Gaps, choice.Gradients);
            var next = Step(run.Classifier.Bounds, points, model);
            var predictions = pass.Predictions();
            var fooled = Target.Fooled(predictions, labels, choice.Targets);
            var kept = run.KeepActive(rows, points, predictions, fooled, model, Norm, iteration, _options.MaxIterations);

            var previous = (points, labels, targets);
            points = next.index_select(0, kept).MoveToOtherDisposeScope(outer);
            labels = labels.index_select(0, kept).MoveToOtherDisposeScope(outer);
            targets = choice.Targets.index_select(0, kept).MoveToOtherDisposeScope(outer);
            previous.points.Dispose();
            previous.labels.Dispose();
            previous.targets?.Dispose();
            if (iteration > 0)
            {
                run.Report(iteration, attacked, rows.Count);
            }
        }
    }

    /// <summary>Linearises the gap to classes that were chosen before.</summary>
    private TargetChoice Toward(ForwardPass pass, Tensor labels, Tensor targets)
    {
        var gaps = Target.Values(LogitGap.Instance, pass.Logits, labels, targets);
        return new(targets, gaps.detach(), pass.Gradients(gaps), BackwardPasses: 1);
    }

    /// <summary>Takes a step to the boundary of the linear model, with overshoot.</summary>
    /// <remarks>A step that loses most of its predicted change by clipping to the bounds is replaced by the step to the nearest point of the boundary within the bounds.</remarks>
    private Tensor Step(Bounds bounds, Tensor points, LinearModel model)
    {
        using var scope = NewDisposeScope();
        using var extra = Scalars.Of(_options.ExtraLength);
        using var factor = Scalars.Of(1 + _options.Overshoot);
        using var half = Scalars.Of(0.5);
        var subproblem = new LinearSubproblem(model, Norm);
        var lengths = subproblem.BoundaryDistances().Plus(extra).mul(factor);
        var next = bounds.Clamp(points.Plus(subproblem.Solve(lengths).Steps));
        var isShort = model.PredictedChanges(next - points).lt(model.Values.mul(half).neg());
        var rows = isShort.logical_and(model.Values.lt(Scalars.Zero)).nonzero().squeeze(1);
        if (rows.shape[0] == 0)
        {
            return next.MoveToOuterDisposeScope();
        }

        var (origins, normals) = (points.index_select(0, rows), Norm.L2.SteepestDirections(model.Gradients.index_select(0, rows)));
        var plane = new BoxedHyperplane(normals, origins, lengths.index_select(0, rows) * Norm.Dual.Of(normals), bounds.Lower(points), bounds.Upper(points));
        return next.index_copy(0, rows, plane.Nearest(origins, Norm)).MoveToOuterDisposeScope();
    }
}
