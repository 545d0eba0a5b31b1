using static TorchSharp.torch;

namespace Brink;

/// <summary>The cross-entropy as objective: log softmax(z)_t with a target class t, −log softmax(z)_y in an untargeted attack.</summary>
/// <remarks>
/// With a target class, the objective is the log probability of that class, because the cross-entropy of the label is flat where the classifier
/// is confident: its gradient vanishes with 1 − softmax(z)_y. The objective has no zero on the decision boundary, so every step uses the whole radius.
/// </remarks>
public sealed class CrossEntropy : IObjective
{
    private CrossEntropy()
    {
    }

    /// <summary>The shared instance, which has no state.</summary>
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
