using static TorchSharp.torch;

namespace Brink;

/// <summary>The function of the logits that an attack increases, one value per image.</summary>
public interface IObjective
{
    /// <summary>The name on the command line and in files.</summary>
    string Name { get; }

    /// <summary>Indicates whether the value is negative while the image is classified correctly and zero on the decision boundary, so that a linear model gives a distance to the boundary.</summary>
    bool IsZeroOnBoundary { get; }

    /// <summary>Indicates whether the value is linear in the logits, so that it has no curvature if the network is piecewise linear.</summary>
    bool IsLinear { get; }

    /// <summary>Computes the objective with respect to a target class, differentiable with respect to the logits.</summary>
    /// <param name="logits">The logits z, shape [batch, classes].</param>
    /// <param name="targets">The target classes t, int64, shape [batch].</param>
    /// <param name="rivals">The classes that the targets must exceed, int64, shape [batch]: the labels or, for a given class, the class with the largest other logit.</param>
    /// <returns>The values, shape [batch].</returns>
    Tensor Values(Tensor logits, Tensor targets, Tensor rivals);

    /// <summary>Computes the objective of an untargeted attack, differentiable with respect to the logits.</summary>
    /// <param name="logits">The logits z, shape [batch, classes].</param>
    /// <param name="labels">The labels y, int64, shape [batch].</param>
    /// <returns>The values, shape [batch].</returns>
    Tensor ValuesAwayFrom(Tensor logits, Tensor labels);
}
