using static TorchSharp.torch;

namespace Brink;

/// <summary>Which class an attack goes for, and when an image counts as fooled.</summary>
public abstract class TargetSelection
{
    /// <summary>The class nearest to the image by linearised distance.</summary>
    public static TargetSelection Best { get; } = new LinearizedTarget(farthest: false);

    /// <summary>The farthest class by linearised distance.</summary>
    public static TargetSelection Hardest { get; } = new LinearizedTarget(farthest: true);

    /// <summary>Whichever class but the label has the largest logit at the moment; none is chosen.</summary>
    public static TargetSelection Untargeted { get; } = new NoTarget();

    /// <summary>The name as the command line writes it.</summary>
    public abstract string Name { get; }

    /// <summary>When an image counts as fooled, as results name it: <c>misclassified</c> or <c>target-class</c>.</summary>
    public abstract string Criterion { get; }

    /// <summary>Always the class with this number.</summary>
    /// <param name="classIndex">The class, from 0.</param>
    public static TargetSelection Given(int classIndex) => new GivenTarget(classIndex);

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>Whether choosing compares several classes, with a backward pass for each.</summary>
    internal abstract bool ComparesClasses { get; }

    /// <summary>Refuses what the classifier cannot offer, before any work.</summary>
    /// <exception cref="BadInputException">The class does not exist.</exception>
    internal abstract void Check(IClassifier classifier);

    /// <summary>Whether an image with this label cannot be attacked, because it already is in the attacked class.</summary>
    internal abstract bool Skips(long label);

    /// <summary>Chooses a class for each image.</summary>
    /// <param name="pass">The images; its graph is kept for further gradients.</param>
    /// <param name="labels">y, int64 [batch].</param>
    /// <param name="norm">The norm of the attack.</param>
    /// <param name="candidates">Among how many classes other than the label, those with the largest logits.</param>
    /// <param name="origins">From where best and hardest measure distances, [batch, …]; null for the points of the pass.</param>
    internal abstract TargetChoice Choose(ForwardPass pass, Tensor labels, Norm norm, int candidates, Tensor? origins = null);

    /// <summary>The classes where none is compared with another, int64 [batch]: the given one, or −1.</summary>
    /// <exception cref="InvalidOperationException">The selection compares classes.</exception>
    internal virtual Tensor WithoutComparing(Tensor labels) => throw new InvalidOperationException($"The target {Name} is chosen by comparing classes.");

    /// <summary>What an attack raises to reach the chosen classes, [batch].</summary>
    /// <param name="objective">The objective.</param>
    /// <param name="logits">z, [batch, classes].</param>
    /// <param name="labels">y, int64 [batch].</param>
    /// <param name="targets">What <see cref="Choose"/> chose, int64 [batch].</param>
    internal abstract Tensor Values(IObjective objective, Tensor logits, Tensor labels, Tensor targets);

    /// <summary>By how much the logits meet what counts as fooled, negative where they do not, [batch]: away from the label, unless a class is given.</summary>
    internal virtual Tensor Margins(Tensor logits, Tensor labels, Tensor targets) => LogitGap.Instance.ValuesAwayFrom(logits, labels);

    /// <summary>Whether each image is fooled, [batch] of bool. A prediction of −1, no prediction, never fools.</summary>
    internal abstract Tensor Fooled(Tensor predictions, Tensor labels, Tensor targets);

    /// <summary>Whether each image gets another answer than its label, [batch] of bool.</summary>
    private protected static Tensor Misclassified(Tensor predictions, Tensor labels)
    {
        using var scope = NewDisposeScope();
        return predictions.ne(labels).logical_and(predictions.ge(Scalars.Zero)).MoveToOuterDisposeScope();
    }
}
