using Brink.Targets;
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

        var originals = run.Images.to(ScalarType.Float64);
        var perturbations = run.Adversarial.to(ScalarType.Float64) - originals;
        var l2 = Norm.L2.Of(perturbations).ToDoubles();
        var lInf = Norm.LInf.Of(perturbations).ToDoubles();
        var relative = Norm.Of(perturbations).div(Norm.Of(originals)).nan_to_num(0, double.PositiveInfinity, double.NegativeInfinity).ToDoubles();
        var images = Enumerable.Range(0, labels.Length).Select(row => new ImageResult
        {
            Label = labels[row],
            PredictionBefore = predictions[row],
            PredictionAfter = after[row],
            Target = run[row].Target,
            Exit = run[row].Exit,
            L2 = l2[row],
            LInf = lInf[row],
            Relative = relative[row],
            Iterations = run[row].Iterations,
            Forwards = run[row].Forwards,
            Backwards = run[row].Backwards,
            Products = run[row].Products,
        });
        return new(run.Adversarial.DetachFromDisposeScope(), [.. images]);
    }
}
