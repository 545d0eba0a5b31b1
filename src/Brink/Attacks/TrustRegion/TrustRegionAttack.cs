using Brink.Optimization;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The trust-region attack of Yao et al. (2019), Algorithm 1, followed by walks along the decision boundary (L2, L∞ and L1; second order L2 only).</summary>
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
public sealed class TrustRegionAttack : Attack, IMinimalAttack, IStartsFromImages
{
    /// <summary>The smallest linearised distance D, as a share of the width of the bounds.</summary>
    /// <remarks>The shortest step is 0.005 D. With 1e-4 it still changes a float32 number in [0, 1].</remarks>
    private const double SmallestDistance = 1e-4;

    /// <summary>The linearised distance D, as a share of the width of the bounds, from which on an image with an effort is left to the search at once.</summary>
    /// <remarks>A linear model is inaccurate that far away. On networks trained without and with perturbed images of CIFAR-10, D is below 0.06 for 95 % of the images.</remarks>
    private const double LargestDistance = 0.1;

    /// <summary>The ratio ρ of the first step below which an image with an effort is left to the search, unless its distance D is below <see cref="NearDistance"/>.</summary>
    private const double SmallestFirstRatio = 0.8;

    /// <summary>The linearised distance D, as a share of the width of the bounds, up to which the first stage goes on whatever the ratio: so near, its steps find a nearer start than images of other classes.</summary>
    /// <remarks>On networks trained without perturbed images of CIFAR-10, D is below this share for all images that were tried.</remarks>
    private const double NearDistance = 0.02;

    /// <summary>The number of steps after which an image with an effort is left to the search.</summary>
    private const int LastStepBeforeSearch = 12;

    private readonly TrustRegionOptions _options;
    private readonly Curvature? _curvature;
    private readonly StartingImages? _starts;

    /// <summary>Initializes the attack.</summary>
    /// <param name="options">The settings; null for the defaults.</param>
    /// <exception cref="BadInputException">A setting is outside its range.</exception>
    public TrustRegionAttack(TrustRegionOptions? options = null)
        : this(options, null)
    {
    }

    private TrustRegionAttack(TrustRegionOptions? options, StartingImages? starts)
    {
        _starts = starts;
        _options = options ?? new();
        _options.Check();
        _curvature = _options.Curvature is null ? null : new(_options.Objective, _options.Curvature);
    }

    /// <inheritdoc/>
    public override string Name => _curvature is null ? "tr" : "tr2";

    /// <inheritdoc/>
    public override Norm Norm => _options.Norm;

    /// <inheritdoc/>
    public override Objective Objective => _options.Objective;

    /// <inheritdoc/>
    public override TargetSelection Target => _options.Target;

    /// <inheritdoc/>
    bool IStartsFromImages.NeedsImages => Effort is not null;

    /// <inheritdoc/>
    IAttack IStartsFromImages.StartingFrom(StartingImages images) => new TrustRegionAttack(_options, images);

    /// <inheritdoc/>
    protected override void Check(IClassifier classifier, Criterion criterion) => _curvature?.Check(classifier, criterion);

    /// <summary>Determines whether a second-order attack has curvature to use at some images (see <see cref="Curvature.IsCurved"/>); true for the first order.</summary>
    internal bool IsCurved(ForwardPass pass, IClassifier classifier, Criterion criterion, Tensor labels, Tensor indices) => _curvature?.IsCurved(pass, classifier, criterion, labels, indices) ?? true;

    /// <inheritdoc/>
    protected override void Perturb(AttackedBatch batch)
    {
        var rows = batch.Rows;
        var stuck = FindAdversarialPoints(batch, Target);
        if (batch.Criterion.ComparesClasses)
        {
            TryOtherClasses(batch, stuck);
        }

        if (_options.Refinement is null)
        {
            return;
        }

        using var scope = NewDisposeScope();
        using var rest = batch.OfRows([.. rows.Where(row => batch.Entry(row).Exit is AttackExit.Fooled || (Effort is not null && batch.Entry(row).Exit is AttackExit.IterationLimit or AttackExit.ZeroGradient))]);
        if (rest.Count > 0)
        {
            new BoundarySearch(rest, Norm, _options, _starts).Run();
        }
    }

    private int? Effort => _options.Refinement?.Effort;

