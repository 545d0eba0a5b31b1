using Brink.Optimization;
using static TorchSharp.torch;

namespace Brink.Tests.Optimization;

public sealed class TridiagonalSubproblemTests
{
    private static readonly (string Name, double[] Diagonal, double[] OffDiagonal)[] Matrices =
    [
        ("one entry, concave", [-2], []),
        ("one entry, convex", [3], []),
        ("concave", [-3, -4, -5], [1, 1]),
        ("indefinite", [1, -2, 3, -1], [0.5, 2, 1]),
        ("in two blocks, the larger eigenvalue in the other", [-1, -2, 3, 1], [0.5, 0, 1]),
        ("in two blocks, the larger eigenvalue in the first", [4, 3, 1, -1], [0.5, 0, 1]),
        ("nearly in two blocks", [-1, -2, 3, 1], [0.5, 1e-9, 1]),
        ("in two blocks up to rounding", [-1, -2, 3, 1], [0.5, 1e-20, 1]),
        ("semidefinite, flat in the other block", [-1, -2, 0], [0.5, 0]),
        ("diagonal with equal entries", [2, 2, 2], [0, 0]),
        ("zero", [0, 0, 0], [0, 0]),
        ("entries of very different size", [1e-8, 1e4, -1e-3, 1], [1e-6, 10, 1e-3]),
    ];

    public static TheoryData<double, double> GradientsAndRadii()
    {
        var all = new TheoryData<double, double>();
        foreach (var gradient in new[] { 0, 1e-12, 1, 1e3 })
        {
            foreach (var radius in new[] { 1e-9, 0.1, 1, 50 })
            {
                all.Add(gradient, radius);
            }
        }

        return all;
    }

    [Theory, MemberData(nameof(GradientsAndRadii))]
    public void The_solution_is_global_in_every_case(double gradientLength, double radius)
    {
        using var scope = NewDisposeScope();
        foreach (var (name, diagonal, offDiagonal) in Matrices)
        {
            var solution = TridiagonalSubproblem.Prepare([(diagonal, offDiagonal, gradientLength)])[0].Solve(radius);
            var matrix = diag(tensor(diagonal));
            if (offDiagonal.Length > 0)
            {
                matrix += diag(tensor(offDiagonal), 1) + diag(tensor(offDiagonal), -1);
            }

            var gradient = tensor([.. Enumerable.Range(0, diagonal.Length).Select(entry => entry == 0 ? gradientLength : 0)]);
            QuadraticProblem.AssertOptimal(name, matrix, gradient, radius, tensor(solution.Coefficients), solution.OnBoundary, 1e-10);
        }
    }

    [Fact]
    public void The_multiplier_satisfies_the_optimality_conditions()
    {
        // One entry: (λ − α) u = β₀ with u = ε on the boundary, so λ = α + β₀/ε.
        var boundary = TridiagonalSubproblem.Prepare([([3.0], [], 2.0)])[0].Solve(0.5);
        Assert.Equal((3 + (2 / 0.5), true), (boundary.Multiplier, boundary.OnBoundary));
        // −2u + 2 = 0 at u = 1, inside the radius.
        var inside = TridiagonalSubproblem.Prepare([([-2.0], [], 2.0)])[0].Solve(5);
        Assert.Equal((0.0, 1.0, 1.0, false), (inside.Multiplier, inside.Coefficients[0], inside.PredictedChange, inside.OnBoundary));
    }
}
