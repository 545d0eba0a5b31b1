namespace Brink.Attacks;

/// <summary>How an image's attack ended.</summary>
public enum AttackExit
{
    /// <summary>The image is fooled, and a fresh pass confirmed it.</summary>
    Fooled,

    /// <summary>The classifier was wrong to begin with; the image was not attacked.</summary>
    Misclassified,

    /// <summary>The image's label is the class the attack goes for; the image was not attacked.</summary>
    Skipped,

    /// <summary>The iterations ran out.</summary>
    IterationLimit,

    /// <summary>The objective is flat at the current point, inside the bounds: there is no direction to go.</summary>
    ZeroGradient,

    /// <summary>A logit, a gradient or the curvature was not a finite number.</summary>
    NotFinite,

    /// <summary>The attack had fooled the image, but a fresh pass, in another batch, did not confirm it.</summary>
    Unconfirmed,

    /// <summary>The attack had fooled the image, but no 8-bit image along its perturbation does.</summary>
    Rounded,
}
