using static TorchSharp.torch;

namespace Brink.Optimization;

/// <summary>The trust-region subproblem max m(s) over ‖s‖_p ≤ ε for each row of a batch, prepared once and solved for any number of radii.</summary>
internal interface ISubproblem
{
    /// <summary>Computes the smallest radii within which the local model reaches the boundary, f + m(s) ≥ 0, shape [batch]; infinite where it does not.</summary>
    Tensor BoundaryDistances();

    /// <summary>Solves the subproblem for given radii, without further products.</summary>
    /// <param name="radii">The radii ε, shape [batch].</param>
    SubproblemSolution Solve(Tensor radii);

    /// <summary>Computes the predicted changes m(s) of any steps, shape [batch], without further products.</summary>
    /// <param name="steps">The steps s, shape [batch, …].</param>
    Tensor PredictedChanges(Tensor steps);
}

/// <summary>The solution of a trust-region subproblem, for each row of a batch.</summary>
/// <param name="Steps">The steps s, shape [batch, …].</param>
/// <param name="PredictedChanges">The predicted changes m(s), shape [batch].</param>
/// <param name="OnBoundary">The flags of the rows with ‖s‖ = ε; in other rows the maximum of the local model is inside the trust region.</param>
/// <param name="Products">The number of products with H of each row, all of them before the first solution.</param>
/// <param name="Exits">The reason why each row took no more products.</param>
internal sealed record SubproblemSolution(Tensor Steps, Tensor PredictedChanges, IReadOnlyList<bool> OnBoundary, IReadOnlyList<int> Products, IReadOnlyList<SubproblemExit> Exits);

/// <summary>The reason why the solution of a subproblem was not improved further.</summary>
internal enum SubproblemExit
{
    /// <summary>The solution is exact: it has a closed form, or the search space is the whole space.</summary>
    Exact,

    /// <summary>The residual of the optimality conditions is within the tolerance.</summary>
    Converged,

    /// <summary>The maximum number of products was reached. The solution is the best in the space that they span, at least as good as the best multiple of the gradient.</summary>
    ProductLimit,

    /// <summary>The gradient or a product was not finite; the step is not finite either.</summary>
    NotFinite,
}
