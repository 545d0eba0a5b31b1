using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Tensors;

/// <summary>Numbers as libtorch scalars, with a controlled lifetime.</summary>
/// <remarks>
/// A number that is passed to an operation of TorchSharp becomes a native object that only a finalizer frees, and nothing keeps it alive while
/// libtorch reads it. If the garbage collector runs at that moment, libtorch fails or computes with other memory. Dozens of such objects per
/// step, freed late, also fragment the native heap. Therefore constants are created once, and other scalars are disposed after their use, which
/// keeps them alive until then. BannedSymbols.txt forbids operations that create scalars implicitly.
/// </remarks>
internal static class Scalars
{
#pragma warning disable RS0030 // these scalars are kept alive by this class or by the caller, who disposes them
    /// <summary>The number −1.</summary>
    public static Scalar MinusOne { get; } = -1;

    /// <summary>The number 0.</summary>
    public static Scalar Zero { get; } = 0;

    /// <summary>The number 1.</summary>
    public static Scalar One { get; } = 1;

    /// <summary>The number 2.</summary>
    public static Scalar Two { get; } = 2;

    /// <summary>Negative infinity.</summary>
    public static Scalar NegativeInfinity { get; } = double.NegativeInfinity;

    /// <summary>Positive infinity.</summary>
    public static Scalar PositiveInfinity { get; } = double.PositiveInfinity;

    /// <summary>Converts a number to a scalar, which the caller disposes.</summary>
    /// <param name="value">The number.</param>
    public static Scalar Of(double value) => value;

    /// <summary>Converts an integer to a scalar, which the caller disposes.</summary>
    /// <param name="value">The integer.</param>
    public static Scalar Of(long value) => value;
#pragma warning restore RS0030
}

/// <summary>Arithmetic with numbers whose scalars have a controlled lifetime (see <see cref="Scalars"/>); the operator + creates the scalar α = 1 for every sum.</summary>
internal static class Arithmetic
{
    /// <summary>Adds two tensors.</summary>
    /// <param name="first">The first summand.</param>
    /// <param name="second">The second summand.</param>
    public static Tensor Plus(this Tensor first, Tensor second) => first.add(second, Scalars.One);

    /// <summary>Adds a number to a tensor.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="number">The number.</param>
    public static Tensor Plus(this Tensor tensor, double number)
    {
        using var scalar = Scalars.Of(number);
        return tensor.add(scalar, Scalars.One);
    }

    /// <summary>Multiplies a tensor by a number.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="number">The number.</param>
    public static Tensor Times(this Tensor tensor, double number)
    {
        using var scalar = Scalars.Of(number);
        return tensor.mul(scalar);
    }

    /// <summary>Multiplies each image by a number of its own.</summary>
    /// <param name="images">The images, shape [batch, …].</param>
    /// <param name="factors">One factor per image, shape [batch].</param>
    public static Tensor Times(this Tensor images, Tensor factors)
    {
        using var broadcast = PerSample.Broadcast(factors, images);
        return images.mul(broadcast);
    }

    /// <summary>Determines for each entry whether it is greater than a number.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="number">The number.</param>
    public static Tensor Exceeds(this Tensor tensor, double number)
    {
        using var scalar = Scalars.Of(number);
        return tensor.gt(scalar);
    }

    /// <summary>Creates a tensor of the same shape, type and device in which every entry is the given number.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="number">The number.</param>
    public static Tensor Filled(this Tensor tensor, double number)
    {
        using var scalar = Scalars.Of(number);
        return full_like(tensor, scalar);
    }
}
