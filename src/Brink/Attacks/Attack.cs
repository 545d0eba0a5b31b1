using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The base class of attacks: checks the input, classifies the images, runs the method of the attack and confirms its results.</summary>
/// <remarks>An attack of your own overrides <see cref="Perturb"/>, which moves the images of an <see cref="AttackedBatch"/>. All else is done here.</remarks>
public abstract class Attack : IAttack
{
    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <inheritdoc/>
    public abstract Norm Norm { get; }

    /// <summary>The objective that the attack increases.</summary>
    /// <value><see cref="Objective.Gap"/>, the margin of the criterion, unless the attack has an option for it.</value>
    public virtual Objective Objective => Objective.Gap;

    /// <summary>The selection of the class that the attack approaches.</summary>
    /// <value><see cref="TargetSelection.Untargeted"/>, unless the attack has an option for it.</value>
    public virtual TargetSelection Target => TargetSelection.Untargeted;

    /// <inheritdoc/>
    public AttackResult Run(IClassifier classifier, Tensor images, Tensor labels, Criterion? criterion = null, IReadOnlyList<long>? indices = null, int? maxPasses = null, IProgress<AttackProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        criterion ??= Criterion.Misclassification;
        AttackInput.Check(classifier, images, labels, indices, maxPasses);
        indices ??= [.. Enumerable.Range(0, (int)images.shape[0]).Select(row => (long)row)];
        criterion.Check(classifier, indices);
        if (Objective == Objective.CrossEntropy && !criterion.IsAboutClasses)
        {
            throw new BadInputException($"The objective cross-entropy needs a criterion of classes, but the criterion {criterion.Name} was given; use the objective gap, which follows the margin of the criterion.");
        }

        Check(classifier, criterion);

        // The caller may have disabled gradients.
        using var inference = inference_mode(false);
        using var gradients = enable_grad();
        using var evaluation = classifier.EnterEvaluation();
        using var scope = NewDisposeScope();

        var run = new AttackRun(classifier, criterion, Target, Norm, images.detach().clone(), labels.detach().clone(), indices, maxPasses, progress, cancellationToken);
        using var batch = run.Classify(keepGraph: !criterion.ComparesClasses || Target == TargetSelection.Untargeted);
        if (batch.Count > 0)
        {
            Perturb(batch);
            batch.RecordTargets();
        }

        return run.Confirm();
    }

    /// <summary>Checks that the attack can use a classifier and a criterion, before the first pass.</summary>
    /// <param name="classifier">The classifier to attack.</param>
    /// <param name="criterion">The criterion.</param>
    /// <exception cref="BadInputException">The attack cannot use them.</exception>
    protected virtual void Check(IClassifier classifier, Criterion criterion)
    {
    }

    /// <summary>Runs the method of the attack until every image of the batch is finished.</summary>
    /// <param name="batch">The images to attack, at least one, all of them classified correctly.</param>
    protected abstract void Perturb(AttackedBatch batch);
}
