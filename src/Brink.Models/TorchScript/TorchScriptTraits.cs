using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>The images and outputs for which a TorchScript network is loaded.</summary>
internal sealed record TorchScriptRequest
{
    /// <summary>The shape of an image, [channels, height, width].</summary>
    public required IReadOnlyList<long> ImageShape { get; init; }

    /// <summary>The name or index of the output that contains the logits; null to find it.</summary>
    public string? Output { get; init; }

    /// <summary>The number of classes of the images, which decides between several outputs; null if it is not known.</summary>
    public int? ClassCount { get; init; }

    /// <summary>True if the network must have gradients.</summary>
    public bool NeedsGradients { get; init; }
}

/// <summary>The traits of a TorchScript network, as its first passes show them.</summary>
internal sealed record TorchScriptTraits
{
    /// <summary>The number of classes.</summary>
    public required int ClassCount { get; init; }

    /// <summary>The type of the images that the network takes.</summary>
    public ScalarType InputType { get; init; } = ScalarType.Float32;

    /// <summary>The only batch size that the network processes; null if it processes any.</summary>
    public int? BatchSize { get; init; }

    /// <summary>The position of the logits among the outputs; null if the network returns one tensor.</summary>
    public int? Output { get; init; }

    /// <summary>The meaning of a single output, which becomes the logits of two classes.</summary>
    public SingleOutput Single { get; init; }

    /// <summary>The traits that a reader of the results must know, as sentences.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}

/// <summary>The meaning of the only output that a network has for an image.</summary>
internal enum SingleOutput
{
    /// <summary>The network has one output for each class.</summary>
    None,

    /// <summary>The logit of the second of two classes.</summary>
    Logit,

    /// <summary>The probability of the second of two classes.</summary>
    Probability,
}
