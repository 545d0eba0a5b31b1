using static TorchSharp.torch;

namespace Brink.Targets;

/// <summary>Which class an attack goes for, and when an image counts as fooled.</summary>
public abstract class TargetSelection
{
    /// <summary>How many other classes best and hardest choose among, the likeliest first.</summary>
    /// <value>9 (the authors' code: all others of CIFAR-10, the likeliest of ImageNet).</value>
    public const int DefaultCandidates = 9;

    /// <summary>The class nearest to the image by linearised distance.</summary>
    /// <param name="candidates">Among how many classes other than the label, those with the largest logits; at least 1.</param>
    public static TargetSelection Best(int candidates = DefaultCandidates) => new LinearizedTarget(farthest: false, candidates);

    /// <summary>The farthest class by linearised distance.</summary>
    /// <param name="candidates">Among how many classes other than the label, those with the largest logits; at least 1.</param>
    public static TargetSelection Hardest(int candidates = DefaultCandidates) => new LinearizedTarget(farthest: true, candidates);

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
    internal abstract TargetChoice Choose(ForwardPass pass, Tensor labels, Norm norm);

    /// <summary>The classes that the targets have to overtake, int64 [batch].</summary>
    internal abstract Tensor Rivals(Tensor logits, Tensor labels, Tensor targets);

    /// <summary>Whether each image is fooled, [batch] of bool. A prediction of −1, no prediction, never fools.</summary>
    internal abstract Tensor Fooled(Tensor predictions, Tensor labels, Tensor targets);
}
