namespace Brink.Attacks;

/// <summary>Says each <see cref="AttackExit"/> in a sentence.</summary>
public static class AttackExitDescriptions
{
    /// <summary>What happened, and what to do about it where there is something to do.</summary>
    public static string Describe(this AttackExit exit) => exit switch
    {
        AttackExit.Fooled => "Fooled: the perturbed image gets another answer.",
        AttackExit.Misclassified => "Not attacked: the classifier was wrong to begin with.",
        AttackExit.Skipped => "Not attacked: the label already is the class to reach.",
        AttackExit.IterationLimit => "Not fooled within the iterations; allow more of them, or longer steps or perturbations.",
        AttackExit.ZeroGradient => "Not fooled: the gradient vanished inside the bounds; check for saturated outputs such as probabilities instead of logits.",
        AttackExit.NotFinite => "Not fooled: a logit, a gradient or the curvature was not a finite number; check the network for overflow.",
        AttackExit.Unconfirmed => "Not fooled: rounding decided, and a fresh pass decided otherwise; a larger overshoot or confidence helps where the attack has one.",
        AttackExit.Rounded => "Not fooled: the perturbation that was found does not survive rounding to 8 bits at any scale up to ten.",
        _ => throw new ArgumentOutOfRangeException(nameof(exit), exit, "There is no such ending."),
    };
}
