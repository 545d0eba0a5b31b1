using static TorchSharp.torch;

namespace Brink;

/// <summary>The logarithm of the target's probability, log softmax(z)_t: minus the cross-entropy toward the attacked class. Where any class will do, the label's own cross-entropy, −log softmax(z)_y.</summary>
/// <remarks>
/// With an attacked class it is raised there rather than lowered at the label: where the classifier is sure, the label's own cross-entropy is
/// flat (its gradient vanishes with 1 − p_y), while this one is steep. It has no zero on the decision boundary, so every step uses the whole radius.
/// </remarks>
public sealed class CrossEntropy : IObjective
{
    private CrossEntropy()
    {
    }

    /// <summary>The one instance; it has no state.</summary>
    public static CrossEntropy Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "cross-entropy";

    /// <inheritdoc/>
    public bool IsZeroOnBoundary => false;

    /// <inheritdoc/>
    public bool IsLinear => false;

    /// <inheritdoc/>
    public Tensor Values(Tensor logits, Tensor targets, Tensor rivals)
    {
        using var scope = NewDisposeScope();
        return logits.log_softmax(1).gather(1, targets.unsqueeze(1)).squeeze(1).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor ValuesAwayFrom(Tensor logits, Tensor labels)
    {
        using var scope = NewDisposeScope();
        return Values(logits, labels, labels).neg().MoveToOuterDisposeScope();
    }
}
