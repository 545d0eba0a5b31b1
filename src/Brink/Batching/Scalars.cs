using TorchSharp;

namespace Brink.Batching;

/// <summary>Constants as torch takes them.</summary>
/// <remarks>
/// A number passed where torch wants a scalar becomes a native object that only a finalizer frees. A few dozen of them a step, freed
/// late, lie scattered between the tensors and keep the native heap from shrinking; so constants are made once, and others disposed.
/// </remarks>
internal static class Scalars
{
    /// <summary>−1.</summary>
    public static Scalar MinusOne { get; } = -1;

    /// <summary>0.</summary>
    public static Scalar Zero { get; } = 0;

    /// <summary>1.</summary>
    public static Scalar One { get; } = 1;

    /// <summary>−∞.</summary>
    public static Scalar NegativeInfinity { get; } = double.NegativeInfinity;

    /// <summary>+∞.</summary>
    public static Scalar PositiveInfinity { get; } = double.PositiveInfinity;

    /// <summary>The number as a scalar, to be disposed.</summary>
    public static Scalar Of(double value) => value;
}
