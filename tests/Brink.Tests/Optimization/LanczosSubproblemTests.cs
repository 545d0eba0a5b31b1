using Brink.Optimization;
using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Tests.Optimization;

public sealed class LanczosSubproblemTests
{
    public static TheoryData<int, int> Sizes()
    {
        var sizes = new TheoryData<int, int>();
        foreach (var size in new[] { 1, 2, 3, 7, 20, 60 })
        {
            sizes.Add(size, 1);
            sizes.Add(size, 2);
        }

        return sizes;
    }

    [Theory, MemberData(nameof(Sizes))]
    public void With_all_products_every_problem_is_solved_globally(int size, int seed)
    {
        using var scope = NewDisposeScope();
        var problems = QuadraticProblem.Cases(size, seed);
        var (model, hessians, radii) = QuadraticProblem.Batch(problems);
        var solution = new LanczosSubproblem(model, radii, size, 0, Seeds(problems.Count)).Solve(radii);
        for (var row = 0; row < problems.Count; row++)
        {
            QuadraticProblem.AssertOptimal(problems[row].Name, hessians[row], model.Gradients[row], problems[row].Radius, solution.Steps[row], solution.OnBoundary[row]);
            Assert.Equal((size, SubproblemExit.Exact), (solution.Products[row], solution.Exits[row]));
        }

        AssertChangesAreThoseOfTheModel(model, solution);
    }

    [Theory, MemberData(nameof(Sizes))]
    [Trait("speed", "slow")]
    public void Smaller_radii_are_solved_in_the_same_space_without_further_products(int size, int seed)
    {
        using var scope = NewDisposeScope();
        var problems = QuadraticProblem.Cases(size, seed);
        var (model, hessians, radii) = QuadraticProblem.Batch(problems);
        var products = 0;
        var counting = model with { Hessian = vectors => { products++; return model.Hessian(vectors); } };
        var subproblem = new LanczosSubproblem(counting, radii, size, 0, Seeds(problems.Count));
        Assert.Equal(size, products);
        foreach (var share in new[] { 0.7, 0.1, 1e-3 })
        {
            var solution = subproblem.Solve(radii * share);
            for (var row = 0; row < problems.Count; row++)
            {
                QuadraticProblem.AssertOptimal(problems[row].Name, hessians[row], model.Gradients[row], problems[row].Radius * share, solution.Steps[row], solution.OnBoundary[row]);
            }
        }

        Assert.Equal(size, products);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(10)]
    public void With_few_products_the_solution_is_the_best_of_its_space_and_no_worse_than_the_Cauchy_step(int cap)
    {
        using var scope = NewDisposeScope();
        var problems = QuadraticProblem.Cases(40, seed: 3);
        var (model, hessians, radii) = QuadraticProblem.Batch(problems);
        var solution = new LanczosSubproblem(model, radii, cap, 0, Seeds(problems.Count)).Solve(radii);
        AssertChangesAreThoseOfTheModel(model, solution);
        for (var row = 0; row < problems.Count; row++)
        {
            Assert.Equal((cap, SubproblemExit.ProductLimit), (solution.Products[row], solution.Exits[row]));
            var (hessian, gradient, radius) = (hessians[row], model.Gradients[row], problems[row].Radius);
            var length = gradient.norm().item<double>();
            if (length == 0)
            {
                continue;
            }

            // The best multiple t·g/‖g‖ with t ≤ ε has the change t‖g‖ + ½t²⟨g, Hg⟩/‖g‖².
            var curvature = gradient.dot(hessian.matmul(gradient)).item<double>() / (length * length);
            var t = curvature < 0 ? Math.Min(radius, -length / curvature) : radius;
            var cauchy = (t * length) + (t * t * curvature / 2);
            var change = solution.PredictedChanges[row].item<double>();
            Assert.True(change >= cauchy - (1e-9 * Math.Abs(cauchy)), $"{problems[row].Name}: {change:G10} below {cauchy:G10}");

            // In the Krylov space of g the problem is small and dense.
            if (problems[row].Name.Contains("indefinite", StringComparison.Ordinal))
            {
                var powers = new List<Tensor> { gradient / length };
                for (var power = 1; power < cap; power++)
                {
                    powers.Add(nn.functional.normalize(hessian.matmul(powers[^1]).unsqueeze(0)).squeeze(0));
                }

                var (basis, _) = linalg.qr(stack([.. powers], 1));
                QuadraticProblem.AssertOptimal(problems[row].Name, basis.t().matmul(hessian).matmul(basis), basis.t().matmul(gradient), radius, basis.t().matmul(solution.Steps[row]), solution.OnBoundary[row]);
            }
        }
    }

