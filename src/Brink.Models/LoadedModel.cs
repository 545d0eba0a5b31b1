using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>A model: a network with its weights, and its preprocessing.</summary>
/// <param name="Name">The name of the model in reports.</param>
/// <param name="Module">The network, from normalised images to logits [batch, classes]. This record owns it.</param>
/// <param name="ClassCount">The number of classes.</param>
/// <param name="Normalization">The preprocessing of pixels in [0, 1].</param>
public sealed record LoadedModel(string Name, nn.Module<Tensor, Tensor> Module, int ClassCount, Normalization Normalization) : IDisposable
{
    /// <summary>Warnings about the file of the model, as sentences.</summary>
    /// <value>No warnings by default.</value>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Disposes the network.</summary>
    public void Dispose() => Module.Dispose();
}

/// <summary>The description of a model of <see cref="ModelCatalog"/>, available without loading it.</summary>
public sealed record ModelDescription
{
    /// <summary>The name of the model, as for <c>--model</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The number of classes.</summary>
    public required int ClassCount { get; init; }

    /// <summary>The shape of an input image, [channels, height, width].</summary>
    public required IReadOnlyList<long> InputShape { get; init; }

    /// <summary>The preprocessing with which published weights were usually trained.</summary>
    public required Normalization Normalization { get; init; }

    /// <summary>The number of trainable parameters, without the statistics of batch normalisation.</summary>
    public required long ParameterCount { get; init; }

    /// <summary>The source of weights: a file published by torchvision, or the name of a project that trains them.</summary>
    public required string WeightsSource { get; init; }
}
