namespace Brink.Optimization;

/// <summary>The solution of a <see cref="TridiagonalSubproblem"/>.</summary>
/// <param name="Coefficients">y.</param>
/// <param name="Multiplier">λ, at least 0.</param>
/// <param name="PredictedChange">γ y₁ + ½⟨y, Ty⟩.</param>
/// <param name="OnBoundary">Whether ‖y‖ = ε.</param>
internal sealed record TridiagonalSolution(double[] Coefficients, double Multiplier, double PredictedChange, bool OnBoundary);
