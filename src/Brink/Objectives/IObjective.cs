using static TorchSharp.torch;

namespace Brink;

/// <summary>The number an attack raises, one an image.</summary>
public interface IObjective
{
    /// <summary>The name as the command line writes it.</summary>
    string Name { get; }

    /// <summary>Whether the value is negative while the classifier is right and zero on the decision boundary, so that a linear model tells how far the boundary is.</summary>
    bool IsZeroOnBoundary { get; }

    /// <summary>Whether the value is linear in the logits, so that all its curvature is the network's: where the network is piecewise linear, there is none.</summary>
    bool IsLinear { get; }

    /// <summary>The objective of each image, differentiable with respect to the logits.</summary>
    /// <param name="logits">z, [batch, classes].</param>
    /// <param name="targets">t, the attacked class, int64 [batch].</param>
    /// <param name="rivals">The class that the target is to overtake, int64 [batch]: the label, or for a given class the strongest other.</param>
    /// <returns>[batch].</returns>
    Tensor Values(Tensor logits, Tensor targets, Tensor rivals);

    /// <summary>The objective of each image where any class but the label will do, differentiable with respect to the logits.</summary>
    /// <param name="logits">z, [batch, classes].</param>
    /// <param name="labels">y, int64 [batch].</param>
    /// <returns>[batch].</returns>
    Tensor ValuesAwayFrom(Tensor logits, Tensor labels);
}
