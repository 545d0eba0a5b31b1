using static TorchSharp.torch;

namespace Brink;

/// <summary>The selection of no class: at each point, the objective is that of the class other than the label with the largest logit.</summary>
internal sealed class UntargetedSelection : TargetSelection
{
    public override string Name => "untargeted";

    public override string Criterion => "misclassified";

    internal override bool ComparesClasses => false;

    internal override void Check(IClassifier classifier)
    {
    }

    internal override bool Skips(long label) => false;

    internal override TargetChoice Choose(ForwardPass pass, Tensor labels, Norm norm, int candidates, Tensor? origins = null)
    {
        using var gaps = LogitGap.Instance.ValuesAwayFrom(pass.Logits, labels);
        return new(WithoutComparing(labels), gaps.detach().clone(), pass.Gradients(gaps, keepGraph: true), BackwardPasses: 1);
    }

    internal override Tensor WithoutComparing(Tensor labels) => full_like(labels, Scalars.MinusOne);

    internal override Tensor Values(IObjective objective, Tensor logits, Tensor labels, Tensor targets) => objective.ValuesAwayFrom(logits, labels);

    internal override Tensor Fooled(Tensor predictions, Tensor labels, Tensor targets) => Misclassified(predictions, labels);
}
