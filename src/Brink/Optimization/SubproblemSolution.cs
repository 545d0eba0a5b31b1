using static TorchSharp.torch;

namespace Brink.Optimization;

/// <summary>What maximises the local model within a radius, and how that is known, for each row of a batch.</summary>
/// <param name="Steps">s, [batch, …].</param>
/// <param name="PredictedChanges">m(s), [batch].</param>
/// <param name="OnBoundary">Whether ‖s‖ = ε, for each row; else the maximum of the model lies inside.</param>
/// <param name="Products">How many products with H each row took, all of them before the first solution.</param>
/// <param name="Ends">Why each row took no more.</param>
internal sealed record SubproblemSolution(Tensor Steps, Tensor PredictedChanges, IReadOnlyList<bool> OnBoundary, IReadOnlyList<int> Products, IReadOnlyList<SubproblemEnd> Ends);
