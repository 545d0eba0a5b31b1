using Brink.Optimization;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The trust-region attack of Yao et al. (2019), Algorithm 1, followed by a walk along the decision boundary (L2 and L∞; second order L2 only).</summary>
/// <remarks>
/// <para>
/// At x_k the objective f is replaced by a local model m: linear, or quadratic with <see cref="TrustRegionOptions.Curvature"/>. The step is
/// the best one within the radius ε_k, and no longer than the distance to the boundary of the local model. The ratio ρ_k of the actual to the
/// predicted change determines ε_{k+1}. Every step is accepted.
/// </para>
/// <para>
/// Algorithm 1 ends at the first adversarial point, where <see cref="BoundaryWalk"/> starts. Formulas: docs/attacks/trust-region.md and
/// trust-region-second-order.md. Differences from the authors' program: docs/decisions/0001.
/// </para>
/// </remarks>
public sealed class TrustRegionAttack : Attack, IMinimalAttack
{
    private readonly TrustRegionOptions _options;
    private readonly Curvature? _curvature;

    /// <summary>Initializes the attack.</summary>
    /// <param name="options">The settings; null for the defaults.</param>
    /// <exception cref="BadInputException">A setting is outside its range.</exception>
    public TrustRegionAttack(TrustRegionOptions? options = null)
    {
        _options = options ?? new();
        _options.Check();
        _curvature = _options.Curvature is null ? null : new(_options, _options.Curvature);
    }

    /// <inheritdoc/>
    public override string Name => _curvature is null ? "tr" : "tr2";

    /// <inheritdoc/>
    public override Norm Norm => _options.Norm;

    /// <inheritdoc/>
    public override TargetSelection Target => _options.Target;

    private protected override void Check(IClassifier classifier) => _curvature?.Check(classifier);

    private protected override void Perturb(AttackRun run, ForwardPass first, ActiveRows all, ActiveRows rows)
    {
        var attacked = rows.Rows;
        FindAdversarialPoints(run, _options, first, all, rows, attacked.Count);
        TryOtherClasses(run, attacked);
        var found = new ActiveRows(attacked.Where(row => run[row].Exit == AttackExit.Fooled), run.Images.device);
        if (_options.Refine > 0 && found.Count > 0)
        {
            new BoundaryWalk(run, _options).Refine(found);
        }
    }

    /// <summary>Attacks the images that are stuck at the bounds again, toward one other class after the other.</summary>
    /// <remarks>A point is stuck if no entry can move toward the target class: the bounds may contain no image of that class, but images of others.</remarks>
    private void TryOtherClasses(AttackRun run, IReadOnlyList<int> attacked)
    {
        if (Target is GivenClassSelection)
        {
            return;
        }

        var classes = run.Classifier.ClassCount;
        var others = Math.Min(_options.Candidates, classes - 1);
        while (attacked.Where(row => run[row].CanTryAnotherClass(others)).ToArray() is { Length: > 0 } stuck)
        {
            using var scope = NewDisposeScope();
            var rows = new ActiveRows(stuck, run.Images.device);
            var excluded = tensor(stuck.SelectMany(row => Enumerable.Range(0, classes).Select(other => run[row].GivenUp.Contains(other))).ToArray(), device: run.Images.device);
            Array.ForEach(stuck, row => run[row].Exit = AttackExit.IterationLimit);
            var options = _options with { Target = new LinearizedDistanceSelection(farthest: Target == TargetSelection.Hardest, excluded.reshape(stuck.Length, classes)) };
            FindAdversarialPoints(run, options, first: null, rows, rows, attacked.Count);
        }
    }