    [Theory]
    [Trait("speed", "slow")]
    [InlineData(0.5)]
    [InlineData(0.1)]
    [InlineData(1e-3)]
    public void Products_end_when_the_residual_is_within_the_tolerance_and_the_loss_is_of_its_square(double tolerance)
    {
        using var scope = NewDisposeScope();
        var problems = QuadraticProblem.Cases(60, seed: 4);
        var (model, hessians, radii) = QuadraticProblem.Batch(problems);
        var solution = new LanczosSubproblem(model, radii, 60, tolerance, Seeds(problems.Count)).Solve(radii);
        var best = new LanczosSubproblem(model, radii, 60, 0, Seeds(problems.Count)).Solve(radii);
        var compared = 0;
        foreach (var row in Enumerable.Range(0, problems.Count).Where(row => solution.Exits[row] == SubproblemExit.Converged))
        {
            var step = solution.Steps[row];
            var uphill = model.Gradients[row].Plus(hessians[row].matmul(step));
            var multiplier = solution.OnBoundary[row] ? step.dot(uphill).item<double>() / (problems[row].Radius * problems[row].Radius) : 0;
            var residual = (step * multiplier - uphill).norm().item<double>();
            Assert.InRange(residual, 0, tolerance * model.Gradients[row].norm().item<double>() * (1 + 1e-6));

            // If λ exceeds the largest eigenvalue θ₁, no step within the radius gains more than ½‖residual‖² / (λ − θ₁) beyond this one.
            var distance = multiplier - problems[row].Eigenvalues[^1];
            if (distance > 0)
            {
                compared++;
                var change = best.PredictedChanges[row].item<double>();
                Assert.InRange(solution.PredictedChanges[row].item<double>(), change - (residual * residual / distance / 2) - (1e-9 * change), change * (1 + 1e-9));
            }
        }

        Assert.True(compared > 5);
        Assert.Contains(solution.Products, products => products < 10);
    }

    [Fact]
    public void Solution_and_products_of_a_row_do_not_depend_on_the_rest_of_the_batch()
    {
        using var scope = NewDisposeScope();
        var problems = QuadraticProblem.Cases(30, seed: 5);
        var (model, _, radii) = QuadraticProblem.Batch(problems);
        foreach (var (cap, tolerance) in new[] { (30, 0.0), (5, 0.0), (30, 0.1), (2, 0.1) })
        {
            var together = new LanczosSubproblem(model, radii, cap, tolerance, Seeds(problems.Count)).Solve(radii);
            for (var row = 0; row < problems.Count; row++)
            {
                var (single, _, radius) = QuadraticProblem.Batch([problems[row]]);
                var alone = new LanczosSubproblem(single, radius, cap, tolerance, [Seeds(problems.Count)[row]]).Solve(radius);
                Assert.Equal((together.Products[row], together.Exits[row], together.OnBoundary[row]), (alone.Products[0], alone.Exits[0], alone.OnBoundary[0]));
                Assert.Equal(together.PredictedChanges[row].item<double>(), alone.PredictedChanges[0].item<double>(), 1e-9 * Math.Max(1, Math.Abs(together.PredictedChanges[row].item<double>())));
                if (!new[] { "hard", "zero", "curvature 0" }.Any(name => problems[row].Name.Contains(name, StringComparison.Ordinal)))
                {
                    // In the other cases the solution is not unique, or nearly so, and depends on rounding.
                    Assert.True((together.Steps[row] - alone.Steps[0]).norm().item<double>() <= 1e-7 * problems[row].Radius, problems[row].Name);
                }
            }
        }
    }

