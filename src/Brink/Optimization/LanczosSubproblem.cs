using static TorchSharp.torch;

namespace Brink.Optimization;

/// <summary>The quadratic subproblem max ⟨g, s⟩ + ½⟨s, Hs⟩ over ‖s‖₂ ≤ ε, solved by the generalised Lanczos trust-region method.</summary>
/// <remarks>
/// <para>
/// Gould, Lucidi, Roma, Toint (1999), §5, here for a maximum. In the basis Q of the Krylov space, s = Qu, the problem is tridiagonal. The
/// residual of its solution in the whole space is known without another product: ‖(λI − H)s − g‖ = β_k |u_k|. The space grows until the
/// residual is below a share of ‖g‖, or to the limit. No step within the radius gains more than ½‖residual‖² / (λ − θ₁) beyond this one, where
/// θ₁ is the largest eigenvalue of H. The loss is therefore of the order of the square of that share, unless the problem is nearly hard.
/// </para>
/// <para>
/// Other radii are solved in the same space. With a share of 0 the solution is global: the space grows to the limit, also beyond the
/// Krylov space of g (see <see cref="Lanczos"/>), because H may have larger curvature outside a closed space, the hard case.
/// </para>
/// </remarks>
internal sealed class LanczosSubproblem : ISubproblem
{
    private readonly QuadraticModel _model;
    private readonly Lanczos _lanczos;
    private readonly double[] _values;
    private readonly double[] _radii;
    private readonly TridiagonalSubproblem?[] _problems;
    private readonly int[] _products;
    private readonly SubproblemExit[] _exits;

    /// <summary>Takes the products and prepares the subproblem of each row.</summary>
    /// <param name="model">The quadratic model.</param>
    /// <param name="radii">The radii ε at which the residual is measured, shape [batch]; solutions for much larger radii would be inaccurate.</param>
    /// <param name="maxProducts">The maximum number of products per row, at least 1.</param>
    /// <param name="tolerance">The share of ‖g‖ below which the residual must fall; 0 to continue to the limit.</param>
    /// <param name="seeds">The seed of each row, for the random vectors that continue a closed Krylov space.</param>
    public LanczosSubproblem(QuadraticModel model, Tensor radii, int maxProducts, double tolerance, IReadOnlyList<long> seeds)
    {
        var rows = (int)radii.shape[0];
        var entries = (int)(model.Gradients.numel() / rows);
        var limit = Math.Min(maxProducts, entries);
        _model = model;
        _lanczos = new(model.Hessian, model.Gradients, limit, seeds);
        (_values, _radii) = (model.Values.ToDoubles(), radii.ToDoubles());
        (_problems, _products, _exits) = (new TridiagonalSubproblem[rows], new int[rows], new SubproblemExit[rows]);
        Array.Fill(_exits, limit == entries ? SubproblemExit.Exact : SubproblemExit.ProductLimit);

        var growing = new bool[rows];
        Array.Fill(growing, true);
        StopNotFinite(growing, _lanczos.StartLengths);
        do
        {
            _lanczos.Extend(growing);
            for (var row = 0; row < rows; row++)
            {
                _products[row] += growing[row] ? 1 : 0;
            }

            StopNotFinite(growing, _lanczos.ResidualLengths);
            if (tolerance > 0 || _lanczos.Dimension == limit)
            {
                Prepare(growing);
                StopConverged(growing, tolerance);
            }
        }
        while (_lanczos.Dimension < limit && growing.Contains(true));
    }

    /// <summary>The number of products of each row.</summary>
    public IReadOnlyList<int> Products => _products;

    /// <inheritdoc/>
    /// <remarks>Infinite where the quadratic model does not reach the boundary within the radius of the constructor.</remarks>
    public Tensor Distances() =>
        Like(_model.Values, [.. _problems.Select((problem, row) => problem?.RadiusReaching(-_values[row], _radii[row]) ?? double.PositiveInfinity)]);

    /// <inheritdoc/>
    public Tensor Steps(Tensor radii) => Scoped(() => Solve(radii).Steps);

    /// <summary>Solves the subproblem for given radii, without further products.</summary>
    /// <param name="radii">The radii ε, shape [batch].</param>
    public SubproblemSolution Solve(Tensor radii)
    {
        using var scope = NewDisposeScope();
        var lengths = radii.ToDoubles();
        var solutions = _problems.Select((problem, row) => problem?.Solve(lengths[row])).ToArray();
        var steps = _lanczos.Combine([.. solutions.Select(solution => solution?.Coefficients ?? [double.NaN])]);
        var changes = Like(_model.Values, [.. solutions.Select(solution => solution?.PredictedChange ?? double.NaN)]);
        return new(steps.MoveToOuterDisposeScope(), changes.MoveToOuterDisposeScope(), [.. solutions.Select(solution => solution?.OnBoundary ?? false)], _products, _exits);
    }

    /// <inheritdoc/>
    /// <remarks>Only the curvature within the space is included. Steps that were clipped to the bounds are usually not entirely in the space.</remarks>
    public Tensor PredictedChanges(Tensor steps)
    {
        using var scope = NewDisposeScope();
        using var half = Scalars.Of(0.5);
        return PerSample.Dot(_model.Gradients, steps).Plus(_lanczos.Curvatures(steps).mul(half)).MoveToOuterDisposeScope();
    }

    private void StopNotFinite(bool[] growing, IReadOnlyList<double> lengths)
    {
        for (var row = 0; row < growing.Length; row++)
        {
            if (growing[row] && !double.IsFinite(lengths[row]))
            {
                (growing[row], _exits[row], _problems[row]) = (false, SubproblemExit.NotFinite, null);
            }
        }
    }

    private void Prepare(bool[] growing)
    {
        var rows = Enumerable.Range(0, growing.Length).Where(row => growing[row]).ToArray();
        if (rows.Length == 0)
        {
            return;
        }

        var problems = TridiagonalSubproblem.Prepare([.. rows.Select(row =>
        {
            var (diagonal, offDiagonal) = _lanczos.Tridiagonal(row, _lanczos.Dimension);
            return (diagonal, offDiagonal, _lanczos.StartLengths[row]);
        })]);
        foreach (var (row, problem) in rows.Zip(problems))
        {
            _problems[row] = problem;
        }
    }

    private void StopConverged(bool[] growing, double tolerance)
    {
        for (var row = 0; row < growing.Length; row++)
        {
            if (growing[row] && _lanczos.ResidualLengths[row] * Math.Abs(_problems[row]!.Solve(_radii[row]).Coefficients[^1]) < tolerance * _lanczos.StartLengths[row])
            {
                (growing[row], _exits[row]) = (false, SubproblemExit.Converged);
            }
        }
    }

    /// <summary>Converts one number per row to a tensor of shape [batch].</summary>
    private static Tensor Like(Tensor other, double[] values)
    {
        using var scope = NewDisposeScope();
        return tensor(values, device: other.device).to(other.dtype).MoveToOuterDisposeScope();
    }
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
