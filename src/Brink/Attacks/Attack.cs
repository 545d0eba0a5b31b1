using Brink.Optimization;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The base class of the attacks: checks the input, classifies the images, runs the method of the attack and confirms its results.</summary>
public abstract class Attack : IAttack
{
    private protected Attack()
    {
    }

    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <inheritdoc/>
    public abstract Norm Norm { get; }

    /// <summary>The selection of the target class, which also decides whether an image is fooled.</summary>
    public abstract TargetSelection Target { get; }

    /// <inheritdoc/>
    public AttackResult Run(IClassifier classifier, Tensor images, Tensor labels, IReadOnlyList<long>? indices = null, IProgress<AttackProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        AttackInput.Check(classifier, images, labels, indices);
        Target.Check(classifier);
        Check(classifier);

        // The caller may have disabled gradients.
        using var inference = inference_mode(false);
        using var gradients = enable_grad();
        using var evaluation = classifier.EnterEvaluation();
        using var scope = NewDisposeScope();

        var run = new AttackRun(classifier, images.detach().clone(), labels.detach().clone(), indices, progress, cancellationToken);
        var all = new ActiveRows(Enumerable.Range(0, (int)images.shape[0]), images.device);
        // Attacks that compare classes begin with another pass, of the attacked images only, and do not need this graph.
        using var first = run.Forward(run.Images, all, keepGraph: !Target.ComparesClasses);
        var labelValues = run.Labels.ToLongs();
        var predictions = first.Predictions().ToLongs();
        foreach (var row in all.Rows)
        {
            run[row].Exit = predictions[row] != labelValues[row] ? AttackExit.Misclassified
                : Target.Skips(labelValues[row]) ? AttackExit.Skipped
                : AttackExit.IterationLimit;
        }

        var attacked = new ActiveRows(all.Rows.Where(row => run[row].Exit == AttackExit.IterationLimit), images.device);
        if (attacked.Count > 0)
        {
            Perturb(run, first, all, attacked);
        }

        return Confirm(run, labelValues, predictions);
    }

    /// <summary>Checks that the attack can use a classifier, before the first pass.</summary>
    /// <param name="classifier">The classifier to attack.</param>
    /// <exception cref="BadInputException">The attack cannot use the classifier.</exception>
    private protected virtual void Check(IClassifier classifier)
    {
    }

    /// <summary>Runs the method of the attack: writes the images that it fools to <see cref="AttackRun.Adversarial"/> and records the exit reason of every attacked row.</summary>
    /// <param name="run">The bookkeeping of the attack.</param>
    /// <param name="first">The pass that classified all rows, with its graph unless the target selection compares classes.</param>
    /// <param name="all">All rows of the batch.</param>
    /// <param name="rows">The rows to attack.</param>
    private protected abstract void Perturb(AttackRun run, ForwardPass first, ActiveRows all, ActiveRows rows);

    /// <summary>Chooses the target class of each attacked image and computes the linear models at the images, for attacks that choose only once.</summary>
    /// <remarks>Rows whose objective has a zero gradient at the image, or one that is not finite, leave <paramref name="rows"/>.</remarks>
    /// <param name="run">The bookkeeping of the attack, which records the classes.</param>
    /// <param name="first">The pass that classified all rows.</param>
    /// <param name="all">All rows of the batch.</param>
    /// <param name="rows">The rows to attack.</param>
    /// <param name="candidates">The number of classes, those with the largest logits other than the label, among which best and hardest choose.</param>
    /// <param name="objective">The objective to linearise at the images; null for none, in which case no row leaves.</param>
    /// <param name="needsGap">Whether to linearise the logit gap as well.</param>
    private protected LinearizedImages Linearize(AttackRun run, ForwardPass first, ActiveRows all, ActiveRows rows, int candidates, IObjective? objective, bool needsGap = false)
    {
        using var scope = NewDisposeScope();
        // Comparing classes takes a backward pass per class, so it uses a forward pass of the attacked images only. Otherwise the graph of the
        // first classification is used.
        using var own = Target.ComparesClasses ? run.Forward(rows.Select(run.Images), rows) : null;
        var (pass, passRows) = own is null ? (first, all) : (own, rows);
        var labels = passRows.Select(run.Labels);
        var choice = needsGap || Target.ComparesClasses ? Target.Choose(pass, labels, Norm, candidates) : null;
        run.CountBackwards(rows, choice?.BackwardPasses ?? 0);
        var targets = choice?.Targets ?? Target.WithoutComparing(labels);

        Tensor OfAttacked(Tensor tensor) => own is null ? rows.Select(tensor) : tensor;
        var gap = choice is null ? null : new LinearModel(OfAttacked(choice.Gaps), OfAttacked(choice.Gradients));
        var model = objective is LogitGap ? gap : null;
        if (objective is not null && model is null)
        {
            var values = run.Objective(objective, Target, pass, passRows, labels, targets);
            model = new(OfAttacked(values.detach()), OfAttacked(pass.Gradients(values)));
            run.CountBackwards(rows);
        }

        var attacked = new AttackedImages(rows.Select(run.Images), rows.Select(run.Labels), OfAttacked(targets));
        run.SetTargets(rows, attacked.Targets.ToLongs());
        var kept = model is null
            ? PerSample.Positions(rows.Count, labels.device)
            : run.KeepActive(rows, attacked.Images, attacked.Labels, zeros_like(attacked.Labels, dtype: ScalarType.Bool), model, Norm, iteration: 0, maxIterations: int.MaxValue);

        Tensor Kept(Tensor tensor) => tensor.index_select(0, kept).MoveToOuterDisposeScope();
        LinearModel? KeptModel(LinearModel? linear) => linear is null ? null : new(Kept(linear.Values), Kept(linear.Gradients));
        return new(new(Kept(attacked.Images), Kept(attacked.Labels), Kept(attacked.Targets)), KeptModel(gap), KeptModel(model));
    }

