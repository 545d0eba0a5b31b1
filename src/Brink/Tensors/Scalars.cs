using TorchSharp;

namespace Brink.Tensors;

/// <summary>Constants as torch takes them.</summary>
/// <remarks>
/// A number passed where torch wants a scalar becomes a native object that only a finalizer frees, and nothing keeps it alive while libtorch
/// reads it: a collection at that moment frees it, and libtorch fails or computes with whatever lies there now. And a few dozen of them a
/// step, freed late, lie scattered between the tensors and keep the native heap from shrinking. So constants are made once, and others
/// disposed, which keeps them alive until then. The build refuses what makes scalars unseen (BannedSymbols.txt).
/// </remarks>
internal static class Scalars
{
#pragma warning disable RS0030 // kept alive: by this class for ever, or by whoever disposes them
    /// <summary>−1.</summary>
    public static Scalar MinusOne { get; } = -1;

    /// <summary>0.</summary>
    public static Scalar Zero { get; } = 0;

    /// <summary>1.</summary>
    public static Scalar One { get; } = 1;

    /// <summary>2.</summary>
    public static Scalar Two { get; } = 2;

    /// <summary>−∞.</summary>
    public static Scalar NegativeInfinity { get; } = double.NegativeInfinity;

    /// <summary>+∞.</summary>
    public static Scalar PositiveInfinity { get; } = double.PositiveInfinity;

    /// <summary>The number as a scalar, to be disposed.</summary>
    public static Scalar Of(double value) => value;

    /// <summary>The whole number as a scalar, to be disposed.</summary>
    public static Scalar Of(long value) => value;
#pragma warning restore RS0030
}
