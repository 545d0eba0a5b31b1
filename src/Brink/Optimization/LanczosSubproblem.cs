using static TorchSharp.torch;

namespace Brink.Optimization;

/// <summary>max ⟨g, s⟩ + ½⟨s, Hs⟩ over ‖s‖₂ ≤ ε by the generalised Lanczos trust-region method: solved in a Krylov space that grows until it holds a good solution.</summary>
/// <remarks>
/// <para>
/// Gould, Lucidi, Roma, Toint (1999), §5, here for a maximum. In the basis Q of the Krylov space, s = Qy, the problem is tridiagonal, and
/// the residual of its solution in the whole space is known without another product: ‖(λI − H)s − g‖ = β_k |y_k|. The space stops
/// growing where that is below a share of ‖g‖, or at the limit. Within the radius no step gains more than ½‖residual‖² / (λ − θ₁) beyond
/// this one, θ₁ the largest eigenvalue of H: what is lost is of the order of the square of that share, unless the problem is near-hard.
/// </para>
/// <para>
/// Other radii are solved in the same space. A share of 0 asks for the global solution: the space then grows to the limit, also beyond
/// the Krylov space of g (see <see cref="Lanczos"/>), since what a closed space does not contain may hold larger curvature, the hard case.
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
    private readonly SubproblemEnd[] _ends;

    /// <summary>Takes the products and prepares the subproblem of each row.</summary>
    /// <param name="model">The local model.</param>
    /// <param name="radii">ε, [batch], the largest radii that will be asked for, or nearly so: the residual is measured there.</param>
    /// <param name="maxProducts">The most products a row takes, at least 1.</param>
    /// <param name="tolerance">The share of ‖g‖ to which the residual must fall; 0 to go on to the limit.</param>
    /// <param name="seeds">One a row, from which random vectors follow where the Krylov space is exhausted.</param>
    public LanczosSubproblem(QuadraticModel model, Tensor radii, int maxProducts, double tolerance, IReadOnlyList<long> seeds)
    {
        var rows = (int)radii.shape[0];
        var entries = (int)(model.Gradients.numel() / rows);
        var limit = Math.Min(maxProducts, entries);
        _model = model;
        _lanczos = new(model.Hessian, model.Gradients, limit, seeds);
        (_values, _radii) = (model.Values.ToDoubles(), radii.ToDoubles());
        (_problems, _products, _ends) = (new TridiagonalSubproblem[rows], new int[rows], new SubproblemEnd[rows]);
        Array.Fill(_ends, limit == entries ? SubproblemEnd.Exact : SubproblemEnd.ProductLimit);

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

    /// <summary>The products each row took.</summary>
    public IReadOnlyList<int> Products => _products;

    /// <summary>Whether not one product of any row was anything but zero.</summary>
    public bool IsLinear => _lanczos.IsZero;

    /// <inheritdoc/>
    /// <remarks>Infinite where the model does not reach zero within the radius that the space was made for.</remarks>
    public Tensor BoundaryDistances() =>
        Like(_model.Values, [.. _problems.Select((problem, row) => problem?.RadiusReaching(-_values[row], _radii[row]) ?? double.PositiveInfinity)]);

    /// <inheritdoc/>
    public SubproblemSolution Solve(Tensor radii)
    {
        using var scope = NewDisposeScope();
        var lengths = radii.ToDoubles();
        var solutions = _problems.Select((problem, row) => problem?.Solve(lengths[row])).ToArray();
        var steps = _lanczos.Combine([.. solutions.Select(solution => solution?.Coefficients ?? [double.NaN])]);
        var changes = Like(_model.Values, [.. solutions.Select(solution => solution?.PredictedChange ?? double.NaN)]);
        return new(steps.MoveToOuterDisposeScope(), changes.MoveToOuterDisposeScope(), [.. solutions.Select(solution => solution?.OnBoundary ?? false)], _products, _ends);
    }

    /// <inheritdoc/>
    /// <remarks>The curvature is that which the space shows; of a step outside it, cut at a bound for instance, the rest is left out.</remarks>
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
                (growing[row], _ends[row], _problems[row]) = (false, SubproblemEnd.NotFinite, null);
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
                (growing[row], _ends[row]) = (false, SubproblemEnd.Converged);
            }
        }
    }

    /// <summary>One number a row as a tensor, [batch].</summary>
    private static Tensor Like(Tensor other, double[] values)
    {
        using var scope = NewDisposeScope();
        return tensor(values, device: other.device).to(other.dtype).MoveToOuterDisposeScope();
    }
}
