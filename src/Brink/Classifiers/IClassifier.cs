using static TorchSharp.torch;

namespace Brink;

/// <summary>A network as an attack sees it: images in, logits out, in one input space.</summary>
/// <remarks>The classifier owns its preprocessing. Attacks clip to <see cref="Bounds"/> and measure lengths in the space of its input.</remarks>
public interface IClassifier
{
    /// <summary>What reports and errors call it.</summary>
    string Name { get; }

    /// <summary>The number of classes.</summary>
    int ClassCount { get; }

    /// <summary>The smallest and largest valid input values.</summary>
    Bounds Bounds { get; }

    /// <summary>Which derivatives of the logits there are.</summary>
    /// <value>At least the first, unless a classifier knows better.</value>
    Derivatives Derivatives => Derivatives.AtLeastFirst;

    /// <summary>The values before softmax, differentiable with respect to the images.</summary>
    /// <param name="images">[batch, …image], within <see cref="Bounds"/>.</param>
    /// <returns>z, [batch, classes].</returns>
    /// <exception cref="BadInputException">The network cannot take these images, or its output is not [batch, classes].</exception>
    Tensor Logits(Tensor images);

    /// <summary>Puts the network into evaluation mode until the returned scope is disposed, which restores the mode of every part.</summary>
    IDisposable EnterEvaluation();
}
