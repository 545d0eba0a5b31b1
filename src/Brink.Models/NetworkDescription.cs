namespace Brink.Models;

/// <summary>What is known of a network of <see cref="ModelCatalog"/> before it is built.</summary>
public sealed record NetworkDescription
{
    /// <summary>What the command line and reports call it.</summary>
    public required string Name { get; init; }

    /// <summary>The number of classes.</summary>
    public required int ClassCount { get; init; }

    /// <summary>Channels, rows and columns of an input image.</summary>
    public required IReadOnlyList<long> InputShape { get; init; }

    /// <summary>The preprocessing with which it is usually trained.</summary>
    public required Normalization Normalization { get; init; }

    /// <summary>The number of its weights, those of batch normalisation's statistics not counted.</summary>
    public required long ParameterCount { get; init; }

    /// <summary>Where weights for it come from: the file as torchvision publishes it, the project that trains it, or what else there is.</summary>
    public required string WeightsSource { get; init; }
}
