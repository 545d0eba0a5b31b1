using System.Globalization;
using static TorchSharp.torch;

namespace Brink;

/// <summary>The selection of one given class for all images. An image is fooled if the prediction is that class.</summary>
/// <param name="classIndex">The class, from 0.</param>
internal sealed class GivenClassSelection(int classIndex) : TargetSelection
{
    public override string Name => classIndex.ToString(CultureInfo.InvariantCulture);

    public override string Criterion => "target-class";

    internal override bool ComparesClasses => false;

    internal override void Check(IClassifier classifier)
    {
        if (classIndex < 0 || classIndex >= classifier.ClassCount)
        {
            throw new BadInputException($"The target class must be one of the {classifier.ClassCount} classes of {classifier.Name}, 0 to {classifier.ClassCount - 1}, but {classIndex} was given.");
        }
    }

    internal override bool Skips(long label) => label == classIndex;

    internal override TargetChoice Choose(ForwardPass pass, Tensor labels, Norm norm, int candidates, Tensor? origins = null)
    {
        var targets = WithoutComparing(labels);
        using var gaps = Values(LogitGap.Instance, pass.Logits, labels, targets);
        return new(targets, gaps.detach().clone(), pass.Gradients(gaps, keepGraph: true), BackwardPasses: 1);
    }

    // Measured against the largest other logit: exceeding the logit of the label is not enough if that of a third class is larger still.
    internal override Tensor Values(IObjective objective, Tensor logits, Tensor labels, Tensor targets)
    {
        using var scope = NewDisposeScope();
        return objective.Values(logits, targets, LogitGap.StrongestOther(logits, targets)).MoveToOuterDisposeScope();
    }

    internal override Tensor WithoutComparing(Tensor labels)
    {
        using var given = Scalars.Of(classIndex);
        return full_like(labels, given);
    }

    internal override Tensor Margins(Tensor logits, Tensor labels, Tensor targets) => Values(LogitGap.Instance, logits, labels, targets);

    internal override Tensor Fooled(Tensor predictions, Tensor labels, Tensor targets) => predictions.eq(targets);
}
