using static TorchSharp.torch;

namespace Brink;

/// <summary>The condition under which an image counts as fooled: a function of the logits that is positive exactly where the condition is met.</summary>
/// <remarks>
/// An attack increases the margins of its criterion, and the same margins decide about success. A class of your own derives from this one and
/// implements <see cref="Margins"/>; it may keep data per image, which it finds by the index of the image in the data set.
/// </remarks>
public abstract class Criterion
{
    /// <summary>The criterion that the prediction differs from the label.</summary>
    /// <value>The margin is the logit gap max_{j≠y} z_j − z_y.</value>
    public static Criterion Misclassification { get; } = new MisclassificationCriterion(confidence: 0);

    /// <summary>The name in result files: <c>misclassified</c>, <c>target-class</c>, or <c>custom</c> for a criterion of your own.</summary>
    public string Name => StoredName ?? "custom";

    /// <summary>The name of a criterion that can be restored from result files; null for another.</summary>
    internal virtual string? StoredName => null;

    /// <summary>The smallest probability of the class that fools an image; 0 if its logit only has to be the largest.</summary>
    internal virtual double Confidence => 0;

    /// <summary>Indicates whether every class other than the label meets the criterion, so that classes can be compared.</summary>
    internal virtual bool ComparesClasses => false;

    /// <summary>Indicates whether the criterion is about the predicted class, for which the cross-entropy is defined.</summary>
    internal virtual bool IsAboutClasses => false;

    /// <summary>Indicates whether the margins are linear in the logits, so that they have no curvature if the network is piecewise linear.</summary>
    internal virtual bool IsLinear => false;

    /// <summary>Creates the criterion that the prediction differs from the label with at least a given probability.</summary>
    /// <param name="confidence">The probability, between 0 and 1, that the softmax must give to the predicted class.</param>
    /// <returns>The criterion.</returns>
    /// <exception cref="BadInputException">The probability is not between 0 and 1.</exception>
    public static Criterion MisclassificationWith(double confidence) => new MisclassificationCriterion(CheckConfidence(confidence));

    /// <summary>Creates the criterion that the prediction of every image is one class.</summary>
    /// <param name="target">The class t, from 0.</param>
    /// <param name="confidence">The probability, between 0 and 1, that the softmax must give to the class; 0 for any.</param>
    /// <returns>The criterion. Its margin is z_t − max_{j≠t} z_j.</returns>
    /// <exception cref="BadInputException">The probability is not between 0 and 1.</exception>
    public static Criterion TargetClass(int target, double confidence = 0) => new TargetClassCriterion([target], isSame: true, CheckConfidence(confidence));

    /// <summary>Creates the criterion that the prediction of each image is a class of its own.</summary>
    /// <param name="targets">The class t of each image, by the index of the image in the data set.</param>
    /// <param name="confidence">The probability, between 0 and 1, that the softmax must give to the class; 0 for any.</param>
    /// <returns>The criterion. Its margin is z_t − max_{j≠t} z_j.</returns>
    /// <exception cref="BadInputException">The probability is not between 0 and 1.</exception>
    public static Criterion TargetClasses(IReadOnlyList<long> targets, double confidence = 0)
    {
        ArgumentNullException.ThrowIfNull(targets);
        return new TargetClassCriterion([.. targets], isSame: false, CheckConfidence(confidence));
    }

    /// <summary>Computes the margin by which each image meets the criterion, differentiable with respect to the logits.</summary>
    /// <remarks>The margin of an image must not depend on the other images.</remarks>
    /// <param name="logits">The logits z, shape [rows, classes].</param>
    /// <param name="labels">The labels y, int64, shape [rows].</param>
    /// <param name="indices">The index of each image in its data set, int64, shape [rows].</param>
    /// <returns>The margins, shape [rows]: positive exactly where the criterion is met.</returns>
    public abstract Tensor Margins(Tensor logits, Tensor labels, Tensor indices);

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>Computes the margin by which one class of each image meets the criterion, shape [rows]; only with <see cref="ComparesClasses"/>.</summary>
    /// <param name="logits">The logits z, shape [rows, classes].</param>
    /// <param name="labels">The labels y, int64, shape [rows].</param>
    /// <param name="classes">The classes t, int64, shape [rows].</param>
    internal virtual Tensor MarginsToward(Tensor logits, Tensor labels, Tensor classes) => throw new InvalidOperationException($"The criterion {Name} does not compare classes.");

