using static TorchSharp.torch;

namespace Brink.Optimization;

/// <summary>max γ y₁ + ½⟨y, Ty⟩ over ‖y‖₂ ≤ ε with a small symmetric tridiagonal T, one row, in double precision.</summary>
/// <remarks>
/// <para>
/// A step is optimal if and only if, for some multiplier λ ≥ 0, (λI − T) y = γ e₁, λI − T is positive semidefinite and λ(ε − ‖y‖) = 0
/// (Moré &amp; Sorensen 1983, lemma 2.4, here for a maximum). Unless λ = 0 does, λ is the root of 1/‖y(λ)‖ = 1/ε right of the largest eigenvalue θ₁,
/// found by Newton's method as there (algorithm 3.2; 1/‖y(λ)‖ is concave, so from the left it converges without a safeguard).
/// </para>
/// <para>
/// Where no such root exists, the hard case, λ = θ₁ and a multiple of its eigenvector fills y up to the boundary. Close to it λ − θ₁ is far smaller than
/// the rounding of θ₁. T is small, so it is brought to its eigenvectors, T = V diag(θ) Vᵀ, and δ = λ − θ₁ is the unknown:
/// with c = γ Vᵀe₁ each component is c_i / (δ + (θ₁ − θ_i)), exact however small δ becomes.
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

    /// <summary>Prepares subproblems of equal size.</summary>
    /// <param name="problems">The diagonal of T, one entry shorter its off-diagonal, and γ ≥ 0; all finite.</param>
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

    /// <summary>The solution within a radius.</summary>
    /// <param name="radius">ε, at least 0.</param>
    public TridiagonalSolution Solve(double radius)
    {
        var (shift, fill) = Multiplier(radius);
        var coefficients = new double[Size];
        var change = 0.0;
        for (var i = 0; i < Size; i++)
        {
            var component = Component(i, shift, fill);
            change += (_loads[i] * component) + (_eigenvalues[i] * component * component / 2);
            for (var entry = 0; entry < Size; entry++)
            {
                coefficients[entry] += _eigenvectors[(entry * Size) + i] * component;
            }
        }

        var multiplier = Math.Max(0, _largest + shift);
        return new(coefficients, multiplier, change, OnBoundary: multiplier > 0);
    }

    /// <summary>The smallest radius within which the change is at least the given one; infinite where that takes more than <paramref name="largest"/>.</summary>
    /// <param name="change">A predicted change.</param>
    /// <param name="largest">The largest radius to look at.</param>
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

        // The best change never falls as the radius grows, so halving finds the first radius that has it.
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
        var (shift, fill) = Multiplier(radius);
        var change = 0.0;
        for (var i = 0; i < Size; i++)
        {
            var component = Component(i, shift, fill);
            change += (_loads[i] * component) + (_eigenvalues[i] * component * component / 2);
        }

        return change;
    }

    /// <summary>δ = λ − θ₁, and what has to be added along the eigenvector of θ₁ in the hard case.</summary>
    private (double Shift, double Fill) Multiplier(double radius)
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

        // One component alone would already be as long as the radius: left of the root.
        var shift = least;
        for (var i = 0; i < Size; i++)
        {
            shift = Math.Max(shift, (Math.Abs(_loads[i]) / radius) - _gaps[i]);
        }

        for (var iteration = 0; iteration < 100; iteration++)
        {
            (length, var slope) = Lengths(shift);
            // Newton's step for 1/‖y‖ = 1/ε, of which slope = Σ y_i²/(δ + gap_i) is −½ the derivative of ‖y‖².
            var next = shift + ((length - radius) / radius * length * length / slope);
            if (!(next > shift * (1 + 1e-15)))
            {
                break;
            }

            shift = next;
        }

        return (shift, 0);
    }

    /// <summary>‖y‖ and Σ y_i² / (δ + gap_i).</summary>
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

    private double Component(int i, double shift, double fill)
    {
        var regular = _loads[i] == 0 ? 0 : _loads[i] / (shift + _gaps[i]);
        return i == Size - 1 ? regular + fill : regular;
    }
}
