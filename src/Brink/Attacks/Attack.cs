using Brink.Optimization;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>What every attack does before and after its own method: checks, the first classification, the confirmation, the books.</summary>
public abstract class Attack : IAttack
{
    private protected Attack()
    {
    }

    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <inheritdoc/>
    public abstract Norm Norm { get; }

    /// <summary>Which class the attack goes for, and when an image counts as fooled.</summary>
    public abstract TargetSelection Target { get; }

    /// <inheritdoc/>
    public AttackResult Run(IClassifier classifier, Tensor images, Tensor labels, IReadOnlyList<long>? indices = null, IProgress<AttackProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        AttackInput.Check(classifier, images, labels, indices);
        Target.Check(classifier);
        Check(classifier);

        // The caller may have switched gradients off around us.
        using var inference = inference_mode(false);
        using var gradients = enable_grad();
        using var evaluation = classifier.EnterEvaluation();
        using var scope = NewDisposeScope();

        var run = new AttackRun(classifier, images.detach().clone(), labels.detach().clone(), indices, progress, cancellationToken);
        var all = new ActiveRows(Enumerable.Range(0, (int)images.shape[0]), images.device);
        // Attacks that compare classes start with a pass of their own, for the attacked images alone.
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

    /// <summary>Refuses a classifier that the attack cannot use, before any work.</summary>
    /// <exception cref="BadInputException">With the reason.</exception>
    private protected virtual void Check(IClassifier classifier)
    {
    }

    /// <summary>The attack's own method: moves the rows of <see cref="AttackRun.Adversarial"/> that it fools, and closes the books of every attacked row.</summary>
    /// <param name="run">The books.</param>
    /// <param name="first">The pass that classified all rows, its graph kept unless the target compares classes.</param>
    /// <param name="all">All rows.</param>
    /// <param name="rows">The rows to attack.</param>
    private protected abstract void Perturb(AttackRun run, ForwardPass first, ActiveRows all, ActiveRows rows);

    /// <summary>Chooses the class of each attacked image, for attacks that choose once, with the gradients that they start from. Rows whose objective is flat at the image leave.</summary>
    /// <param name="run">The books, which learn the classes.</param>
    /// <param name="first">The pass that classified all rows.</param>
    /// <param name="all">All rows.</param>
    /// <param name="rows">The rows to attack.</param>
    /// <param name="candidates">Among how many classes other than the label best and hardest choose.</param>
    /// <param name="objective">Whose gradient at the images is wanted; null for none, and then no row leaves.</param>
    /// <param name="needsGap">Whether the linear model of the logit gap is wanted, too.</param>
    private protected AttackStart Start(AttackRun run, ForwardPass first, ActiveRows all, ActiveRows rows, int candidates, IObjective? objective, bool needsGap = false)
    {
        using var scope = NewDisposeScope();
        // Comparing classes takes a backward pass for each, so it gets a forward pass of the attacked images alone. Otherwise the graph of
        // the classification serves.
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
            var values = Target.Values(objective, pass.Logits, labels, targets);
            model = new(OfAttacked(values.detach()), OfAttacked(pass.Gradients(values)));
            run.CountBackwards(rows);
        }

        var subjects = new Subjects(rows.Select(run.Images), rows.Select(run.Labels), OfAttacked(targets));
        run.SetTargets(rows, subjects.Targets.ToLongs());
        var kept = model is null
            ? PerSample.Positions(rows.Count, labels.device)
            : run.KeepActive(rows, subjects.Images, subjects.Labels, zeros_like(subjects.Labels, dtype: ScalarType.Bool), model, Norm, iteration: 0, maxIterations: int.MaxValue);

        Tensor Kept(Tensor tensor) => tensor.index_select(0, kept).MoveToOuterDisposeScope();
        LinearModel? KeptModel(LinearModel? linear) => linear is null ? null : new(Kept(linear.Values), Kept(linear.Gradients));
        return new(new(Kept(subjects.Images), Kept(subjects.Labels), Kept(subjects.Targets)), KeptModel(gap), KeptModel(model));
    }

    /// <summary>Runs what the attack returns through the classifier once more, all rows together, and believes only that.</summary>
    private AttackResult Confirm(AttackRun run, long[] labels, long[] predictions)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var after = (long[])predictions.Clone();
        var candidates = Enumerable.Range(0, labels.Length).Where(row => run[row].Exit == AttackExit.Fooled).ToArray();
        if (candidates.Length > 0)
        {
            var targets = tensor(Enumerable.Range(0, labels.Length).Select(row => run[row].Target).ToArray(), device: run.Labels.device);
            var fresh = ForwardPass.PredictionsOf(run.Classifier.Logits(run.Adversarial));
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

        var lengths = MeasuredLengths.Of(run.Images, run.Adversarial, Norm);
        var images = Enumerable.Range(0, labels.Length).Select(row => new Outcome
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
        });
        return new(run.Adversarial.DetachFromDisposeScope(), [.. images]);
    }
}
