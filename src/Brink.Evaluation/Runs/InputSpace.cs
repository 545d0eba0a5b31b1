namespace Brink.Evaluation.Runs;

/// <summary>The space in which an attack moves, clips and measures.</summary>
public enum InputSpace
{
    /// <summary>Pixels in [0, 1].</summary>
    Pixel,

    /// <summary>The input of the network, after its normalisation: the paper's CIFAR-10 figures are measured there.</summary>
    Normalized,
}
