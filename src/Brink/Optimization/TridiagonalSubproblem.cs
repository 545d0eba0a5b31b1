using static TorchSharp.torch;

namespace Brink.Optimization;

/// <summary>The problem max β₀ u₁ + ½⟨u, Tu⟩ over ‖u‖₂ ≤ ε with a small symmetric tridiagonal T, for one row, in double precision.</summary>
/// <remarks>
/// <para>
/// u is optimal if and only if there is a multiplier λ ≥ 0 with (λI − T) u = β₀ e₁, λI − T positive semidefinite and λ(ε − ‖u‖) = 0
/// (Moré &amp; Sorensen 1983, lemma 2.4, here for a maximum). Either λ = 0, or λ is the root of 1/‖u(λ)‖ = 1/ε to the right of the largest
/// eigenvalue θ₁. Newton's method finds it (algorithm 3.2 there). As 1/‖u(λ)‖ is concave, the method converges from the left without a safeguard.
/// </para>
/// <para>
/// In the hard case no such root exists. Then λ = θ₁, and a multiple τ of the first eigenvector extends u to the boundary. In nearly hard
/// problems λ − θ₁ is far smaller than the rounding error of θ₁. Therefore the unknown is δ = λ − θ₁: with T = V diag(θ) Vᵀ the solution has
/// the components β₀ V₁ᵢ / (δ + θ₁ − θ_i) along the columns of V, which are accurate for any δ.
/// </para>
/// </remarks>
internal sealed class TridiagonalSubproblem
{
    private readonly double[] _eigenvalues;
    private readonly double[] _eigenvectors;
    private readonly double[] _gaps;
    private readonly double[] _loads;
    private readonly double _largest;

    private TridiagonalSubproblem(double[] eigenvalues, double[] eigenvectors, double gradientLength)
    {
        (_eigenvalues, _eigenvectors, _largest) = (eigenvalues, eigenvectors, eigenvalues[^1]);
        _gaps = [.. eigenvalues.Select(eigenvalue => _largest - eigenvalue)];
        _loads = [.. eigenvectors.Take(eigenvalues.Length).Select(first => gradientLength * first)];
    }

    private int Size => _eigenvalues.Length;

    /// <summary>Prepares problems of equal size.</summary>
    /// <param name="problems">The diagonal of T, the off-diagonal of T, which has one entry less, and β₀ ≥ 0 of each problem; all finite.</param>
    public static TridiagonalSubproblem[] Prepare(IReadOnlyList<(double[] Diagonal, double[] OffDiagonal, double GradientLength)> problems)
    {
        using var scope = NewDisposeScope();
        var size = problems[0].Diagonal.Length;
        var matrices = new double[problems.Count * size * size];
        for (var problem = 0; problem < problems.Count; problem++)
        {
            var (diagonal, offDiagonal, _) = problems[problem];
            for (var entry = 0; entry < size; entry++)
            {
                var place = (((problem * size) + entry) * size) + entry;
                matrices[place] = diagonal[entry];
                if (entry > 0)
                {
                    matrices[place - 1] = matrices[place - size] = offDiagonal[entry - 1];
                }
            }
        }

        var (eigenvalues, eigenvectors) = linalg.eigh(tensor(matrices).reshape(problems.Count, size, size));
        var (values, vectors) = (eigenvalues.ToDoubles(), eigenvectors.contiguous().ToDoubles());
        return [.. problems.Select((problem, row) => new TridiagonalSubproblem(
            values[(row * size)..((row + 1) * size)], vectors[(row * size * size)..((row + 1) * size * size)], problem.GradientLength))];
    }

