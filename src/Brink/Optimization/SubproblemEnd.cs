namespace Brink.Optimization;

/// <summary>Why the solution of a subproblem is what it is.</summary>
internal enum SubproblemEnd
{
    /// <summary>It is exact: a closed form, or the search space is the whole space.</summary>
    Exact,

    /// <summary>The residual of the optimality conditions is within the tolerance.</summary>
    Converged,

    /// <summary>The products ran out; the solution is the best of the space they span, at least as good as the best multiple of the gradient.</summary>
    ProductLimit,

    /// <summary>The gradient or a product was not a finite number; so is the step.</summary>
    NotFinite,
}
