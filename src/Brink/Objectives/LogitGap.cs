using static TorchSharp.torch;

namespace Brink.Objectives;

/// <summary>The logit gap f = z_t − z_y, negative while the classifier is right (docs/notation.md).</summary>
public sealed class LogitGap : IObjective
{
    private LogitGap()
    {
    }

    /// <summary>The one instance; it has no state.</summary>
    public static LogitGap Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "gap";

    /// <inheritdoc/>
    public bool IsZeroOnBoundary => true;

    /// <inheritdoc/>
    public Tensor Values(Tensor logits, Tensor targets, Tensor rivals)
    {
        using var scope = NewDisposeScope();
        var target = logits.gather(1, targets.unsqueeze(1));
        var rival = logits.gather(1, rivals.unsqueeze(1));
        return target.sub(rival).squeeze(1).MoveToOuterDisposeScope();
    }
}
