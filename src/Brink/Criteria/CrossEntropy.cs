using static TorchSharp.torch;

namespace Brink;

/// <summary>The cross-entropy as objective of an attack: log softmax(z)_t with a target class t, −log softmax(z)_y without one.</summary>
/// <remarks>
/// <para>
/// With a target class, the objective is the log probability of that class, because the cross-entropy of the label is flat where the classifier
/// is confident: its gradient vanishes with 1 − softmax(z)_y.
/// </para>
/// <para>
/// It is computed as log(1 + exp(d)) with d = log Σ_{j≠y} exp(z_j) − z_y, whose gradient has the correct direction also where softmax(z)_y
/// rounds to 1. Where that gradient would underflow as well, the logit gap replaces the objective of an attack without target class.
/// </para>
/// </remarks>
internal static class CrossEntropy
{
    /// <summary>Computes log softmax(z)_t, shape [batch], differentiable.</summary>
    /// <param name="logits">The logits z, shape [batch, classes].</param>
    /// <param name="targets">The target classes t, int64, shape [batch].</param>
    public static Tensor Toward(Tensor logits, Tensor targets) => Scoped(() => Losses(OthersOver(logits, targets)).neg());

    /// <summary>Computes −log softmax(z)_y, or the logit gap where its gradient would underflow, shape [batch], differentiable.</summary>
    /// <param name="logits">The logits z, shape [batch, classes].</param>
    /// <param name="labels">The labels y, int64, shape [batch].</param>
    public static Tensor AwayFrom(Tensor logits, Tensor labels) => Scoped(() =>
    {
        var others = OthersOver(logits, labels);
        return where(Underflows(others), LogitGap.AwayFrom(logits, labels), Losses(others));
    });

    /// <summary>Determines for each image whether the gradient of −log softmax(z)_y underflows, bool, shape [batch].</summary>
    /// <param name="logits">The logits z, shape [batch, classes].</param>
    /// <param name="labels">The labels y, int64, shape [batch].</param>
    public static Tensor Underflows(Tensor logits, Tensor labels) => Scoped(() => Underflows(OthersOver(logits.detach(), labels)));

    /// <summary>Computes d = log Σ_{j≠c} exp(z_j) − z_c for a class c of each image, shape [batch], differentiable: the negative log odds of the class.</summary>
    /// <param name="logits">The logits z, shape [batch, classes].</param>
    /// <param name="classes">The classes c, int64, shape [batch].</param>
    public static Tensor OthersOver(Tensor logits, Tensor classes) => Scoped(() =>
        LogitGap.Without(logits, classes).logsumexp(1).sub(logits.gather(1, classes.unsqueeze(1)).squeeze(1)));

    /// <summary>Determines for each image whether exp(d), the factor of the gradient, is so small that its products with derivatives of the network may lose digits.</summary>
    private static Tensor Underflows(Tensor others)
    {
        var type = finfo(others.dtype);
        using var smallest = Scalars.Of(Math.Log(type.tiny / type.eps));
        using var detached = others.detach();
        return detached.lt(smallest);
    }

    /// <summary>Computes the cross-entropy −log softmax(z)_c = log(1 + exp(d)), shape [batch].</summary>
    private static Tensor Losses(Tensor others)
    {
        using var zeros = zeros_like(others);
        return others.logaddexp(zeros);
    }
}

/// <summary>Differences of two logits.</summary>
internal static class LogitGap
{
    /// <summary>Computes z_t − z_r, shape [batch], differentiable.</summary>
    /// <param name="logits">The logits z, shape [batch, classes].</param>
    /// <param name="targets">The classes t, int64, shape [batch].</param>
    /// <param name="rivals">The classes r, int64, shape [batch].</param>
    public static Tensor Of(Tensor logits, Tensor targets, Tensor rivals) => Scoped(() =>
        logits.gather(1, targets.unsqueeze(1)).sub(logits.gather(1, rivals.unsqueeze(1))).squeeze(1));

    /// <summary>Computes max_{j≠y} z_j − z_y, shape [batch], differentiable.</summary>
    /// <param name="logits">The logits z, shape [batch, classes].</param>
    /// <param name="labels">The labels y, int64, shape [batch].</param>
    public static Tensor AwayFrom(Tensor logits, Tensor labels) => Scoped(() => Of(logits, StrongestOther(logits, labels), labels));

    /// <summary>Returns the class with the largest logit other than a given class, int64, shape [batch].</summary>
    /// <param name="logits">The logits z, shape [batch, classes].</param>
    /// <param name="classes">The class to leave out of each image, int64, shape [batch].</param>
    public static Tensor StrongestOther(Tensor logits, Tensor classes) => Scoped(() => Without(logits.detach(), classes).argmax(1));

    /// <summary>Replaces the logit of one class of each image by negative infinity, shape [batch, classes], differentiable.</summary>
    /// <param name="logits">The logits z, shape [batch, classes].</param>
    /// <param name="classes">The class to leave out of each image, int64, shape [batch].</param>
    public static Tensor Without(Tensor logits, Tensor classes) => Scoped(() =>
    {
        var columns = classes.unsqueeze(1);
        return logits.scatter(1, columns, full_like(columns, Scalars.NegativeInfinity, dtype: logits.dtype));
    });
}
