namespace Brink.Attacks;

/// <summary>What the attack did to one image.</summary>
public sealed record Outcome
{
    /// <summary>y.</summary>
    public required long Label { get; init; }

    /// <summary>The predicted class before the attack; −1 where the logits were not finite.</summary>
    public required long PredictionBefore { get; init; }

    /// <summary>The predicted class of the image the attack returns: in a fresh pass where it is fooled, else the class before.</summary>
    public required long PredictionAfter { get; init; }

    /// <summary>t, the attacked class; −1 where none was chosen.</summary>
    public required long Target { get; init; }

    /// <summary>How it ended.</summary>
    public required AttackExit Exit { get; init; }

    /// <summary>‖x′ − x‖₂ in the space of the attack; 0 where the image was not fooled.</summary>
    public required double L2 { get; init; }

    /// <summary>‖x′ − x‖_∞ in the space of the attack; 0 where the image was not fooled.</summary>
    public required double LInf { get; init; }

    /// <summary>‖x′ − x‖_p / ‖x‖_p in the norm and space of the attack; infinite for an image of length 0 that was perturbed.</summary>
    public required double Relative { get; init; }

    /// <summary>Steps taken.</summary>
    public required int Iterations { get; init; }

    /// <summary>Forward passes, the first classification and the choice of class included, the final check not.</summary>
    public required int Forwards { get; init; }

    /// <summary>Backward passes, the choice of class included.</summary>
    public required int Backwards { get; init; }

    /// <summary>Products of a vector with the Hessian. An exact one costs about two passes besides; one by finite differences is two forward and two backward passes, which are counted as such too.</summary>
    public int Products { get; init; }

    /// <summary>Whether a fresh pass confirmed that the perturbed image is fooled.</summary>
    public bool Fooled => Exit == AttackExit.Fooled;

    /// <summary>Whether the image was attacked: classified correctly, and not already in the class to reach.</summary>
    public bool Attacked => Exit is not (AttackExit.Misclassified or AttackExit.Skipped);
}