    /// <summary>Runs Algorithm 1 of the paper until no image is active.</summary>
    /// <param name="batch">The images.</param>
    /// <param name="target">The selection of the class.</param>
    /// <param name="excluded">The classes of each image that are not chosen, bool, shape [active, classes]; null for none.</param>
    /// <returns>The rows of the images that are stuck at the bounds.</returns>
    private List<int> FindAdversarialPoints(AttackedBatch batch, TargetSelection target, Tensor? excluded = null)
    {
        using var outer = NewDisposeScope();
        var stuckRows = new List<int>();
        var state = Start(batch, target, excluded, stuckRows);
        for (var iteration = 1; batch.Count > 0; iteration++)
        {
            using var scope = NewDisposeScope();

            // max m(s) over ‖s‖_p ≤ ε_k
            var subproblem = _curvature?.Subproblem(batch, state.Points, state.Model, state.Radii) ?? state.Model;
            batch.EndPass();

            // x_{k+1} = clip(x_k + s)
            var lengths = Lengths(batch, subproblem, state);
            var points = batch.Bounds.Clamp(state.Points.Plus(Steps(batch, subproblem, state, lengths.Times(1 + _options.Overshoot))));

            // f(x_{k+1}), ∇f(x_{k+1}) and the prediction, from one pass
            batch.Forward(points);
            var (values, gradients) = batch.Differentiate(Objective, HasProducts);
            var (model, stuck) = Project(batch, points, values, gradients);

            // ρ_k and ε_{k+1}
            var ratios = ReductionRatio.Of(state.Model.Values, values, subproblem.PredictedChanges(points - state.Points));
            var radii = _options.Radius.Next(state.Radii, ratios, state.FirstDistances);

            // Stop where fooled.
            var isRough = iteration == 1 && Objective == Objective.Gap ? IsRough(batch, state, ratios) : null;
            state = state.ReplacedBy(Keep(batch, new(points, model, radii, state.FirstDistances), stuck, isRough, iteration, stuckRows), outer);
            batch.Report(iteration);
        }

        return stuckRows;
    }

    private bool HasProducts => _curvature?.HasExactProducts ?? false;

    /// <summary>Chooses the classes, computes the state at the original images and finishes the images that have no usable gradient there.</summary>
    private State Start(AttackedBatch batch, TargetSelection target, Tensor? excluded, List<int> stuckRows) => Scoped(() =>
    {
        var (gap, objective) = batch.Start(target, Norm, _options.Candidates, Objective, needsGap: true, excluded, HasProducts);
        var points = batch.Images;
        var (model, stuck) = Project(batch, points, objective!.Values, objective.Gradients);
        // With saturated logits the distance may exceed the width of the bounds. For an image on the boundary it is 0, and steps that are shares of it
        // would be too short to change a number of the image.
        var widths = batch.Bounds.Widths(Norm, points);
        // In L1 one entry may be the whole perturbation.
        var smallest = (Norm == Norm.L1 ? batch.Bounds.Widths(Norm.LInf, points) : widths).Times(SmallestDistance);
        var distances = minimum(maximum(Distances(batch, gap!, points).nan_to_num(double.PositiveInfinity), smallest), widths);
        return Keep(batch, new(points, model, _options.Radius.First(distances), distances), stuck, distances.gt(widths.Times(LargestDistance)), iteration: 0, stuckRows);
    });

    /// <summary>Determines for each image whether the linear model is inaccurate, from the ratio ρ of the first step.</summary>
    private Tensor IsRough(AttackedBatch batch, State state, Tensor ratios) => Scoped(() =>
        ratios.Exceeds(SmallestFirstRatio).logical_not().logical_and(state.FirstDistances.gt(batch.Bounds.Widths(Norm, state.Points).Times(NearDistance))));

    /// <summary>Finishes images, and leaves images with an effort to the search: where the linear model is inaccurate, and where the first stage takes too many steps.</summary>
    /// <param name="batch">The images.</param>
    /// <param name="state">Their state.</param>
    /// <param name="stuck">The flags of the entries that are left out of the gradient, bool, shape [active, …]. Without them the gradient may be zero: then the bounds exclude the class.</param>
    /// <param name="isRough">The flags of the images where the linear model is inaccurate, bool, shape [active]; null if that is not known.</param>
    /// <param name="iteration">The number of completed steps.</param>
    /// <param name="stuckRows">The rows of the images that are stuck at the bounds, to which more are added.</param>
    /// <returns>The state of the images that stay.</returns>
    private State Keep(AttackedBatch batch, State state, Tensor stuck, Tensor? isRough, int iteration, List<int> stuckRows)
    {
        var rows = batch.Rows;
        var kept = batch.Keep(state.Model, iteration, _options.MaxIterations, [stuck.flatten(1).any(1), .. isRough is null ? Array.Empty<Tensor>() : [isRough]], out var stays, out var flags);
        stuckRows.AddRange(rows.Where((row, position) => flags[0][position] && batch.Entry(row).Exit == AttackExit.ZeroGradient));
        state = state.Select(kept);
        if (Effort is not { } effort)
        {
            return state;
        }

        var rough = isRough is null ? null : flags[1].Where((_, position) => stays[position]).ToArray();
        var continues = new bool[batch.Count];
        for (var position = 0; position < continues.Length; position++)
        {
            var entry = batch.Entry(batch.Rows[position]);
            continues[position] = iteration < LastStepBeforeSearch && rough?[position] != true && Math.Max(entry.Forwards, entry.Backwards) < effort;
            if (!continues[position])
            {
                batch.Finish(position, AttackExit.IterationLimit, iteration);
            }
        }

        return Array.TrueForAll(continues, flag => flag) ? state : state.Select(batch.Keep(continues));
    }

