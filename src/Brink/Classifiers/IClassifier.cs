using static TorchSharp.torch;

namespace Brink;

/// <summary>A differentiable classifier that can be attacked: maps images to logits.</summary>
/// <remarks>Preprocessing is part of the classifier. Attacks clip to <see cref="Bounds"/> and measure lengths in the space of its input.</remarks>
public interface IClassifier
{
    /// <summary>The name in reports and messages.</summary>
    string Name { get; }

    /// <summary>The number of classes.</summary>
    int ClassCount { get; }

    /// <summary>The smallest and largest valid input values.</summary>
    Bounds Bounds { get; }

    /// <summary>The derivatives of the logits with respect to the images that the classifier has.</summary>
    /// <value><see cref="Derivatives.AtLeastFirst"/>, unless the classifier overrides it.</value>
    Derivatives Derivatives => Derivatives.AtLeastFirst;

    /// <summary>Computes the logits (the outputs before softmax), differentiable with respect to the images.</summary>
    /// <param name="images">The images, shape [batch, …], within <see cref="Bounds"/>.</param>
    /// <returns>The logits z, shape [batch, classes].</returns>
    /// <exception cref="BadInputException">The network does not accept the images, or its output does not have the shape [batch, classes].</exception>
    Tensor Logits(Tensor images);

    /// <summary>Switches the network to evaluation mode until the returned object is disposed, which restores the mode of every submodule.</summary>
    /// <returns>The object that restores the modes.</returns>
    IDisposable EnterEvaluation();
}

/// <summary>The derivatives of the logits with respect to the images that a classifier has.</summary>
public enum Derivatives
{
    /// <summary>First derivatives; nothing is known about second derivatives. An attack that needs them refuses the classifier if they are zero.</summary>
    AtLeastFirst,

    /// <summary>First derivatives only, as in ReLU networks: such a network is piecewise linear, so its second derivatives are zero where they exist.</summary>
    First,

    /// <summary>First and second derivatives, as in networks with smooth activations such as Swish, GELU or tanh.</summary>
    Second,
}
