namespace Brink;

/// <summary>Which derivatives of its logits with respect to its images a classifier has to offer.</summary>
public enum Derivatives
{
    /// <summary>The first; whether the second mean anything is not known. An attack that needs them refuses a classifier whose second derivatives turn out to be zero.</summary>
    AtLeastFirst,

    /// <summary>The first alone, as of networks with ReLU: between its kinks such a network is linear, so the second are zero where they exist and say nothing about how it bends.</summary>
    First,

    /// <summary>The first and the second, as of networks with smooth activations such as Swish, GELU or tanh.</summary>
    Second,
}