    /// <summary>Solves the problem for a radius.</summary>
    /// <param name="radius">The radius ε, at least 0.</param>
    public TridiagonalSolution Solve(double radius)
    {
        var (shift, extension) = Multiplier(radius);
        var coefficients = new double[Size];
        var change = 0.0;
        for (var i = 0; i < Size; i++)
        {
            var component = Component(i, shift, extension);
            change += (_loads[i] * component) + (_eigenvalues[i] * component * component / 2);
            for (var entry = 0; entry < Size; entry++)
            {
                coefficients[entry] += _eigenvectors[(entry * Size) + i] * component;
            }
        }

        var multiplier = Math.Max(0, _largest + shift);
        return new(coefficients, multiplier, change, OnBoundary: multiplier > 0);
    }

    /// <summary>Computes the smallest radius within which the predicted change reaches a value; infinite if it is larger than <paramref name="largest"/>.</summary>
    /// <param name="change">The predicted change to reach.</param>
    /// <param name="largest">The largest radius to consider.</param>
    public double RadiusReaching(double change, double largest)
    {
        if (!(Change(largest) >= change))
        {
            return double.PositiveInfinity;
        }

        if (change <= 0)
        {
            return 0;
        }

        // The change of the solution never decreases as the radius grows, so bisection finds the smallest radius.
        var (below, above) = (0.0, largest);
        while (above - below > 1e-13 * above)
        {
            var middle = (below + above) / 2;
            (below, above) = Change(middle) < change ? (middle, above) : (below, middle);
        }

        return above;
    }

    private double Change(double radius)
    {
        var (shift, extension) = Multiplier(radius);
        var change = 0.0;
        for (var i = 0; i < Size; i++)
        {
            var component = Component(i, shift, extension);
            change += (_loads[i] * component) + (_eigenvalues[i] * component * component / 2);
        }

        return change;
    }

    /// <summary>Computes δ = λ − θ₁ and the multiple τ of the first eigenvector, which is not zero in the hard case only.</summary>
    private (double Shift, double Extension) Multiplier(double radius)
    {
        if (!(radius > 0))
        {
            return (double.PositiveInfinity, 0);
        }

        var least = Math.Max(0, -_largest);
        var (length, _) = Lengths(least);
        if (length <= radius)
        {
            return (least, _largest > 0 ? Math.Sqrt((radius - length) * (radius + length)) : 0);
        }

        // At this δ one component alone is as long as the radius, so it is left of the root.
        var shift = least;
        for (var i = 0; i < Size; i++)
        {
            shift = Math.Max(shift, (Math.Abs(_loads[i]) / radius) - _gaps[i]);
        }

        for (var iteration = 0; iteration < 100; iteration++)
        {
            (length, var slope) = Lengths(shift);
            // Newton's step for 1/‖u‖ = 1/ε; slope = Σ u_i²/(δ + gap_i) is −½ times the derivative of ‖u‖².
            var next = shift + ((length - radius) / radius * length * length / slope);
            if (!(next > shift * (1 + 1e-15)))
            {
                break;
            }

            shift = next;
        }

        return (shift, 0);
    }

    /// <summary>Computes ‖u‖ and Σ u_i² / (δ + gap_i).</summary>
    private (double Length, double Slope) Lengths(double shift)
    {
        var (square, slope) = (0.0, 0.0);
        for (var i = 0; i < Size; i++)
        {
            var component = Component(i, shift, 0);
            square += component * component;
            slope += component == 0 ? 0 : component * component / (shift + _gaps[i]);
        }

        return (Math.Sqrt(square), slope);
    }

    private double Component(int i, double shift, double extension)
    {
        var regular = _loads[i] == 0 ? 0 : _loads[i] / (shift + _gaps[i]);
        return i == Size - 1 ? regular + extension : regular;
    }
}

/// <summary>The solution of a <see cref="TridiagonalSubproblem"/>.</summary>
/// <param name="Coefficients">The coordinates u.</param>
/// <param name="Multiplier">The multiplier λ of the radius, at least 0.</param>
/// <param name="PredictedChange">The predicted change β₀ u₁ + ½⟨u, Tu⟩.</param>
/// <param name="OnBoundary">True if ‖u‖ = ε.</param>
internal sealed record TridiagonalSolution(double[] Coefficients, double Multiplier, double PredictedChange, bool OnBoundary);
