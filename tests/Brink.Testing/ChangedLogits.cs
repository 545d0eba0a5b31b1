using static TorchSharp.torch;

namespace Brink.Testing;

/// <summary>A classifier that applies a function to the logits of another.</summary>
/// <param name="inner">The other classifier.</param>
/// <param name="change">The function, from logits to logits of shape [batch, classes].</param>
public sealed class ChangedLogits(IClassifier inner, Func<Tensor, Tensor> change) : IClassifier
{
    public string Name => inner.Name;

    public int ClassCount => inner.ClassCount;

    public Bounds Bounds => inner.Bounds;

    public Tensor Logits(Tensor images)
    {
        using var scope = NewDisposeScope();
        return change(inner.Logits(images)).MoveToOuterDisposeScope();
    }

    public IDisposable EnterEvaluation() => inner.EnterEvaluation();
}
