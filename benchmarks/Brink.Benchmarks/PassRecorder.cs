using static TorchSharp.torch;

namespace Brink.Benchmarks;

/// <summary>Notes the batch size of every forward pass of an attack, so that a bare loop can do the same passes and nothing else.</summary>
internal sealed class PassRecorder(IClassifier inner) : IClassifier
{
    public List<(int Rows, bool WithGraph)> Passes { get; } = [];

    public string Name => inner.Name;

    public int ClassCount => inner.ClassCount;

    public Bounds Bounds => inner.Bounds;

    public Tensor Logits(Tensor images)
    {
        Passes.Add(((int)images.shape[0], images.requires_grad));
        return inner.Logits(images);
    }

    public IDisposable EnterEvaluation() => inner.EnterEvaluation();
}
