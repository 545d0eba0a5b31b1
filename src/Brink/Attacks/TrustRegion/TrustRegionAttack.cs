using Brink.Objectives;
using Brink.Optimization.LocalModels;
using Brink.Optimization.Subproblems;
using Brink.Optimization.TrustRegion;
using Brink.Targets;
using static TorchSharp.torch;

namespace Brink.Attacks.TrustRegion;

/// <summary>The first-order trust-region attack of Yao et al. (2019), Algorithm 1: the smallest perturbation, L2 or L∞, toward one class an image.</summary>
/// <remarks>
/// At x_k the objective f is replaced by its linear model, which is trusted within a radius ε_k. The step goes to the end of the
/// region or to the boundary the model sees, whichever is nearer; the ratio of the change that came to the change that was predicted sets
/// ε_{k+1}. The forward pass at x_{k+1} tells whether the image is fooled, gives the ratio, and carries the next gradient.
/// docs/attacks/trust-region.md has the formulas, docs/decisions/0001 what differs from the authors' code.
/// </remarks>
public sealed class TrustRegionAttack : Attack
{
    private readonly TrustRegionOptions _options;

    /// <summary>The attack with the given settings.</summary>
    /// <param name="options">The settings; null for the defaults.</param>
    /// <exception cref="BadInputException">A setting is out of its range; the message names it.</exception>
    public TrustRegionAttack(TrustRegionOptions? options = null)
    {
        _options = options ?? new();
        Check(_options);
    }

    /// <inheritdoc/>
    public override string Name => "tr";

    /// <inheritdoc/>
    public override Norm Norm => _options.Norm;

    /// <inheritdoc/>
    public override TargetSelection Target => _options.Target;

    private protected override void Perturb(AttackRun run, ForwardPass first, ActiveRows rows)
    {
        var attacked = rows.Count;
        var state = Start(run, first, rows);
        try
        {
            for (var iteration = 1; rows.Count > 0; iteration++)
            {
                using var scope = NewDisposeScope();
                var subproblem = new LinearSubproblem(state.Model, Norm, _options.GradientFloor);
                var lengths = Lengths(subproblem, state.Radii);
                var steps = subproblem.Solve((lengths + _options.ExtraLength) * (1 + _options.Overshoot));
                var points = run.Classifier.Bounds.Clamp(state.Points + steps);

                using var pass = run.Forward(points, rows);
                var next = Evaluate(run, rows, pass, state);
                var ratios = Ratios(state, next, points - state.Points, lengths);
                next = next with { Radii = _options.Radius.Next(state.Radii, lengths, ratios, state.Units) };

                var fooled = Target.Fooled(pass.Predictions(), state.Labels, state.Targets).ToBools();
                var active = Keep(run, rows, next, fooled, iteration);
                state.Dispose();
                state = active;
                run.Report(iteration, attacked, rows.Count);
            }
        }
        finally
        {
            state.Dispose();
        }
    }

    /// <summary>Chooses the classes and builds the first local model.</summary>
    private TrustRegionState Start(AttackRun run, ForwardPass first, ActiveRows rows)
    {
        using var scope = NewDisposeScope();
        // Comparing classes takes a backward pass for each, so it gets a forward pass without the rows that are wrong to begin with.
        using var own = Target.ComparesClasses ? run.Forward(rows.Select(run.Images), rows) : null;
        var pass = own ?? first;
        var labels = own is null ? run.Labels : rows.Select(run.Labels);
        var choice = Target.Choose(pass, labels, Norm);
        run.CountBackwards(rows, choice.BackwardPasses);

        var model = new LinearModel(choice.Gaps, choice.Gradients);
        var units = Units(run.Classifier.Bounds, model);
        if (_options.Objective != LogitGap.Instance)
        {
            model = Model(pass, choice.Targets, labels);
            run.CountBackwards(rows);
        }

        var state = new TrustRegionState(pass.Points.detach(), labels, choice.Targets, Project(run.Classifier.Bounds, pass.Points.detach(), model), LabelLogits(pass, labels), _options.Radius.First(units), units);
        var positions = own is null ? rows.Rows : Enumerable.Range(0, rows.Count);
        using var active = state.Select(tensor(positions.Select(row => (long)row).ToArray(), device: labels.device));
        foreach (var (row, target) in rows.Rows.Zip(active.Targets.ToLongs()))
        {
            run[row].Target = target;
        }

        return Keep(run, rows, active, fooled: new bool[rows.Count], iteration: 0);
    }

    /// <summary>The local model at the new points, from the pass that also tells whether they fool.</summary>
    private TrustRegionState Evaluate(AttackRun run, ActiveRows rows, ForwardPass pass, TrustRegionState state)
    {
        var model = Model(pass, state.Targets, state.Labels);
        run.CountBackwards(rows);
        return state with
        {
            Points = pass.Points.detach(),
            Model = Project(run.Classifier.Bounds, pass.Points.detach(), model),
            LabelLogits = LabelLogits(pass, state.Labels),
        };
    }

