using Brink.Optimization;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>A walk along the decision boundary toward the original image, which ends near the nearest point of the boundary.</summary>
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
/// at an edge:  C ← the half-space of the linearisation at the point before x
/// </code>
/// <para>
/// with the steepest direction d for n, the length r of the shortest perturbation so far, the overshoot ω, the interpolation weight φ and
/// the half-space C of the previous linearisation, which is needed at sharp edges of the boundary. docs/attacks/trust-region.md has the
/// details and the contribution of each part. Related: the biased projection of FAB (Croce and Hein 2020).
/// </para>
/// <para>The constants were chosen on training images and on networks trained with Brink; the effects in their comments were measured on test images.</para>
/// </remarks>
/// <param name="norm">The norm ‖·‖_p.</param>
/// <param name="nearest">The nearest adversarial point of each image, which the walk improves.</param>
internal sealed class BoundaryWalk(Norm norm, NearestAdversarialPoints nearest)
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

    /// <summary>The share by which the half-space C of the previous linearisation is relaxed per step.</summary>
    /// <remarks>A linearisation becomes inaccurate with the distance from its point. Without relaxation, perturbations are 0.7 % longer on an adversarially trained network, whose boundary is curved.</remarks>
    private const double PreviousRelaxation = 0.01;

    /// <summary>The smallest cosine between the gradient and the averaged normal with which the gradient joins the average.</summary>
    /// <remarks>At an edge of the boundary the gradients of its two sides alternate, and their average is a normal of neither.</remarks>
    private const double SmallestAgreement = 0.7;

    /// <summary>The cosine from which on two gradients count as normals of the same side of an edge.</summary>
    private const double SameSide = 0.95;

    /// <summary>The number of steps after which a walk may be given up.</summary>
    private const int FirstStepGivenUp = 3;

    /// <summary>The excess of the length over the shortest so far at which a walk is given up, as a share, and its factor per step.</summary>
    /// <remarks>Chosen on training images such that most of the walks that end with a nearer point stay below it.</remarks>
    private const double Excess = 0.6;
    private const double ExcessDecay = 0.78;

    /// <summary>The number of steps without <see cref="Improvement"/> after which a walk ends.</summary>
    private const int Patience = 8;

    /// <summary>The decrease of the length that counts as an improvement, as a share.</summary>
    private const double Improvement = 1e-3;

    /// <summary>The number of steps of Newton's method that are taken where reads are not cheap. It grows when a point needs more.</summary>
    private int _newtonSteps = 3;

    /// <summary>The memory γ of the averaged normal.</summary>
    /// <value>0.6 in L∞, where the sign of an entry changes even if the gradient turns only a little; 0.5 in L2 and L1.</value>
    private double Memory => norm == Norm.LInf ? 0.6 : 0.5;

    /// <summary>The norm in which the distance of the hyperplane P from x is measured.</summary>
    /// <value>L2 in L1, whose steepest direction is a single entry: that of the averaged normal need not be one of the gradient.</value>
    private Norm Metric => norm == Norm.L1 ? Norm.L2 : norm;

    /// <summary>Walks from given points, and keeps the nearest adversarial point of each image.</summary>
    /// <param name="batch">The images, with the classes that the walk follows. Images whose walk ends leave it.</param>
    /// <param name="places">The places of the images among the nearest points, int64, shape [active].</param>
    /// <param name="starts">The points from which the walk starts, shape [active, …].</param>
    /// <param name="limits">The limits of the walk.</param>
    /// <param name="linearize">The function that linearises the gap at the starts, after the pass there.</param>
    public void Run(AttackedBatch batch, Tensor places, Tensor starts, WalkLimits limits, Func<LinearModel> linearize)
    {
        using var outer = NewDisposeScope();
        var state = Scoped(() =>
        {
            var images = batch.Images;
            batch.Forward(starts);
            var lengths = norm.Of(starts - images);
            nearest.Improve(places, starts, lengths, batch.IsPositive(batch.Margins()));
            var model = linearize();
            var (zero, zeros) = (zeros_like(model.Values), zeros_like(starts));
            var empty = new State(images, places, starts, lengths, zeros, zero, ones_like(zero), zeros, zero, zeros, zero);
            return Advance(empty, starts, lengths, model, ones_like(zero, dtype: ScalarType.Bool), limits.Shrinkage);
        });
        var (improved, shortest) = (new int[batch.Count], Array.Empty<double>());
        for (var step = 1; step <= limits.Steps && !batch.IsOutOfPasses; step++)
        {
            using var scope = NewDisposeScope();
            var isLast = step == limits.Steps;
            var overshoot = Math.Max(LastOvershoot, FirstOvershoot * Math.Pow(OvershootDecay, step - 1));
            var known = nearest.Lengths.Rows(state.Places);
            var (points, columns) = Next(state, known, batch.Bounds, overshoot, limits.Continues is null ? [] : [known, state.Lengths]);
            if (columns.Length > 0)
            {
                shortest = step == 1 ? [.. columns[0]] : shortest;
                var stays = step == 1 ? null : Continuing(step - 1, columns[1], columns[0], improved, shortest, limits.LeastSteps);
                stays = stays is null ? null : [.. stays.Zip(batch.Rows, (stay, row) => stay && limits.Continues!(row))];
                if (stays?.Contains(false) == true)
                {
                    var kept = batch.Keep(stays);
                    if (batch.Count == 0)
                    {
                        return;
                    }

                    (state, points) = (state.ReplacedBy(state.Select(kept), outer), points.index_select(0, kept));
                    (improved, shortest) = ([.. improved.Where((_, position) => stays[position])], [.. shortest.Where((_, position) => stays[position])]);
                }
            }

            batch.Forward(points, keepGraph: !isLast);
            // A point may also be adversarial because of a class other than the one that the walk follows.
            var lengths = norm.Of(points - state.Images);
            nearest.Improve(state.Places, points, lengths, batch.IsPositive(batch.Margins()));
            if (isLast)
            {
                return;
            }

            var model = batch.Linearize(Norm.L2);
            state = state.ReplacedBy(Advance(state, points, lengths, model, batch.IsPositive(model.Values), limits.Shrinkage), outer);
        }
    }

    /// <summary>Determines for each image whether its walk continues: it came nearer within the last steps, and its point is not far from the nearest one.</summary>
    private static bool[] Continuing(int step, double[] lengths, double[] known, int[] improved, double[] shortest, int leastSteps)
    {
        var stays = new bool[lengths.Length];
        for (var position = 0; position < stays.Length; position++)
        {
            if (known[position] < shortest[position] * (1 - Improvement))
            {
                (improved[position], shortest[position]) = (step, known[position]);
            }

            var isFar = step >= FirstStepGivenUp && lengths[position] > known[position] * (1 + (Excess * Math.Pow(ExcessDecay, step)));
            stays[position] = step < leastSteps || (!isFar && step - improved[position] < Patience);
        }

        return stays;
    }

    /// <summary>Computes the next points x ← a + φ (b − a), and reads values at the same time: once, unless the points take more steps of Newton's method than those of the walks before.</summary>
    /// <param name="state">The state of the walk.</param>
    /// <param name="known">The lengths of the shortest perturbations so far, shape [active].</param>
    /// <param name="bounds">The bounds of the images.</param>
    /// <param name="overshoot">The overshoot ω, as a share of the length r of the shortest perturbation so far.</param>
    /// <param name="values">The values to read, shape [active].</param>
    private (Tensor Points, double[][] Values) Next(State state, Tensor known, Bounds bounds, double overshoot, Tensor[] values)
    {
        if (TensorValues.IsReadCheap(state.Points))
        {
            return (Next(state, known, bounds, overshoot, limit: null), values.Length == 0 ? [] : TensorValues.ToColumns(values));
        }

        while (true)
        {
            using var limit = new NewtonLimit(_newtonSteps);
            var points = Next(state, known, bounds, overshoot, limit);
            var columns = limit.Incomplete is { } incomplete ? TensorValues.ToColumns([incomplete, .. values]) : [[], .. values.Length == 0 ? [] : TensorValues.ToColumns(values)];
            if (!columns[0].Contains(1))
            {
                return (points, columns[1..]);
            }

            _newtonSteps += 1 + (_newtonSteps / 2);
        }
    }

    private Tensor Next(State state, Tensor known, Bounds bounds, double overshoot, NewtonLimit? limit) => Scoped(() =>
    {
        var (lower, upper) = (bounds.Lower(state.Images), bounds.Upper(state.Images));
        var overshoots = where(known.isfinite(), known, norm.Of(state.Points - state.Images)).Times(overshoot);
        var rises = Metric == norm ? norm.Dual.Of(state.Normals) * state.Distances.Plus(overshoots) : (Metric.Dual.Of(state.Normals) * state.Distances).Plus(norm.Dual.Of(state.Normals) * overshoots);
        var plane = new BoxedHyperplane(state.Normals, state.Points, rises, lower, upper);
        var previous = new BoxedHyperplane(state.PreviousNormals, state.Images, state.PreviousRises.Plus(norm.Dual.Of(state.PreviousNormals) * overshoots), lower, upper);
        var restored = plane.Nearest(state.Points, norm, limit);
        var solution = new BoxedWedge(plane, previous).Nearest(state.Images, norm, limit);
        return bounds.Clamp(restored.Plus((solution - restored).Times(state.Weights)));
    });

    /// <summary>Computes the state at new points: averaged normal, distance to the boundary, interpolation weight and previous linearisation.</summary>
    private State Advance(State state, Tensor points, Tensor lengths, LinearModel model, Tensor fooled, double shrinkage) => Scoped(() =>
    {
        var units = model.Directions();
        var normals = state.Normals.Times(Memory).Plus(units.Times(1 - Memory));
        // An average that points away from the new gradient would lead away from the boundary; the new gradient replaces it.
        var agrees = Slopes(model, normals).gt(Scalars.Zero).logical_and(PerSample.OrdinaryDot(units, normals).div(Norm.L2.Of(normals)).Exceeds(SmallestAgreement));
        normals = where(PerSample.Broadcast(agrees, normals), normals, units);
        var distances = model.Values.neg() / Slopes(model, normals);

        // A point with a zero gradient or with logits that are not finite is discarded: the walk continues from the point before, with a smaller weight.
        var usable = distances.isfinite().logical_and(PerSample.IsFinite(normals));
        var usableRows = PerSample.Broadcast(usable, points);
        var weights = where(fooled, state.Weights.Times(WeightGrowth).clamp_max(Scalars.One), state.Weights.Times(shrinkage));
        var replaced = usable.logical_and(fooled.logical_not());
        var rises = PerSample.OrdinaryDot(units, points - state.Images).Plus(model.Distances());
        var (previousNormals, previousRises) = (where(PerSample.Broadcast(replaced, units), units, state.PreviousNormals), where(replaced, rises, state.PreviousRises - state.PreviousRises.abs().Times(PreviousRelaxation)));
        // If C would be the side of the edge that P follows already, it is the other side: that of the point before.
        var hasLast = PerSample.OrdinaryDot(state.LastNormals, state.LastNormals).gt(Scalars.Zero);
        var isOtherSide = PerSample.OrdinaryDot(units, state.LastNormals).Exceeds(SameSide).logical_not().logical_and(hasLast);
        var swapped = usable.logical_and(isOtherSide).logical_and(PerSample.OrdinaryDot(units, previousNormals).Exceeds(SameSide));
        return new State(
            state.Images.alias(),
            state.Places.alias(),
            where(usableRows, points, state.Points),
            lengths.alias(),
            where(usableRows, normals, state.Normals),
            where(usable, distances, state.Distances),
            weights,
            where(PerSample.Broadcast(swapped, units), state.LastNormals, previousNormals),
            where(swapped, state.LastRises, previousRises),
            where(usableRows, units, state.LastNormals),
            where(usable, rises, state.LastRises));
    });

    /// <summary>Computes the slope ⟨∇f, d⟩ along the steepest direction d for a normal, shape [active].</summary>
    private Tensor Slopes(LinearModel model, Tensor normals) => Scoped(() => model.PredictedChanges(Metric.SteepestDirections(normals)));

    /// <summary>The state of the walk, one row per image.</summary>
    /// <param name="Images">The original images x₀, shape [active, …].</param>
    /// <param name="Places">The places of the images among the nearest points, int64, shape [active].</param>
    /// <param name="Points">The points x, shape [active, …].</param>
    /// <param name="Lengths">The lengths ‖x − x₀‖ of the perturbations at the last points, also where these were discarded, shape [active].</param>
    /// <param name="Normals">The averaged normals n, shape [active, …].</param>
    /// <param name="Distances">The distances −f/⟨∇f, d⟩ to the boundary along the steepest direction d for n, shape [active]; negative beyond the boundary.</param>
    /// <param name="Weights">The interpolation weights φ, shape [active].</param>
    /// <param name="PreviousNormals">The normals c of the half-spaces C = {x : ⟨c, x − x₀⟩ ≥ e}, shape [active, …]; zero while C is the whole space.</param>
    /// <param name="PreviousRises">The right-hand sides e of the half-spaces C, shape [active].</param>
    /// <param name="LastNormals">The unit gradients at the points x, shape [active, …]; zero before the first.</param>
    /// <param name="LastRises">The increases of ⟨∇f/‖∇f‖₂, x⟩ from the image to the linearised boundary at the points x, shape [active].</param>
    private sealed record State(Tensor Images, Tensor Places, Tensor Points, Tensor Lengths, Tensor Normals, Tensor Distances, Tensor Weights, Tensor PreviousNormals, Tensor PreviousRises, Tensor LastNormals, Tensor LastRises) : IRows<State>
    {
        public State Map(Func<Tensor, Tensor> map) => new(map(Images), map(Places), map(Points), map(Lengths), map(Normals), map(Distances), map(Weights), map(PreviousNormals), map(PreviousRises), map(LastNormals), map(LastRises));
    }
}

