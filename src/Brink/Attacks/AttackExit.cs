namespace Brink.Attacks;

/// <summary>The reason why the attack on one image ended.</summary>
public enum AttackExit
{
    /// <summary>The image is fooled, confirmed by a fresh forward pass.</summary>
    Fooled,

    /// <summary>The image was misclassified before the attack and was not attacked.</summary>
    Misclassified,

    /// <summary>The image meets the criterion without an attack, or its label is its target class; the image was not attacked.</summary>
    Skipped,

    /// <summary>The image was not fooled within the maximum number of iterations.</summary>
    IterationLimit,

    /// <summary>The gradient of the objective is zero inside the bounds, so the attack has no direction to follow.</summary>
    ZeroGradient,

    /// <summary>A logit, a gradient or the Hessian was NaN or infinite.</summary>
    NotFinite,

    /// <summary>The attack fooled the image, but a fresh forward pass in another batch did not confirm it.</summary>
    Unconfirmed,

    /// <summary>The attack fooled the image, but no 8-bit image along its perturbation is fooled.</summary>
    Rounded,

    /// <summary>The image was not fooled within the maximum number of forward and backward passes.</summary>
    PassLimit,
}

/// <summary>Descriptions of the exit reasons for users.</summary>
public static class AttackExitDescriptions
{
    /// <summary>Describes an exit reason in one sentence, with advice where the user can do something about it.</summary>
    /// <param name="exit">The exit reason.</param>
    /// <returns>The sentence.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The value is not a member of <see cref="AttackExit"/>.</exception>
    public static string Describe(this AttackExit exit) => exit switch
    {
        AttackExit.Fooled => "Fooled: a fresh forward pass confirmed the adversarial image.",
        AttackExit.Misclassified => "Not attacked: the image was misclassified before the attack.",
        AttackExit.Skipped => "Not attacked: the image meets the criterion already, or its label is the target class.",
        AttackExit.IterationLimit => "Not fooled within the iteration limit; allow more iterations, longer steps or longer perturbations.",
        AttackExit.ZeroGradient => "Not fooled: the gradient is zero inside the bounds; check for saturated outputs, such as probabilities instead of logits.",
        AttackExit.NotFinite => "Not fooled: a logit, a gradient or the Hessian was NaN or infinite; check the model for overflow.",
        AttackExit.Unconfirmed => "Not fooled: a fresh forward pass did not confirm the result, because of rounding; increase the overshoot or the confidence, if the attack has one.",
        AttackExit.Rounded => "Not fooled: no 8-bit image along the perturbation is fooled, at any scale up to ten.",
        AttackExit.PassLimit => "Not fooled within the limit of passes; allow more passes.",
        _ => throw new ArgumentOutOfRangeException(nameof(exit), exit, "This exit reason does not exist."),
    };
}
