using static TorchSharp.torch;

namespace Brink.Optimization;

/// <summary>max m(s) over ‖s‖_p ≤ ε for each row of a batch: prepared once, then solved for as many radii as one likes.</summary>
internal interface ISubproblem
{
    /// <summary>The smallest radii within which the model reaches zero, f + m(s) ≥ 0, [batch]; beyond any radius where it never does.</summary>
    Tensor BoundaryDistances();

    /// <summary>The solution for given radii, at no further product.</summary>
    /// <param name="radii">ε, [batch].</param>
    SubproblemSolution Solve(Tensor radii);

    /// <summary>m(s) of any steps, [batch], at no further product.</summary>
    /// <param name="steps">s, [batch, …].</param>
    Tensor PredictedChanges(Tensor steps);
}
