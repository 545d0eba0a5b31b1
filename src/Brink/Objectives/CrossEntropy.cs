using Brink.Attacks;
using static TorchSharp.torch;

namespace Brink;

/// <summary>The cross-entropy as objective: log softmax(z)_t with a target class t, −log softmax(z)_y in an untargeted attack.</summary>
/// <remarks>
/// <para>
/// With a target class, the objective is the log probability of that class, because the cross-entropy of the label is flat where the classifier
/// is confident: its gradient vanishes with 1 − softmax(z)_y. The objective has no zero on the decision boundary, so every step uses the whole radius.
/// </para>
/// <para>
/// It is computed as log(1 + exp(d)) with d = log Σ_{j≠y} exp(z_j) − z_y, whose gradient has the correct direction also where softmax(z)_y
/// rounds to 1. Where that gradient would underflow as well, the logit gap replaces the objective of an untargeted attack
/// (<see cref="Outcome.Underflowed"/>).
/// </para>
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
        return Losses(OthersOver(logits, targets)).neg().MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor ValuesAwayFrom(Tensor logits, Tensor labels)
    {
        using var scope = NewDisposeScope();
        var others = OthersOver(logits, labels);
        return where(Underflows(others), LogitGap.Instance.ValuesAwayFrom(logits, labels), Losses(others)).MoveToOuterDisposeScope();
    }

    /// <summary>Determines for each image whether the gradient of the cross-entropy of the label underflows, bool, shape [batch].</summary>
    /// <param name="logits">The logits z, shape [batch, classes].</param>
    /// <param name="labels">The labels y, int64, shape [batch].</param>
    internal static Tensor Underflows(Tensor logits, Tensor labels)
    {
        using var scope = NewDisposeScope();
        return Underflows(OthersOver(logits.detach(), labels)).MoveToOuterDisposeScope();
    }

    /// <summary>Determines for each image whether exp(d), the factor of the gradient, is so small that its products with derivatives of the network may lose digits.</summary>
    private static Tensor Underflows(Tensor others)
    {
        var type = finfo(others.dtype);
        using var smallest = Scalars.Of(Math.Log(type.tiny / type.eps));
        using var detached = others.detach();
        return detached.lt(smallest);
    }

    /// <summary>Computes d = log Σ_{j≠c} exp(z_j) − z_c for a class c of each image, shape [batch].</summary>
    private static Tensor OthersOver(Tensor logits, Tensor classes)
    {
        using var scope = NewDisposeScope();
        var columns = classes.unsqueeze(1);
        var others = logits.scatter(1, columns, full_like(columns, Scalars.NegativeInfinity, dtype: logits.dtype)).logsumexp(1);
        return others.sub(logits.gather(1, columns).squeeze(1)).MoveToOuterDisposeScope();
    }

    /// <summary>Computes the cross-entropy −log softmax(z)_c = log(1 + exp(d)), shape [batch].</summary>
    private static Tensor Losses(Tensor others)
    {
        using var zeros = zeros_like(others);
        return others.logaddexp(zeros);
    }
}
