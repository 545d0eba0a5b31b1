using static TorchSharp.torch;

namespace Brink;

/// <summary>The logit gap f = z_t − z_y, negative while the image is classified correctly.</summary>
/// <remarks>Yao et al. (2019), §3. In an untargeted attack, t is the class other than the label with the largest logit at each point.</remarks>
public sealed class LogitGap : IObjective
{
    private LogitGap()
    {
    }

    /// <summary>The shared instance, which has no state.</summary>
    public static LogitGap Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "gap";

    /// <inheritdoc/>
    public bool IsZeroOnBoundary => true;

    /// <inheritdoc/>
    public bool IsLinear => true;

    /// <inheritdoc/>
    public Tensor Values(Tensor logits, Tensor targets, Tensor rivals)
    {
        using var scope = NewDisposeScope();
        var target = logits.gather(1, targets.unsqueeze(1));
        var rival = logits.gather(1, rivals.unsqueeze(1));
        return target.sub(rival).squeeze(1).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor ValuesAwayFrom(Tensor logits, Tensor labels)
    {
        using var scope = NewDisposeScope();
        return Values(logits, StrongestOther(logits, labels), labels).MoveToOuterDisposeScope();
    }

    /// <summary>Returns the class with the largest logit other than a given class, int64, shape [batch].</summary>
    /// <param name="logits">The logits z, shape [batch, classes].</param>
    /// <param name="classes">The class to leave out of each image, int64, shape [batch].</param>
    internal static Tensor StrongestOther(Tensor logits, Tensor classes)
    {
        using var scope = NewDisposeScope();
        return logits.detach().scatter(1, classes.unsqueeze(1), full_like(classes, Scalars.NegativeInfinity, dtype: logits.dtype).unsqueeze(1)).argmax(1).MoveToOuterDisposeScope();
    }
}