    /// <summary>Leaves the entries out of the gradient that are at their bound and would be pushed outward: otherwise distances would include entries that cannot move.</summary>
    private (LinearModel Model, Tensor Stuck) Project(AttackedBatch batch, Tensor points, Tensor values, Tensor gradients)
    {
        var bounds = batch.Bounds;
        var stuck = Scoped(() => points.ge(bounds.Upper(points)).logical_and(gradients.gt(Scalars.Zero))
            .logical_or(points.le(bounds.Lower(points)).logical_and(gradients.lt(Scalars.Zero))));
        return (new(values, gradients.masked_fill(stuck, Scalars.Zero), Norm), stuck);
    }

    /// <summary>Computes the lengths of the steps before overshoot, shape [active]: to the boundary of the local model, at most the radius.</summary>
    private Tensor Lengths(AttackedBatch batch, ISubproblem subproblem, State state) => _options.WholeRadius || Objective != Objective.Gap
        ? state.Radii.alias()
        : Scoped(() => maximum(minimum(Distances(batch, subproblem, state.Points), state.Radii), minimum(state.FirstDistances.Times(_options.ShortestStep), state.Radii)));

    /// <summary>Computes the distances to the boundary of the local model, shape [active]. In L1 a step to it fills entries up to their bounds, so the distance depends on them.</summary>
    private Tensor Distances(AttackedBatch batch, ISubproblem subproblem, Tensor points) => Norm == Norm.L1 && subproblem is LinearModel model
        ? Scoped(() => Norm.Of(new BoxedHyperplane(model.Gradients, points, model.Values.neg(), batch.Bounds.Lower(points), batch.Bounds.Upper(points)).Nearest(points, Norm) - points))
        : subproblem.Distances();

    /// <summary>Computes the steps of given lengths, shape [active, …].</summary>
    private Tensor Steps(AttackedBatch batch, ISubproblem subproblem, State state, Tensor lengths) => Norm == Norm.L1
        ? BoxFilling.SteepestSteps(state.Points, state.Model.Gradients, lengths, batch.Bounds.Lower(state.Points), batch.Bounds.Upper(state.Points))
        : subproblem.Steps(lengths);

    /// <summary>Attacks the images that are stuck at the bounds again, toward one other class after the other.</summary>
    /// <remarks>A point is stuck if no entry can move toward the target class: the bounds may contain no image of that class, but images of others.</remarks>
    private void TryOtherClasses(AttackedBatch batch, List<int> stuck)
    {
        var classes = batch.Classifier.ClassCount;
        var others = Math.Min(_options.Candidates, classes - 1);
        var tried = stuck.ToDictionary(row => row, _ => new List<long>());
        while (stuck.Count > 0)
        {
            // The class of an untargeted attack, −1, is none of those that are compared.
            stuck.ForEach(row => tried[row].Add(batch.Entry(row).Target));
            // With an effort, images without the passes for another choice are left to the search.
            int[] rows = [.. stuck.Where(row => tried[row].Count(given => given >= 0) < others && (Effort is not { } effort || Math.Max(batch.Entry(row).Forwards, batch.Entry(row).Backwards) + others < effort)).Order()];
            if (rows.Length == 0)
            {
                return;
            }

            using var scope = NewDisposeScope();
            using var part = batch.OfRows(rows);
            Array.ForEach(rows, row => batch.Entry(row).Exit = AttackExit.IterationLimit);
            var excluded = tensor(rows.SelectMany(row => Enumerable.Range(0, classes).Select(other => tried[row].Contains(other))).ToArray(), device: batch.Labels.device);
            stuck = FindAdversarialPoints(part, Target == TargetSelection.Hardest ? TargetSelection.Hardest : TargetSelection.Best, excluded.reshape(rows.Length, classes));
        }
    }

    /// <summary>The state before a step, one row per active image.</summary>
    /// <param name="Points">The points x_k, shape [active, …].</param>
    /// <param name="Model">The linear model of the objective at the points.</param>
    /// <param name="Radii">The radii ε_k, shape [active].</param>
    /// <param name="FirstDistances">The linearised distances D at the original images, shape [active].</param>
    private sealed record State(Tensor Points, LinearModel Model, Tensor Radii, Tensor FirstDistances) : IRows<State>
    {
        public State Map(Func<Tensor, Tensor> map) => new(map(Points), Model.Map(map), map(Radii), map(FirstDistances));
    }
}
