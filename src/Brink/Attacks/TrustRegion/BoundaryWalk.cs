using Brink.Optimization;
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
/// <param name="batch">The images, all of them fooled.</param>
/// <param name="norm">The norm ‖·‖_p.</param>
/// <param name="target">The selection of the class. Without one, the classes are compared once, when the walk starts.</param>
/// <param name="options">The settings of the walk.</param>
internal sealed class BoundaryWalk(AttackedBatch batch, Norm norm, TargetSelection target, BoundaryWalkOptions options)
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

    private readonly Bounds _bounds = batch.Classifier.Bounds;
    private readonly Tensor _images = batch.Images;

    /// <summary>The memory γ of the averaged normal.</summary>
    /// <value>0.7 in L∞, where the sign of an entry changes even if the gradient turns only a little; 0.5 in L2.</value>
    private double Memory => norm == Norm.LInf ? 0.7 : 0.5;

    /// <summary>Replaces each adversarial image by the nearest one of its walk.</summary>
    public void Run()
    {
        using var outer = NewDisposeScope();
        var positions = PerSample.Positions(batch.Count, _images.device);
        var nearest = new NearestAdversarialPoints(_images);
        var state = Start();
        nearest.Improve(positions, state.Points, norm.Of(state.Points - _images), ones_like(state.Weights, dtype: ScalarType.Bool));
        var first = batch.Forwards;
        for (var step = 1; step <= options.Steps && !batch.IsOutOfPasses; step++)
        {
            using var scope = NewDisposeScope();
            var overshoot = Math.Max(LastOvershoot, FirstOvershoot * Math.Pow(OvershootDecay, step - 1));
            var points = Next(state, nearest.Lengths.Times(overshoot));
            var isLast = step == options.Steps;
            batch.Forward(points, keepGraph: !isLast);
            // A point may also be adversarial because of a class other than the one that the walk follows.
            nearest.Improve(positions, points, norm.Of(points - _images), batch.IsPositive(batch.Margins()));
            if (!isLast)
            {
                var model = batch.Linearize(Norm.L2);
                state = state.ReplacedBy(Advance(state, points, model, batch.IsPositive(model.Values)), outer);
            }
        }

        for (var position = 0; position < batch.Count; position++)
        {
            batch.Finish(position, AttackExit.Fooled, batch.Forwards[position] - first[position], nearest.Points[position]);
        }
    }

    /// <summary>Linearises the gap at the first adversarial points; an untargeted attack first chooses the class whose boundary is nearest to the original image.</summary>
    private State Start() => Scoped(() =>
    {
        var pass = batch.Forward(batch.Adversarial);
        var model = target == TargetSelection.Untargeted && batch.Criterion.ComparesClasses
            ? batch.Choose(TargetSelection.Best, norm, options.Candidates, origins: _images, isTarget: false)
            : batch.Linearize(Norm.L2);
        var points = pass.Points.detach().clone();
        var (zero, zeros) = (zeros_like(model.Values), zeros_like(points));
        var empty = new State(points, zeros, zero, ones_like(zero), zeros, zero);
        return Advance(empty, points, new(model.Values, model.Gradients, Norm.L2), ones_like(zero, dtype: ScalarType.Bool));
    });

    /// <summary>Computes the next points x ← a + φ (b − a).</summary>
    /// <param name="state">The state of the walk.</param>
    /// <param name="overshoots">The overshoot ω r of each image.</param>
    private Tensor Next(State state, Tensor overshoots) => Scoped(() =>
    {
        var (lower, upper) = (_bounds.Lower(_images), _bounds.Upper(_images));
        var plane = new BoxedHyperplane(state.Normals, state.Points, norm.Dual.Of(state.Normals) * state.Distances.Plus(overshoots), lower, upper);
        var previous = new BoxedHyperplane(state.PreviousNormals, _images, state.PreviousRises.Plus(norm.Dual.Of(state.PreviousNormals) * overshoots), lower, upper);
        var restored = plane.Nearest(state.Points, norm);
        var solution = new BoxedWedge(plane, previous).Nearest(_images, norm);
        return _bounds.Clamp(restored.Plus((solution - restored).Times(state.Weights)));
    });

    /// <summary>Computes the state at new points: averaged normal, distance to the boundary, interpolation weight and previous linearisation.</summary>
    private State Advance(State state, Tensor points, LinearModel model, Tensor fooled) => Scoped(() =>
    {
        var units = model.Directions();
        var normals = state.Normals.Times(Memory).Plus(units.Times(1 - Memory));
        // An average that points away from the new gradient would lead away from the boundary; the new gradient replaces it.
        var agrees = Slopes(model, normals).gt(Scalars.Zero);
        normals = where(PerSample.Broadcast(agrees, normals), normals, units);
        var distances = model.Values.neg() / Slopes(model, normals);

        // A point with a zero gradient or with logits that are not finite is discarded: the walk continues from the point before, with a smaller weight.
        var usable = distances.isfinite().logical_and(PerSample.IsFinite(normals));
        var usableRows = PerSample.Broadcast(usable, points);
        var weights = where(fooled, state.Weights.Times(WeightGrowth).clamp_max(Scalars.One), state.Weights.Times(WeightShrinkage));
        var replaced = usable.logical_and(fooled.logical_not());
        var rises = PerSample.Dot(units, points - _images).Plus(model.Distances());
        return new State(
            where(usableRows, points, state.Points),
            where(usableRows, normals, state.Normals),
            where(usable, distances, state.Distances),
            weights,
            where(PerSample.Broadcast(replaced, units), units, state.PreviousNormals),
            where(replaced, rises, state.PreviousRises - state.PreviousRises.abs().Times(PreviousRelaxation)));
    });

    /// <summary>Computes the slope ⟨∇f, d⟩ along the steepest direction d for a normal, shape [active].</summary>
    private Tensor Slopes(LinearModel model, Tensor normals) => Scoped(() => model.PredictedChanges(norm.SteepestDirections(normals)));

    /// <summary>The state of the walk, one row per image.</summary>
    /// <param name="Points">The points x, shape [active, …].</param>
    /// <param name="Normals">The averaged normals n, shape [active, …].</param>
    /// <param name="Distances">The distances −f/⟨∇f, d⟩ to the boundary along the steepest direction d for n, shape [active]; negative beyond the boundary.</param>
    /// <param name="Weights">The interpolation weights φ, shape [active].</param>
    /// <param name="PreviousNormals">The normals c of the half-spaces C = {x : ⟨c, x − x₀⟩ ≥ e}, shape [active, …]; zero while C is the whole space.</param>
    /// <param name="PreviousRises">The right-hand sides e of the half-spaces C, shape [active].</param>
    private sealed record State(Tensor Points, Tensor Normals, Tensor Distances, Tensor Weights, Tensor PreviousNormals, Tensor PreviousRises) : IRows<State>
    {
        public State Map(Func<Tensor, Tensor> map) => new(map(Points), map(Normals), map(Distances), map(Weights), map(PreviousNormals), map(PreviousRises));
    }
}

/// <summary>The settings of the walk along the decision boundary, the refinement stage of the trust-region attack.</summary>
public sealed record BoundaryWalkOptions
{
    /// <summary>The number of steps, each of one forward and one backward pass.</summary>
    /// <value>18 (ours: about 25 backward passes per image in total, docs/attacks/trust-region.md).</value>
    public int Steps { get; init; } = 18;

    /// <summary>The number of classes, those with the largest logits at the first adversarial point, among which the walk of an untargeted attack chooses.</summary>
    /// <value>3 (ours: the nearest boundary is rarely that of a fourth class).</value>
    public int Candidates { get; init; } = 3;

    /// <summary>Checks the settings.</summary>
    /// <exception cref="BadInputException">A setting is outside its range.</exception>
    internal void Check()
    {
        SettingCheck.AtLeastOne("steps of the boundary walk", Steps);
        SettingCheck.AtLeastOne("candidate classes of the boundary walk", Candidates);
    }
}
