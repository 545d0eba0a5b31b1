namespace Brink.Attacks;

/// <summary>What the change of the objective is compared with (docs/decisions/0001).</summary>
public enum RatioDefinition
{
    /// <summary>The change that the local model predicted for the step actually taken: 1 when the model is exact, whatever the units.</summary>
    PredictedChange,

    /// <summary>The authors' code: how far the label's logit fell, divided by the length of the step before overshoot.</summary>
    LabelLogitPerLength,
}
