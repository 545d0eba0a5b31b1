namespace Brink.Training;

/// <summary>Which class a trust-region step goes for.</summary>
/// <remarks>The attack of that name compares the linearised distances of all classes, at a backward pass for each; in training the logits alone decide, which costs nothing.</remarks>
public enum AdversarialTarget
{
    /// <summary>The class with the largest logit but the label's.</summary>
    Best,

    /// <summary>The class with the smallest.</summary>
    Hardest,
}