    [Fact]
    public void The_boundary_distance_is_the_smallest_radius_that_reaches_the_boundary()
    {
        using var scope = NewDisposeScope();
        var problems = QuadraticProblem.Cases(20, seed: 6);
        var (model, _, radii) = QuadraticProblem.Batch(problems);
        var attainable = new LanczosSubproblem(model, radii, 20, 0, Seeds(problems.Count)).Solve(radii).PredictedChanges;
        // In even rows the boundary is reached within the radius, in odd rows it is not.
        var values = where(arange(problems.Count).remainder(2).eq(0), attainable * -0.5, attainable * -1.5 - 1e-3);
        var subproblem = new LanczosSubproblem(model with { Values = values }, radii, 20, 0, Seeds(problems.Count));
        var distances = subproblem.Distances();
        var changes = subproblem.Solve(distances.nan_to_num(0, 0, 0)).PredictedChanges;
        var before = subproblem.Solve(distances.nan_to_num(0, 0, 0) * 0.999).PredictedChanges;
        for (var row = 0; row < problems.Count; row++)
        {
            var (distance, value, radius) = (distances[row].item<double>(), values[row].item<double>(), problems[row].Radius);
            if (row % 2 == 1)
            {
                Assert.Equal(double.PositiveInfinity, distance);
            }
            else if (value < 0)
            {
                Assert.InRange(distance, 0, radius);
                Assert.Equal(-value, changes[row].item<double>(), Math.Abs(value) * 1e-9);
                Assert.True(before[row].item<double>() < -value, problems[row].Name);
            }
            else
            {
                Assert.Equal(0, distance);
            }
        }
    }

    [Fact]
    public void A_row_that_is_not_finite_does_not_affect_the_others()
    {
        using var scope = NewDisposeScope();
        var problems = QuadraticProblem.Cases(10, seed: 7).Take(4).ToArray();
        var (model, hessians, radii) = QuadraticProblem.Batch(problems);
        hessians[1, 3, 4] = double.NaN;
        model.Gradients[2, 0] = double.PositiveInfinity;
        var subproblem = new LanczosSubproblem(model, radii, 10, 0, Seeds(4));
        var solution = subproblem.Solve(radii);
        Assert.Equal([SubproblemExit.Exact, SubproblemExit.NotFinite, SubproblemExit.NotFinite, SubproblemExit.Exact], solution.Exits);
        Assert.Equal([10, 1, 0, 10], solution.Products);
        Assert.Equal([true, false, false, true], solution.Steps.isfinite().all(1).data<bool>().ToArray());
        Assert.False(solution.Steps[1].isfinite().any().item<bool>());
        foreach (var row in new[] { 0, 3 })
        {
            QuadraticProblem.AssertOptimal(problems[row].Name, hessians[row], model.Gradients[row], problems[row].Radius, solution.Steps[row], solution.OnBoundary[row]);
        }

        var none = new LanczosSubproblem(model with { Gradients = full_like(model.Gradients, double.NaN) }, radii, 10, 0, Seeds(4)).Solve(radii);
        Assert.All(none.Exits, exit => Assert.Equal(SubproblemExit.NotFinite, exit));
        Assert.False(none.Steps.isfinite().any().item<bool>());
    }

    [Fact]
    public void The_predicted_change_of_a_step_in_the_space_equals_that_of_its_solution()
    {
        using var scope = NewDisposeScope();
        var problems = QuadraticProblem.Cases(25, seed: 8);
        var (model, _, radii) = QuadraticProblem.Batch(problems);
        foreach (var cap in new[] { 1, 4, 25 })
        {
            var subproblem = new LanczosSubproblem(model, radii, cap, 0.05, Seeds(problems.Count));
            var solution = subproblem.Solve(radii);
            Assert.True(subproblem.PredictedChanges(solution.Steps).allclose(solution.PredictedChanges, rtol: 1e-8, atol: 1e-12));
        }
    }

    private static void AssertChangesAreThoseOfTheModel(QuadraticModel model, SubproblemSolution solution)
    {
        var changes = (model.Gradients * solution.Steps).sum(1).Plus((model.Hessian(solution.Steps) * solution.Steps).sum(1) / tensor(2.0));
        Assert.True(changes.allclose(solution.PredictedChanges, rtol: 1e-8, atol: 1e-12));
    }

    private static long[] Seeds(int count) => [.. Enumerable.Range(1, count).Select(row => row * 1_000_003L)];
}