    /// <summary>Classifies all images of the result in one fresh forward pass, which alone decides about success.</summary>
    private AttackResult Confirm(AttackRun run, long[] labels, long[] predictions)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var after = (long[])predictions.Clone();
        var candidates = Enumerable.Range(0, labels.Length).Where(row => run[row].Exit == AttackExit.Fooled).ToArray();
        if (candidates.Length > 0)
        {
            var targets = tensor(Enumerable.Range(0, labels.Length).Select(row => run[row].Target).ToArray(), device: run.Labels.device);
            var fresh = ForwardPass.Predict(run.Classifier, run.Adversarial);
            var confirmed = Target.Fooled(fresh, run.Labels, targets).logical_and(run.Classifier.Bounds.Contain(run.Adversarial)).ToBools();
            var predictionsAfter = fresh.ToLongs();
            foreach (var row in candidates)
            {
                if (confirmed[row])
                {
                    after[row] = predictionsAfter[row];
                }
                else
                {
                    run[row].Exit = AttackExit.Unconfirmed;
                    run.Adversarial[row] = run.Images[row];
                }
            }
        }

        var lengths = PerturbationLengths.Of(run.Images, run.Adversarial, Norm);
        var outcomes = Enumerable.Range(0, labels.Length).Select(row => new Outcome
        {
            Label = labels[row],
            PredictionBefore = predictions[row],
            PredictionAfter = after[row],
            Target = run[row].Target,
            Exit = run[row].Exit,
            L2 = lengths.L2[row],
            LInf = lengths.LInf[row],
            Relative = lengths.Relative[row],
            Iterations = run[row].Iterations,
            Forwards = run[row].Forwards,
            Backwards = run[row].Backwards,
            Products = run[row].Products,
            Underflowed = run[row].Underflowed,
        });
        return new(run.Adversarial.DetachFromDisposeScope(), [.. outcomes]);
    }
}

/// <summary>The attacked images of a batch with their labels and target classes, one row per image.</summary>
/// <param name="Images">The images x, shape [attacked, …].</param>
/// <param name="Labels">The labels y, int64, shape [attacked].</param>
/// <param name="Targets">The target classes t, int64, shape [attacked]; −1 if no class is chosen.</param>
internal sealed record AttackedImages(Tensor Images, Tensor Labels, Tensor Targets)
{
    /// <summary>Returns the images at the given positions.</summary>
    /// <param name="positions">The positions, int64.</param>
    public AttackedImages Select(Tensor positions) => new(Images.index_select(0, positions), Labels.index_select(0, positions), Targets.index_select(0, positions));
}

/// <summary>The attacked images with the linear models at them.</summary>
/// <param name="Attacked">The attacked images.</param>
/// <param name="Gap">The linear model of the logit gap; null if not requested.</param>
/// <param name="Objective">The linear model of the objective; null if not requested.</param>
internal sealed record LinearizedImages(AttackedImages Attacked, LinearModel? Gap, LinearModel? Objective);
