using Brink.Optimization;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The trust-region attack of Yao et al. (2019), Algorithm 1, of first or second order, L2 or L∞ (second order L2), and from where it ends a walk along the boundary to the nearest point.</summary>
/// <remarks>
/// At x_k the objective f is replaced by a local model, which is trusted within a radius ε_k: linear, or with
/// <see cref="TrustRegionOptions.Curvature"/> quadratic. The step goes to the end of the region or to the boundary the model sees,
/// whichever is nearer; the ratio of the change that came to the change that was predicted sets ε_{k+1}. The forward pass at x_{k+1} tells
/// whether the image is fooled, gives the ratio, and carries the next gradient. <see cref="BoundaryWalk"/> then starts from the first
/// adversarial point, where the paper's method ends. docs/attacks/trust-region.md and trust-region-second-order.md have the formulas,
/// docs/decisions/0001 what differs from the authors' code.
/// </remarks>
public sealed class TrustRegionAttack : Attack, IMinimalAttack
{
    private readonly TrustRegionOptions _options;
    private readonly Curvature? _curvature;

    /// <summary>The attack with the given settings.</summary>
    /// <param name="options">The settings; null for the defaults.</param>
    /// <exception cref="BadInputException">A setting is out of its range; the message names it.</exception>
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
        var bounds = run.Classifier.Bounds;
        var linearization = new Linearization(_options, bounds);
        // Comparing classes takes a backward pass for each, so it gets a forward pass without the images that are not attacked.
        // A given class takes one, for which the graph of the classification serves.
        using var own = Target.ComparesClasses ? run.Forward(rows.Select(run.Images), rows) : null;
        var (pass, passRows) = own is null ? (first, all) : (own, rows);
        TrustRegionState state;
        using (var start = linearization.AtImages(run, pass, passRows, rows))
        {
            using var predictions = first.Predictions();
            using var attackedPredictions = rows.Select(predictions);
            using var fooled = zeros_like(attackedPredictions, dtype: ScalarType.Bool);
            state = KeepActive(run, rows, start, attackedPredictions, fooled, iteration: 0);
        }

        try
        {
            for (var iteration = 1; rows.Count > 0; iteration++)
            {
                using var scope = NewDisposeScope();
                var subproblem = _curvature?.Subproblem(run, rows, pass, state, iteration) ?? new LinearSubproblem(state.Model, Norm, _options.GradientFloor);
                // Its graph would hold its memory through the next pass.
                pass.Dispose();

                var lengths = Lengths(subproblem, state);
                var points = bounds.Clamp(state.Points.Plus(subproblem.Solve(BeyondBoundary(lengths)).Steps));

                pass = run.Forward(points, rows);
                var next = linearization.At(run, rows, pass, state);
                var ratios = Ratios(subproblem, state, next, lengths);
                next = next with { Radii = _options.Radius.Next(state.Radii, lengths, ratios, state.FirstDistances) };

                var predictions = pass.Predictions();
                var fooled = Target.Fooled(predictions, state.Labels, state.Targets);
                var active = KeepActive(run, rows, next, predictions, fooled, iteration);
                state.Dispose();
                state = active;
                run.Report(iteration, attacked.Count, rows.Count);
            }
        }
        finally
        {
            pass.Dispose();
            state.Dispose();
        }

        var found = new ActiveRows(attacked.Where(row => run[row].Exit == AttackExit.Fooled), run.Images.device);
        if (_options.Refine > 0 && found.Count > 0)
        {
            new BoundaryWalk(run, _options).Refine(found);
        }
    }

    /// <summary>How far to step, [active]: to the boundary that the model sees, at most the radius.</summary>
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

    /// <summary>A little farther, so that the boundary is crossed and not only reached, [active].</summary>
    private Tensor BeyondBoundary(Tensor lengths)
    {
        using var scope = NewDisposeScope();
        using var extra = Scalars.Of(_options.ExtraLength);
        using var factor = Scalars.Of(1 + _options.Overshoot);
        return lengths.Plus(extra).mul(factor).MoveToOuterDisposeScope();
    }

    /// <summary>ρ, [active].</summary>
    private Tensor Ratios(ISubproblem subproblem, TrustRegionState state, TrustRegionState next, Tensor lengths)
    {
        using var scope = NewDisposeScope();
        var ratios = _options.Ratio == RatioDefinition.LabelLogitPerLength
            ? (state.LabelLogits - next.LabelLogits) / lengths
            : ReductionRatio.Of(state.Model.Values, next.Model.Values, subproblem.PredictedChanges(next.Points - state.Points));
        return ratios.MoveToOuterDisposeScope();
    }

    /// <summary>The state of the images that are not done, copied, owned by no scope.</summary>
    private TrustRegionState KeepActive(AttackRun run, ActiveRows rows, TrustRegionState state, Tensor predictions, Tensor fooled, int iteration)
    {
        using var kept = run.KeepActive(rows, state.Points, predictions, fooled, state.Model, Norm, iteration, _options.MaxIterations);
        return state.Select(kept);
    }
}