/// <summary>The limits of a <see cref="BoundaryWalk"/>.</summary>
/// <param name="Steps">The largest number of steps.</param>
/// <param name="LeastSteps">The number of steps before which no walk is given up.</param>
/// <param name="Continues">The function that determines whether a row of the attack may take a further step; null if every walk takes all steps.</param>
/// <param name="Shrinkage">The factor by which the interpolation weight φ shrinks after a step that is not adversarial. With 0.5, as in a backtracking line search, walks end nearer to a sharp edge; with 0.7 they come nearer from a distant start.</param>
internal sealed record WalkLimits(int Steps, int LeastSteps = 0, Func<int, bool>? Continues = null, double Shrinkage = 0.5);

/// <summary>The settings of the second stage of the trust-region attack: walks along the decision boundary, and the search for nearer points.</summary>
public sealed record BoundaryWalkOptions
{
    /// <summary>The number of gradients of the effort <c>low</c>.</summary>
    public const int LowEffort = 25;

    /// <summary>The number of gradients of the effort <c>default</c>.</summary>
    public const int DefaultEffort = 125;

    /// <summary>The number of gradients of the effort <c>high</c>.</summary>
    public const int HighEffort = 500;

    /// <summary>The maximum number of backward passes of an image in the whole attack, and of its forward passes: walks start from further points, toward further classes, until they are spent; null for one walk of <see cref="Steps"/> steps.</summary>
    /// <value>null (ours).</value>
    public int? Effort { get; init; }

    /// <summary>The number of steps of the first walk, each of one forward and one backward pass; with an effort, the number of steps before which it does not end.</summary>
    /// <value>18 (ours: about 25 backward passes per image in total, docs/attacks/trust-region.md).</value>
    public int Steps { get; init; } = 18;

    /// <summary>The number of classes, those with the largest logits at the first adversarial point, among which the first walk of an untargeted attack chooses.</summary>
    /// <value>3 (ours: the nearest boundary is rarely that of a fourth class).</value>
    public int Candidates { get; init; } = 3;

    /// <summary>The seed of the random points from which walks start; they also depend on the image's index in the data set.</summary>
    /// <value>0 (ours).</value>
    public long Seed { get; init; }

    /// <summary>Checks the settings.</summary>
    /// <exception cref="BadInputException">A setting is outside its range.</exception>
    internal void Check()
    {
        SettingCheck.AtLeastOne("steps of the boundary walk", Steps);
        SettingCheck.AtLeastOne("candidate classes of the boundary walk", Candidates);
        SettingCheck.AtLeastOne("gradients of the effort", Effort ?? 1);
    }
}