    private LinearModel Model(ForwardPass pass, Tensor targets, Tensor labels)
    {
        using var scope = NewDisposeScope();
        var values = _options.Objective.Values(pass.Logits, targets, Target.Rivals(pass.Logits, labels, targets));
        var gradients = pass.Gradients(values);
        return new(values.detach().MoveToOuterDisposeScope(), gradients.MoveToOuterDisposeScope());
    }

    /// <summary>Takes the entries out of the gradient that are at their bound and pushed outward.</summary>
    private LinearModel Project(Bounds bounds, Tensor points, LinearModel model)
    {
        if (!_options.ProjectGradient)
        {
            return model;
        }

        using var scope = NewDisposeScope();
        var stuck = points.ge(bounds.Upper(points)).logical_and(model.Gradients.gt(0))
            .logical_or(points.le(bounds.Lower(points)).logical_and(model.Gradients.lt(0)));
        return model with { Gradients = model.Gradients.masked_fill(stuck, 0).MoveToOuterDisposeScope() };
    }

    /// <summary>What a radius of 1 means, [batch].</summary>
    private Tensor Units(Bounds bounds, LinearModel gap)
    {
        using var scope = NewDisposeScope();
        if (_options.Radius.Unit == RadiusUnit.Input)
        {
            return ones_like(gap.Values).MoveToOuterDisposeScope();
        }

        // A saturated image sees its boundary farther away than the box is wide; the box is the most that makes sense.
        var widths = (bounds.Upper(gap.Gradients) - bounds.Lower(gap.Gradients)).expand_as(gap.Gradients);
        var distances = gap.Values.neg().div(Norm.Dual.Of(gap.Gradients));
        return minimum(distances.nan_to_num(double.PositiveInfinity), Norm.Of(widths)).MoveToOuterDisposeScope();
    }

    /// <summary>How far to step, [active]: to the boundary the model sees, at most the radius.</summary>
    private Tensor Lengths(LinearSubproblem subproblem, Tensor radii)
    {
        if (!_options.Objective.IsZeroOnBoundary)
        {
            return radii.alias();
        }

        using var scope = NewDisposeScope();
        var lengths = minimum(subproblem.BoundaryDistances(), radii);
        return maximum(lengths, radii * _options.ShortestStep).MoveToOuterDisposeScope();
    }

    /// <summary>ρ, [active].</summary>
    private Tensor Ratios(TrustRegionState state, TrustRegionState next, Tensor stepsTaken, Tensor lengths) => _options.Ratio switch
    {
        RatioDefinition.LabelLogitPerLength => (state.LabelLogits - next.LabelLogits) / lengths,
        _ => ReductionRatio.Of(state.Model.Values, next.Model.Values, state.Model.PredictedChanges(stepsTaken)),
    };

    /// <summary>Closes the books of the rows that are done and keeps the others.</summary>
    private TrustRegionState Keep(AttackRun run, ActiveRows rows, TrustRegionState state, bool[] fooled, int iteration)
    {
        using var scope = NewDisposeScope();
        var lengths = Norm.Dual.Of(state.Model.Gradients).add(state.Model.Values.mul(0)).ToDoubles();
        var stays = new bool[rows.Count];
        for (var position = 0; position < rows.Count; position++)
        {
            AttackExit? exit = fooled[position] ? AttackExit.Fooled
                : !double.IsFinite(lengths[position]) ? AttackExit.NotFinite
                : lengths[position] == 0 ? AttackExit.ZeroGradient
                : iteration == _options.MaxIterations ? AttackExit.IterationLimit
                : null;
            stays[position] = exit is null;
            if (exit is { } end)
            {
                run.Finish(rows.Rows[position], end, iteration);
            }

            if (exit == AttackExit.Fooled)
            {
                run.Adversarial[rows.Rows[position]] = state.Points[position];
            }
        }

        return state.Select(rows.Keep(stays));
    }

    private static Tensor LabelLogits(ForwardPass pass, Tensor labels) => pass.Logits.detach().gather(1, labels.unsqueeze(1)).squeeze(1);

    private static void Check(TrustRegionOptions options)
    {
        if (options.Norm != Norm.L2 && options.Norm != Norm.LInf)
        {
            throw new BadInputException($"The trust-region attack keeps l2 or linf small, but {options.Norm} was given.");
        }

        if (options.MaxIterations < 1)
        {
            throw new BadInputException($"The number of iterations must be at least 1, but {options.MaxIterations} was given.");
        }

        foreach (var (name, value) in new[] { ("overshoot", options.Overshoot), ("shortest step", options.ShortestStep), ("extra length", options.ExtraLength), ("gradient floor", options.GradientFloor) })
        {
            if (!double.IsFinite(value) || value < 0)
            {
                throw new BadInputException(FormattableString.Invariant($"The {name} must be a number of at least 0, but {value} was given."));
            }
        }

        options.Radius.Check();
    }
}
