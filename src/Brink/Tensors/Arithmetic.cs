using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Tensors;

/// <summary>Sums whose scalars live as long as libtorch reads them (see <see cref="Scalars"/>): + makes α = 1 anew for each.</summary>
internal static class Arithmetic
{
    /// <summary>a + b.</summary>
    public static Tensor Plus(this Tensor first, Tensor second) => first.add(second, Scalars.One);

    /// <summary>a + b.</summary>
    public static Tensor Plus(this Tensor tensor, Scalar number) => tensor.add(number, Scalars.One);
}
