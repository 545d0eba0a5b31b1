using static TorchSharp.torch;

namespace Brink.Optimization;

/// <summary>m(s) = ⟨g, s⟩ + ½⟨s, Hs⟩, the change of a function that its gradient and Hessian predict, for each row of a batch.</summary>
/// <remarks>Yao et al. (2019), §3. H is symmetric, usually indefinite, and known by its products only.</remarks>
/// <param name="Values">f at the current points, [batch].</param>
/// <param name="Gradients">g, [batch, …].</param>
/// <param name="Hessian">H.</param>
internal sealed record QuadraticModel(Tensor Values, Tensor Gradients, LinearOperator Hessian);
