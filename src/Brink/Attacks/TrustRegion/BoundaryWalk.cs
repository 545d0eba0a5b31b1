using Brink.Optimization;
using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The closing stage: from the first adversarial point along the boundary toward the point of it that is nearest to the image.</summary>
/// <remarks>
/// min ‖x − x₀‖_p subject to f(x) ≥ 0 and the bounds. At each x_k the boundary is replaced by a hyperplane. On it, a is the point
/// nearest to x_k, which restores f ≥ 0, and b the one nearest to x₀, which would be the answer if the boundary were flat;
/// x_{k+1} = a + λ(b − a), where λ is the trust in that. b also respects the linearisation of where the walk last fell back: at a sharp edge,
/// where one hyperplane cannot hold it, the two together do. Kin to the biased projection of FAB (Croce &amp; Hein 2020), which compares all
/// classes at every step and sets the bias by the two distances. docs/attacks/trust-region.md has the formulas and what each part brings.
/// </remarks>
/// <param name="run">The books.</param>
/// <param name="options">The settings of the attack.</param>
internal sealed class BoundaryWalk(AttackRun run, TrustRegionOptions options)
{
    /// <summary>How far beyond the hyperplane to aim, as a share of the best distance so far: it starts here, …</summary>
    private const double FirstHair = 0.02;

    /// <summary>… falls by this factor a step, …</summary>
    private const double HairDecay = 0.85;

    /// <summary>… and ends here.</summary>
    private const double LastHair = 0.001;

    /// <summary>How λ grows when the step still fooled, up to 1.</summary>
    private const double Growth = 1.3;

    /// <summary>How λ shrinks when it fell back.</summary>
    private const double Shrinkage = 0.5;

    /// <summary>By what share of itself the rise that the cut asks for falls at every step: where the network bends, an old linearisation holds less and less.</summary>
    private const double CutFading = 0.01;

    /// <summary>By how much f must be positive, as a share of how far the logits lie apart: less could be rounding, which another batch rounds otherwise.</summary>
    private const double Rounding = 1e-5;

    private readonly Norm _norm = options.Norm;
    private readonly Bounds _bounds = run.Classifier.Bounds;

    // Once the walk has compared the classes, it stays with the one it chose.
    private readonly TargetSelection _target = options.Target == TargetSelection.Untargeted ? TargetSelection.Best : options.Target;

    /// <summary>The share of the past in the averaged normal: a sign flips where a gradient only turns, so L∞ needs more of it.</summary>
    private double Memory => _norm == Norm.LInf ? 0.7 : 0.5;

    /// <summary>Walks the given rows, all of them fooled; each ends at the nearest point that fooled.</summary>
    public void Refine(ActiveRows rows)
    {
        using var outer = NewDisposeScope();
        var (images, labels) = (rows.Select(run.Images), rows.Select(run.Labels));
        using var positions = PerSample.Positions(rows.Count, labels.device);
        using var best = new BestPoints(images);
        var (state, targets) = Start(rows, images, labels);
        best.Improve(positions, state.Points, _norm.Of(state.Points - images), ones_like(labels, dtype: ScalarType.Bool));
        try
        {
            for (var step = 1; step <= options.Refine; step++)
            {
                using var scope = NewDisposeScope();
                using var hair = Scalars.Of(Math.Max(LastHair, FirstHair * Math.Pow(HairDecay, step - 1)));
                var points = Next(state, images, best.Lengths.mul(hair));
                var isLast = step == options.Refine;
                using var pass = run.Forward(points, rows, keepGraph: !isLast);
                var values = _target.Values(LogitGap.Instance, pass.Logits, labels, targets);
                var fooled = Fooled(pass, values);
                // Another class than the one that the walk follows may have made the point adversarial.
                var margins = _target.Margins(pass.Logits, labels, targets);
                best.Improve(positions, points, _norm.Of(points - images), Fooled(pass, margins));
                if (!isLast)
                {
                    var model = new LinearModel(values.detach(), pass.Gradients(values));
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
            run.Finish(row, AttackExit.Fooled, run[row].Iterations + options.Refine, best.Points[position]);
        }
    }

    /// <summary>The boundary as it looks from the first adversarial points. Where no class was attacked, the nearest from the image is chosen now.</summary>
    private (WalkState State, Tensor Targets) Start(ActiveRows rows, Tensor images, Tensor labels)
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
            var values = _target.Values(LogitGap.Instance, pass.Logits, labels, targets);
            model = new(values.detach(), pass.Gradients(values));
            run.CountBackwards(rows);
        }

        var points = pass.Points.detach().clone();
        var (zero, nothing) = (zeros_like(model.Values), zeros_like(points));
        var nowhere = new WalkState(points, nothing, zero, ones_like(zero), nothing, zero);
        return (Advance(nowhere, images, points, model, ones_like(labels, dtype: ScalarType.Bool)).Detach(), targets.MoveToOuterDisposeScope());
    }