    /// <summary>Returns the target classes, int64, shape [rows]; null if the criterion has none.</summary>
    /// <param name="indices">The index of each image in its data set, int64, shape [rows].</param>
    internal virtual Tensor? Targets(Tensor indices) => null;

    /// <summary>Returns an equal criterion whose data are on a device, in the dispose scope of the caller; this one if it has none.</summary>
    /// <param name="device">The device.</param>
    internal virtual Criterion PreparedFor(Device device) => this;

    /// <summary>Checks that a classifier has the classes of the criterion, before the first pass.</summary>
    /// <param name="classifier">The classifier to attack.</param>
    /// <param name="indices">The index of each image in its data set.</param>
    /// <exception cref="BadInputException">A class does not exist, or an image has none.</exception>
    internal virtual void Check(IClassifier classifier, IEnumerable<long> indices)
    {
    }

    /// <summary>Computes the margins and checks their shape.</summary>
    /// <param name="logits">The logits z, shape [rows, classes].</param>
    /// <param name="labels">The labels y, int64, shape [rows].</param>
    /// <param name="indices">The index of each image in its data set, int64, shape [rows].</param>
    /// <returns>The margins, of the type of the logits, shape [rows].</returns>
    /// <exception cref="BadInputException">The criterion does not return one margin per image.</exception>
    internal Tensor CheckedMargins(Tensor logits, Tensor labels, Tensor indices)
    {
        var margins = Margins(logits, labels, indices);
        return margins is null || margins.dim() != 1 || margins.shape[0] != logits.shape[0]
            ? throw new BadInputException($"A criterion must return one margin per image, shape [{logits.shape[0]}], but {GetType().Name} returned {(margins is null ? "null" : $"the shape [{string.Join(", ", margins.shape)}]")}.")
            : logits.requires_grad && !margins.requires_grad
            ? throw new BadInputException($"The margins of a criterion must be differentiable with respect to the logits, but those of {GetType().Name} are not; remove comparisons, argmax, round and detach from it.")
            : margins.dtype == logits.dtype ? margins : margins.to(logits.dtype);
    }

    /// <summary>Determines for each image whether it is not attacked although it is classified correctly, bool, shape [rows]: it meets the criterion already, or its label is its target class.</summary>
    /// <param name="logits">The logits z, shape [rows, classes].</param>
    /// <param name="labels">The labels y, int64, shape [rows].</param>
    /// <param name="indices">The index of each image in its data set, int64, shape [rows].</param>
    internal Tensor Skips(Tensor logits, Tensor labels, Tensor indices) => Scoped(() =>
        Targets(indices) is { } targets ? IsMet(logits, labels, indices).logical_or(targets.eq(labels)) : IsMet(logits, labels, indices));

    /// <summary>Determines for each image whether the criterion is met, bool, shape [rows]. Logits that give no prediction do not meet it.</summary>
    /// <param name="logits">The logits z, shape [rows, classes].</param>
    /// <param name="labels">The labels y, int64, shape [rows].</param>
    /// <param name="indices">The index of each image in its data set, int64, shape [rows].</param>
    internal Tensor IsMet(Tensor logits, Tensor labels, Tensor indices) => Scoped(() =>
        CheckedMargins(logits.detach(), labels, indices).gt(Scalars.Zero).logical_and(ForwardPass.HasPrediction(logits)));

