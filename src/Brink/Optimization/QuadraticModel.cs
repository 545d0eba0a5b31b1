using static TorchSharp.torch;

namespace Brink.Optimization;

/// <summary>The quadratic model m(s) = ⟨g, s⟩ + ½⟨s, Hs⟩ of the change of a function f, for each row of a batch.</summary>
/// <remarks>Yao et al. (2019), §3. H is symmetric, usually indefinite, and known by its products with vectors only.</remarks>
/// <param name="Values">The values of f at the current points, shape [batch].</param>
/// <param name="Gradients">The gradients g, shape [batch, …].</param>
/// <param name="Hessian">The Hessian H.</param>
internal sealed record QuadraticModel(Tensor Values, Tensor Gradients, LinearOperator Hessian);
