using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Models.Architectures;

/// <summary>The sum of a residual block and its shortcut.</summary>
internal static class ShortcutSum
{
#pragma warning disable RS0030 // This class keeps the scalar alive while libtorch reads it.
    private static readonly Scalar One = 1;
#pragma warning restore RS0030

    /// <summary>Computes a + b; the operator + would create a scalar that can be freed during the call.</summary>
    public static Tensor Plus(this Tensor first, Tensor second) => first.add(second, One);
}
