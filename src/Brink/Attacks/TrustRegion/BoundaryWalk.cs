using Brink.Optimization;
using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The refinement stage of the trust-region attack: moves along the decision boundary, from the first adversarial point toward the original image.</summary>
/// <remarks>
/// <para>Solves min ‖x − x₀‖_p subject to f(x) ≥ 0 and the bounds, where f is the logit gap and x₀ the original image. One step is</para>
/// <code>
/// n ← γ n + (1 − γ) ∇f/‖∇f‖₂             the averaged normal of the boundary
/// P ← the hyperplane with normal n at the distance −f/⟨∇f, d⟩ + ω r from x
/// a ← the point of P nearest to x          restores f ≥ 0
/// b ← the point of P and C nearest to x₀   the solution if the boundary is flat
/// x ← a + φ (b − a)
/// f(x) &gt; 0:    φ ← min(1.3 φ, 1)
/// otherwise:   φ ← 0.5 φ,  C ← the half-space in which the linearisation of f at x is positive
/// </code>
/// <para>
/// with the steepest direction d for n, the length r of the shortest perturbation so far, the overshoot ω, the interpolation weight φ and
/// the half-space C of the previous linearisation, which is needed at sharp edges of the boundary. docs/attacks/trust-region.md has the
/// details and the contribution of each part. Related: the biased projection of FAB (Croce and Hein 2020).
/// </para>
/// <para>The constants were chosen on training images; the effects in their comments were measured on test images.</para>
/// </remarks>
/// <param name="run">The bookkeeping of the attack.</param>
/// <param name="options">The settings of the attack.</param>
internal sealed class BoundaryWalk(AttackRun run, TrustRegionOptions options)
{
    /// <summary>The overshoot ω of the first step, as a share of the shortest perturbation found so far.</summary>
    /// <remarks>The same share as <see cref="TrustRegionOptions.Overshoot"/>. An overshoot that stays at 0.02 makes perturbations 1.3 % longer in L2.</remarks>
    private const double FirstOvershoot = 0.02;

    /// <summary>The factor by which the overshoot decreases per step.</summary>
    /// <remarks>With 0.85 the overshoot falls from <see cref="FirstOvershoot"/> to 0.0013 in the 18 steps of the default.</remarks>
    private const double OvershootDecay = 0.85;

    /// <summary>The smallest overshoot, as a share of the shortest perturbation found so far.</summary>
    /// <remarks>An overshoot of 0.001 lengthens the perturbation by 0.1 % at most.</remarks>
    private const double LastOvershoot = 0.001;

    /// <summary>The factor by which the interpolation weight φ grows after an adversarial step, up to a weight of 1.</summary>
    /// <remarks>A weight of 1 in every step makes perturbations 20 % longer in L2, because the boundary is curved.</remarks>
    private const double WeightGrowth = 1.3;

    /// <summary>The factor by which the interpolation weight φ shrinks after a step that is not adversarial.</summary>
    /// <remarks>Halved, as in a backtracking line search.</remarks>
    private const double WeightShrinkage = 0.5;

    /// <summary>The share by which the half-space C of the previous linearisation is relaxed per step.</summary>
    /// <remarks>A linearisation becomes inaccurate with the distance from its point. Without relaxation, perturbations are 0.7 % longer on an adversarially trained network, whose boundary is curved.</remarks>
    private const double PreviousRelaxation = 0.01;

    /// <summary>The smallest gap that counts as adversarial, as a share of the range of the logits.</summary>
    /// <remarks>A smaller gap may be a rounding error, which another batch rounds differently: the result would not be confirmed.</remarks>
    private const double SmallestGap = 1e-5;

    private readonly Norm _norm = options.Norm;
    private readonly Bounds _bounds = run.Classifier.Bounds;

    // An untargeted attack compares the classes once, when the walk starts, and keeps the class that it chose.
    private readonly TargetSelection _target = options.Target == TargetSelection.Untargeted ? TargetSelection.Best : options.Target;

    /// <summary>The memory γ of the averaged normal.</summary>
    /// <value>0.7 in L∞, where the sign of an entry changes even if the gradient turns only a little; 0.5 in L2.</value>
    private double Memory => _norm == Norm.LInf ? 0.7 : 0.5;