    /// <summary>Reduces logit gaps so that they are positive only where the softmax gives a class the required probability.</summary>
    /// <param name="gaps">The logit gaps of the classes, shape [rows].</param>
    /// <param name="logits">The logits z, shape [rows, classes].</param>
    /// <param name="classes">The classes t, int64, shape [rows].</param>
    /// <param name="confidence">The required probability p; 0 for any.</param>
    /// <returns>min(gap, log(p_t / (1 − p_t)) − log(p / (1 − p))), shape [rows].</returns>
    private protected static Tensor WithConfidence(Tensor gaps, Tensor logits, Tensor classes, double confidence) => confidence == 0
        ? gaps
        : Scoped(() => minimum(gaps, CrossEntropy.OthersOver(logits, classes).neg().Plus(-Math.Log(confidence / (1 - confidence)))));

    private static double CheckConfidence(double confidence) => confidence is >= 0 and < 1
        ? confidence
        : throw new BadInputException(FormattableString.Invariant($"The confidence is a probability, at least 0 and less than 1, but {confidence} was given."));
}

/// <summary>The criterion that the prediction differs from the label.</summary>
/// <param name="confidence">The probability that the softmax must give to the predicted class; 0 for any.</param>
internal sealed class MisclassificationCriterion(double confidence) : Criterion
{
    internal override string StoredName => "misclassified";

    internal override double Confidence => confidence;

    internal override bool ComparesClasses => true;

    internal override bool IsAboutClasses => true;

    internal override bool IsLinear => confidence == 0;

    public override Tensor Margins(Tensor logits, Tensor labels, Tensor indices) => Scoped(() => MarginsToward(logits, labels, LogitGap.StrongestOther(logits, labels)));

    internal override Tensor MarginsToward(Tensor logits, Tensor labels, Tensor classes) => Scoped(() => WithConfidence(LogitGap.Of(logits, classes, labels), logits, classes, confidence));
}

/// <summary>The criterion that the prediction is a given class.</summary>
/// <param name="targets">The class of all images, or the class of each image by its index in the data set.</param>
/// <param name="isSame">A value that indicates whether all images have the same class.</param>
/// <param name="confidence">The probability that the softmax must give to the class; 0 for any.</param>
internal sealed class TargetClassCriterion(long[] targets, bool isSame, double confidence) : Criterion
{
    private Tensor? _onDevice;

    internal override string StoredName => "target-class";

    internal override double Confidence => confidence;

    internal override bool IsAboutClasses => true;

    internal override bool IsLinear => confidence == 0;

    /// <summary>The number that stands for no target class.</summary>
    public const long None = -1;

    // Measured against the largest other logit: exceeding the logit of the label is not enough if that of a third class is larger still.
    public override Tensor Margins(Tensor logits, Tensor labels, Tensor indices) => Scoped(() =>
    {
        var classes = Targets(indices);
        return WithConfidence(LogitGap.Of(logits, classes, LogitGap.StrongestOther(logits, classes)), logits, classes, confidence);
    });

    internal override Tensor Targets(Tensor indices) => isSame ? indices.Filled(targets[0]) : _onDevice?.index_select(0, indices) ?? tensor(Array.ConvertAll(indices.ToLongs(), index => targets[index]), device: indices.device);

    internal override Criterion PreparedFor(Device device) => isSame ? this : new TargetClassCriterion(targets, isSame, confidence) { _onDevice = tensor(targets, device: device) };

    internal override void Check(IClassifier classifier, IEnumerable<long> indices)
    {
        foreach (var index in isSame ? [0] : indices)
        {
            if (index < 0 || index >= targets.Length || (!isSame && targets[index] == None))
            {
                throw new BadInputException($"Every image needs a target class, but image {index} has none; add it, or attack other images.");
            }

            if (targets[index] < 0 || targets[index] >= classifier.ClassCount)
            {
                throw new BadInputException($"The target class{(isSame ? "" : $" of image {index}")} must be one of the {classifier.ClassCount} classes of {classifier.Name}, 0 to {classifier.ClassCount - 1}, but {targets[index]} was given.");
            }
        }
    }
}