    /// <summary>Runs Algorithm 1 of the paper until no row is active.</summary>
    /// <param name="run">The bookkeeping of the attack.</param>
    /// <param name="options">The settings, with the target selection to use.</param>
    /// <param name="first">The pass that classified all rows; null for a selection that compares classes.</param>
    /// <param name="all">The rows of that pass.</param>
    /// <param name="rows">The rows to attack.</param>
    /// <param name="attacked">The number of attacked images of the batch, for progress reports.</param>
    private void FindAdversarialPoints(AttackRun run, TrustRegionOptions options, ForwardPass? first, ActiveRows all, ActiveRows rows, int attacked)
    {
        var (bounds, target) = (run.Classifier.Bounds, options.Target);
        var linearization = new Linearization(options, bounds);
        // Comparing classes takes a backward pass per class, so it uses a forward pass of the attacked images only. Otherwise one backward pass
        // is enough, for which the graph of the first classification is used.
        using var own = target.ComparesClasses ? run.Forward(rows.Select(run.Images), rows) : null;
        var (pass, passRows) = own is null ? (first!, all) : (own, rows);
        var state = Start(run, linearization, pass, passRows, rows);
        try
        {
            for (var iteration = 1; rows.Count > 0; iteration++)
            {
                using var scope = NewDisposeScope();

                // max m(s) over ‖s‖_p ≤ ε_k
                var subproblem = _curvature?.Subproblem(run, rows, pass, state, target, iteration) ?? new LinearSubproblem(state.Model, Norm, _options.GradientFloor);
                pass.Dispose(); // otherwise its graph would occupy memory during the next pass

                // x_{k+1} = clip(x_k + s)
                var lengths = Lengths(subproblem, state);
                var points = bounds.Clamp(state.Points.Plus(subproblem.Solve(WithOvershoot(lengths)).Steps));

                // f(x_{k+1}), ∇f(x_{k+1}) and the prediction, from one pass
                pass = run.Forward(points, rows);
                var next = linearization.At(run, rows, pass, state);

                // ρ_k and ε_{k+1}
                var ratios = Ratios(subproblem, state, next, lengths);
                next = next with { Radii = _options.Radius.Next(state.Radii, lengths, ratios, state.FirstDistances) };

                // Stop where fooled.
                var predictions = pass.Predictions();
                var fooled = target.Fooled(predictions, state.Labels, state.Targets);
                var active = KeepActive(run, rows, next, predictions, fooled, iteration);
                state.Dispose();
                state = active;
                run.Report(iteration, attacked, rows.Count);
            }
        }
        finally
        {
            pass.Dispose();
            state.Dispose();
        }
    }

    /// <summary>Computes the state at the original images and finishes the rows that have no usable gradient there.</summary>
    private TrustRegionState Start(AttackRun run, Linearization linearization, ForwardPass pass, ActiveRows passRows, ActiveRows rows)
    {
        using var start = linearization.AtImages(run, pass, passRows, rows);
        using var passPredictions = pass.Predictions();
        using var predictions = passRows == rows ? passPredictions.alias() : rows.Select(passPredictions);
        using var fooled = zeros_like(predictions, dtype: ScalarType.Bool);
        return KeepActive(run, rows, start, predictions, fooled, iteration: 0);
    }

    /// <summary>Computes the lengths of the steps before overshoot, shape [active]: to the boundary of the local model, at most the radius.</summary>
    private Tensor Lengths(ISubproblem subproblem, TrustRegionState state)
    {
        if (_options.WholeRadius || !_options.Objective.IsZeroOnBoundary)
        {
            return state.Radii.alias();
        }

        using var scope = NewDisposeScope();
        using var share = Scalars.Of(_options.ShortestStep);
        var shortest = minimum(state.FirstDistances.mul(share), state.Radii);
        return maximum(minimum(subproblem.BoundaryDistances(), state.Radii), shortest).MoveToOuterDisposeScope();
    }

    /// <summary>Lengthens steps so that they cross the boundary and not only reach it, shape [active].</summary>
    private Tensor WithOvershoot(Tensor lengths)
    {
        using var scope = NewDisposeScope();
        using var extra = Scalars.Of(_options.ExtraLength);
        using var factor = Scalars.Of(1 + _options.Overshoot);
        return lengths.Plus(extra).mul(factor).MoveToOuterDisposeScope();
    }

    /// <summary>Computes the ratios ρ_k, shape [active].</summary>
    private Tensor Ratios(ISubproblem subproblem, TrustRegionState state, TrustRegionState next, Tensor lengths)
    {
        using var scope = NewDisposeScope();
        var ratios = _options.Ratio == RatioDefinition.LabelLogitPerLength
            ? (state.LabelLogits - next.LabelLogits) / lengths
            : ReductionRatio.Of(state.Model.Values, next.Model.Values, subproblem.PredictedChanges(next.Points - state.Points));
        return ratios.MoveToOuterDisposeScope();
    }

    /// <summary>Finishes rows and copies the state of those that remain active; the caller disposes the copy.</summary>
    private TrustRegionState KeepActive(AttackRun run, ActiveRows rows, TrustRegionState state, Tensor predictions, Tensor fooled, int iteration)
    {
        var before = rows.Rows;
        using var kept = run.KeepActive(rows, state.Points, predictions, fooled, state.Model, Norm, iteration, _options.MaxIterations);
        if (state.Stuck is { } stuck && before.Any(row => run[row].Exit == AttackExit.ZeroGradient))
        {
            // Without these entries the gradient is zero, so it is the bounds that exclude the class.
            using var scope = NewDisposeScope();
            var flags = stuck.flatten(1).any(1).ToBools();
            foreach (var row in before.Where((row, position) => flags[position] && run[row].Exit == AttackExit.ZeroGradient))
            {
                run[row].GiveUpClass();
            }
        }

        return state.Select(kept);
    }
}