    /// <summary>Refines the adversarial images of the given rows; each row ends at the nearest adversarial point of its walk.</summary>
    /// <param name="rows">The rows, all of them fooled.</param>
    public void Refine(ActiveRows rows)
    {
        using var outer = NewDisposeScope();
        var (images, labels) = (rows.Select(run.Images), rows.Select(run.Labels));
        using var positions = PerSample.Positions(rows.Count, labels.device);
        using var nearest = new NearestAdversarialPoints(images);
        var (state, targets) = Start(rows, images, labels);
        nearest.Improve(positions, state.Points, _norm.Of(state.Points - images), ones_like(labels, dtype: ScalarType.Bool));
        try
        {
            for (var step = 1; step <= options.Refine; step++)
            {
                using var scope = NewDisposeScope();
                using var overshoot = Scalars.Of(Math.Max(LastOvershoot, FirstOvershoot * Math.Pow(OvershootDecay, step - 1)));
                var points = Next(state, images, nearest.Lengths.mul(overshoot));
                var isLast = step == options.Refine;
                using var pass = run.Forward(points, rows, keepGraph: !isLast);
                var gaps = _target.Values(LogitGap.Instance, pass.Logits, labels, targets);
                var fooled = IsPositive(gaps, pass);
                // A point may also be adversarial because of a class other than the one that the walk follows.
                var margins = _target.Margins(pass.Logits, labels, targets);
                nearest.Improve(positions, points, _norm.Of(points - images), IsPositive(margins, pass));
                if (!isLast)
                {
                    var model = new LinearModel(gaps.detach(), pass.Gradients(gaps));
                    run.CountBackwards(rows);
                    using var previous = state;
                    state = Advance(previous, images, points, model, fooled).Detach();
                }
            }
        }
        finally
        {
            state.Dispose();
        }

        for (var position = 0; position < rows.Count; position++)
        {
            var row = rows.Rows[position];
            run.Finish(row, AttackExit.Fooled, options.Refine, nearest.Points[position]);
        }
    }

    /// <summary>Linearises the gap at the first adversarial points; an untargeted attack first chooses the class whose boundary is nearest to the original image.</summary>
    private (State State, Tensor Targets) Start(ActiveRows rows, Tensor images, Tensor labels)
    {
        using var scope = NewDisposeScope();
        using var pass = run.Forward(rows.Select(run.Adversarial), rows);
        Tensor targets;
        LinearModel model;
        if (options.Target == TargetSelection.Untargeted)
        {
            var choice = _target.Choose(pass, labels, _norm, options.RefineCandidates, origins: images);
            (targets, model) = (choice.Targets, new(choice.Gaps, choice.Gradients));
            run.CountBackwards(rows, choice.BackwardPasses);
        }
        else
        {
            targets = tensor(rows.Rows.Select(row => run[row].Target).ToArray(), device: labels.device);
            var gaps = _target.Values(LogitGap.Instance, pass.Logits, labels, targets);
            model = new(gaps.detach(), pass.Gradients(gaps));
            run.CountBackwards(rows);
        }

        var points = pass.Points.detach().clone();
        var (zero, zeros) = (zeros_like(model.Values), zeros_like(points));
        var empty = new State(points, zeros, zero, ones_like(zero), zeros, zero);
        return (Advance(empty, images, points, model, ones_like(labels, dtype: ScalarType.Bool)).Detach(), targets.MoveToOuterDisposeScope());
    }

    /// <summary>Computes the next points x ← a + φ (b − a).</summary>
    /// <param name="state">The state of the walk.</param>
    /// <param name="images">The original images x₀.</param>
    /// <param name="overshoots">The overshoot ω r of each row.</param>
    private Tensor Next(State state, Tensor images, Tensor overshoots)
    {
        using var scope = NewDisposeScope();
        var (lower, upper) = (_bounds.Lower(images), _bounds.Upper(images));
        var plane = new BoxedHyperplane(state.Normals, state.Points, _norm.Dual.Of(state.Normals) * state.Distances.Plus(overshoots), lower, upper);
        var previous = new BoxedHyperplane(state.PreviousNormals, images, state.PreviousRises.Plus(_norm.Dual.Of(state.PreviousNormals) * overshoots), lower, upper);
        var restored = plane.Nearest(state.Points, _norm);
        var solution = new BoxedWedge(plane, previous).Nearest(images, _norm);
        return _bounds.Clamp(restored.Plus((solution - restored) * PerSample.Broadcast(state.Weights, images))).MoveToOuterDisposeScope();
    }

