using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>A network with its weights and the preprocessing it was trained with.</summary>
/// <param name="Name">What reports call it.</param>
/// <param name="Module">The network: normalised images to logits. Owned by this record.</param>
/// <param name="ClassCount">The number of classes.</param>
/// <param name="Normalization">Its preprocessing.</param>
public sealed record LoadedModel(string Name, nn.Module<Tensor, Tensor> Module, int ClassCount, Normalization Normalization) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => Module.Dispose();
}