    /// <summary>x_{k+1} = a + λ(b − a).</summary>
    private Tensor Next(WalkState state, Tensor images, Tensor beyond)
    {
        using var scope = NewDisposeScope();
        var (lower, upper) = (_bounds.Lower(images), _bounds.Upper(images));
        var boundary = new BoxedHyperplane(state.Normals, state.Points, _norm.Dual.Of(state.Normals) * state.Distances.Plus(beyond), lower, upper);
        var cut = new BoxedHyperplane(state.CutNormals, images, state.CutRises.Plus(_norm.Dual.Of(state.CutNormals) * beyond), lower, upper);
        var restored = boundary.Nearest(state.Points, _norm);
        var nearest = new BoxedWedge(boundary, cut).Nearest(images, _norm);
        return _bounds.Clamp(restored.Plus((nearest - restored) * PerSample.Broadcast(state.Trust, images))).MoveToOuterDisposeScope();
    }

    /// <summary>Whether values of the logits are positive, by more than rounding, [walking] of bool.</summary>
    private static Tensor Fooled(ForwardPass pass, Tensor values)
    {
        using var scope = NewDisposeScope();
        using var rounding = Scalars.Of(Rounding);
        var logits = pass.Logits.detach();
        var spread = (logits.amax([1]) - logits.amin([1])).mul(rounding);
        return values.detach().gt(spread).logical_and(PerSample.IsFinite(logits)).MoveToOuterDisposeScope();
    }

    /// <summary>The state at new points: the normal averaged, the slope measured along it, the trust adapted, and what cut it off remembered.</summary>
    private WalkState Advance(WalkState state, Tensor images, Tensor points, LinearModel model, Tensor fooled)
    {
        using var scope = NewDisposeScope();
        using Scalar memory = Scalars.Of(Memory), novelty = Scalars.Of(1 - Memory), growth = Scalars.Of(Growth), shrinkage = Scalars.Of(Shrinkage), fading = Scalars.Of(CutFading);
        var units = Norm.L2.SteepestDirections(model.Gradients);
        var normals = state.Normals.mul(memory).Plus(units.mul(novelty));
        // An average that points away from the latest gradient has nothing to say here.
        var agrees = Slopes(model, normals).gt(Scalars.Zero);
        normals = where(PerSample.Broadcast(agrees, normals), normals, units);
        var slopes = Slopes(model, normals);
        var distances = model.Values.neg() / slopes;

        // Where the network gives no numbers or no slope there is nothing to go by: back to where it did, with less trust.
        var usable = distances.isfinite().logical_and(PerSample.IsFinite(normals));
        var usableRows = PerSample.Broadcast(usable, points);
        var trust = where(fooled, state.Trust.mul(growth).clamp_max(Scalars.One), state.Trust.mul(shrinkage));
        var fellBack = usable.logical_and(fooled.logical_not());
        var rises = PerSample.Dot(units, points - images) - (model.Values / Norm.L2.Of(model.Gradients));
        return new(
            where(usableRows, points, state.Points).MoveToOuterDisposeScope(),
            where(usableRows, normals, state.Normals).MoveToOuterDisposeScope(),
            where(usable, distances, state.Distances).MoveToOuterDisposeScope(),
            trust.MoveToOuterDisposeScope(),
            where(PerSample.Broadcast(fellBack, units), units, state.CutNormals).MoveToOuterDisposeScope(),
            where(fellBack, rises, state.CutRises - state.CutRises.abs().mul(fading)).MoveToOuterDisposeScope());
    }

    /// <summary>⟨g, d⟩, d the direction that is steepest for the normal, [walking].</summary>
    private Tensor Slopes(LinearModel model, Tensor normals)
    {
        using var scope = NewDisposeScope();
        return model.PredictedChanges(_norm.SteepestDirections(normals)).MoveToOuterDisposeScope();
    }
}