    /// <summary>Determines for each row whether a gap is positive by more than rounding, bool, shape [rows].</summary>
    private static Tensor IsPositive(Tensor gaps, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        using var share = Scalars.Of(SmallestGap);
        return gaps.detach().gt(pass.Ranges().mul(share)).logical_and(ForwardPass.HasPrediction(pass.Logits)).MoveToOuterDisposeScope();
    }

    /// <summary>Computes the state at new points: averaged normal, distance to the boundary, interpolation weight and previous linearisation.</summary>
    private State Advance(State state, Tensor images, Tensor points, LinearModel model, Tensor fooled)
    {
        using var scope = NewDisposeScope();
        using Scalar memory = Scalars.Of(Memory), novelty = Scalars.Of(1 - Memory), growth = Scalars.Of(WeightGrowth), shrinkage = Scalars.Of(WeightShrinkage), relaxation = Scalars.Of(PreviousRelaxation);
        var units = Norm.L2.SteepestDirections(model.Gradients);
        var normals = state.Normals.mul(memory).Plus(units.mul(novelty));
        // An average that points away from the new gradient would lead away from the boundary; the new gradient replaces it.
        var agrees = Slopes(model, normals).gt(Scalars.Zero);
        normals = where(PerSample.Broadcast(agrees, normals), normals, units);
        var distances = model.Values.neg() / Slopes(model, normals);

        // A point with a zero gradient or with logits that are not finite is discarded: the walk continues from the point before, with a smaller weight.
        var usable = distances.isfinite().logical_and(PerSample.IsFinite(normals));
        var usableRows = PerSample.Broadcast(usable, points);
        var weights = where(fooled, state.Weights.mul(growth).clamp_max(Scalars.One), state.Weights.mul(shrinkage));
        var replaced = usable.logical_and(fooled.logical_not());
        var rises = PerSample.Dot(units, points - images) - (model.Values / Norm.L2.Of(model.Gradients));
        return new(
            where(usableRows, points, state.Points).MoveToOuterDisposeScope(),
            where(usableRows, normals, state.Normals).MoveToOuterDisposeScope(),
            where(usable, distances, state.Distances).MoveToOuterDisposeScope(),
            weights.MoveToOuterDisposeScope(),
            where(PerSample.Broadcast(replaced, units), units, state.PreviousNormals).MoveToOuterDisposeScope(),
            where(replaced, rises, state.PreviousRises - state.PreviousRises.abs().mul(relaxation)).MoveToOuterDisposeScope());
    }

    /// <summary>Computes the slope ⟨∇f, d⟩ along the steepest direction d for a normal, shape [rows].</summary>
    private Tensor Slopes(LinearModel model, Tensor normals)
    {
        using var scope = NewDisposeScope();
        return model.PredictedChanges(_norm.SteepestDirections(normals)).MoveToOuterDisposeScope();
    }

    /// <summary>The state of the walk, one row per image.</summary>
    /// <param name="Points">The points x, shape [rows, …].</param>
    /// <param name="Normals">The averaged normals n, shape [rows, …].</param>
    /// <param name="Distances">The distances −f/⟨∇f, d⟩ to the boundary along the steepest direction d for n, shape [rows]; negative beyond the boundary.</param>
    /// <param name="Weights">The interpolation weights φ, shape [rows].</param>
    /// <param name="PreviousNormals">The normals c of the half-spaces C = {x : ⟨c, x − x₀⟩ ≥ e}, shape [rows, …]; zero while C is the whole space.</param>
    /// <param name="PreviousRises">The right-hand sides e of the half-spaces C, shape [rows].</param>
    private sealed record State(Tensor Points, Tensor Normals, Tensor Distances, Tensor Weights, Tensor PreviousNormals, Tensor PreviousRises) : IDisposable
    {
        private IEnumerable<Tensor> Tensors => [Points, Normals, Distances, Weights, PreviousNormals, PreviousRises];

        /// <summary>Removes the tensors from their dispose scopes; the caller disposes the state.</summary>
        public State Detach()
        {
            foreach (var tensor in Tensors)
            {
                tensor.DetachFromDisposeScope();
            }

            return this;
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            foreach (var tensor in Tensors)
            {
                tensor.Dispose();
            }
        }
    }
}
