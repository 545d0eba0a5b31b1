using static TorchSharp.torch;

namespace Brink.Optimization;

/// <summary>A symmetric linear map for each row, known only by what it does: v ↦ Hv, each row with its own H and its own v. It may be indefinite.</summary>
/// <param name="vectors">v, [batch, …].</param>
/// <returns>Hv, of the same shape; what a row yields depends on that row alone.</returns>
internal delegate Tensor LinearOperator(Tensor vectors);
