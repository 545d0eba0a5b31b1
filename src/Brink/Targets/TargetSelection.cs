using static TorchSharp.torch;

namespace Brink;

/// <summary>The selection of the target class of each image, which also decides whether an image is fooled.</summary>
public abstract class TargetSelection
{
    /// <summary>Selects the nearest class by linearised distance.</summary>
    public static TargetSelection Best { get; } = new LinearizedDistanceSelection(farthest: false);

    /// <summary>Selects the farthest class by linearised distance.</summary>
    public static TargetSelection Hardest { get; } = new LinearizedDistanceSelection(farthest: true);

    /// <summary>Selects no class: any class other than the label counts, and at each point the one with the largest logit is followed.</summary>
    public static TargetSelection Untargeted { get; } = new UntargetedSelection();

    /// <summary>The name on the command line and in files: <c>best</c>, <c>hardest</c>, <c>untargeted</c> or the number of the class.</summary>
    public abstract string Name { get; }

    /// <summary>The criterion of success in result files: <c>misclassified</c> or <c>target-class</c>.</summary>
    public abstract string Criterion { get; }

    /// <summary>Selects a given class for all images.</summary>
    /// <param name="classIndex">The class, from 0.</param>
    /// <returns>The selection.</returns>
    public static TargetSelection Given(int classIndex) => new GivenClassSelection(classIndex);

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>Indicates whether the selection compares classes, with one backward pass per class.</summary>
    internal abstract bool ComparesClasses { get; }

    /// <summary>Checks that the classifier has the selected class, before the first pass.</summary>
    /// <param name="classifier">The classifier to attack.</param>
    /// <exception cref="BadInputException">The class does not exist.</exception>
    internal abstract void Check(IClassifier classifier);

    /// <summary>Determines whether an image with this label is skipped, because the label already is the target class.</summary>
    /// <param name="label">The label.</param>
    internal abstract bool Skips(long label);

    /// <summary>Chooses the target class of each image and linearises the logit gap.</summary>
    /// <param name="pass">The pass at the images; its graph is kept for further gradients.</param>
    /// <param name="labels">The labels y, int64, shape [batch].</param>
    /// <param name="norm">The norm of the attack.</param>
    /// <param name="candidates">The number of classes, those with the largest logits other than the label, among which best and hardest choose.</param>
    /// <param name="origins">The points from which best and hardest measure distances, shape [batch, …]; null for the points of the pass.</param>
    internal abstract TargetChoice Choose(ForwardPass pass, Tensor labels, Norm norm, int candidates, Tensor? origins = null);

    /// <summary>Returns the target classes of a selection that does not compare classes, int64, shape [batch]: the given class, or −1.</summary>
    /// <param name="labels">The labels y, int64, shape [batch].</param>
    /// <exception cref="InvalidOperationException">The selection compares classes.</exception>
    internal virtual Tensor WithoutComparing(Tensor labels) => throw new InvalidOperationException($"The target {Name} is chosen by comparing classes.");

    /// <summary>Computes the objective with respect to the target classes, shape [batch].</summary>
    /// <param name="objective">The objective.</param>
    /// <param name="logits">The logits z, shape [batch, classes].</param>
    /// <param name="labels">The labels y, int64, shape [batch].</param>
    /// <param name="targets">The target classes, int64, shape [batch].</param>
    internal abstract Tensor Values(IObjective objective, Tensor logits, Tensor labels, Tensor targets);

    /// <summary>Computes the margin by which each image is fooled, shape [batch]; negative if it is not fooled.</summary>
    /// <param name="logits">The logits z, shape [batch, classes].</param>
    /// <param name="labels">The labels y, int64, shape [batch].</param>
    /// <param name="targets">The target classes, int64, shape [batch].</param>
    internal virtual Tensor Margins(Tensor logits, Tensor labels, Tensor targets) => LogitGap.Instance.ValuesAwayFrom(logits, labels);

    /// <summary>Determines for each image whether it is fooled, bool, shape [batch]. A prediction of −1, which is no prediction, does not count.</summary>
    /// <param name="predictions">The predicted classes, int64, shape [batch].</param>
    /// <param name="labels">The labels y, int64, shape [batch].</param>
    /// <param name="targets">The target classes, int64, shape [batch].</param>
    internal abstract Tensor Fooled(Tensor predictions, Tensor labels, Tensor targets);

    /// <summary>Determines for each image whether the prediction differs from the label, bool, shape [batch].</summary>
    /// <param name="predictions">The predicted classes, int64, shape [batch].</param>
    /// <param name="labels">The labels y, int64, shape [batch].</param>
    private protected static Tensor Misclassified(Tensor predictions, Tensor labels)
    {
        using var scope = NewDisposeScope();
        return predictions.ne(labels).logical_and(predictions.ge(Scalars.Zero)).MoveToOuterDisposeScope();
    }
}

/// <summary>The chosen target class of each image, with the linear model of the logit gap.</summary>
/// <param name="Targets">The target classes t, int64, shape [batch]; −1 if no class is chosen.</param>
/// <param name="Gaps">The logit gaps f = z_t − z_y at the images, shape [batch]; t is the class with the largest other logit if no class is chosen.</param>
/// <param name="Gradients">The gradients ∇f at the images, shape [batch, …].</param>
/// <param name="BackwardPasses">The number of backward passes per image that the choice took.</param>
internal sealed record TargetChoice(Tensor Targets, Tensor Gaps, Tensor Gradients, int BackwardPasses);
