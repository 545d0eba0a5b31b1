using Brink.Optimization;
using static TorchSharp.torch;

namespace Brink.Tests.Optimization;

// One test compares the random state of the process before and after.
[Collection(nameof(Attacks.ExclusiveCollection))]
public sealed class LanczosTests
{
    private const int Size = 24;

    [Fact]
    public void The_basis_is_orthonormal_and_makes_any_symmetric_matrix_tridiagonal()
    {
        using var scope = NewDisposeScope();
        var problems = QuadraticProblem.Cases(Size, seed: 1);
        var (model, hessians, _) = QuadraticProblem.Batch(problems);
        var lanczos = Extended(new(model.Hessian, model.Gradients, Size, Seeds(problems.Count)), problems.Count, Size);
        var basis = Basis(lanczos, problems.Count);
        for (var row = 0; row < problems.Count; row++)
        {
            var (q, hessian) = (basis[row], hessians[row]);
            var size = Math.Max(1e-300, problems[row].Eigenvalues.Max(Math.Abs));
            Assert.True((q.t().matmul(q) - eye(Size, dtype: ScalarType.Float64)).abs().max().item<double>() < 1e-12, problems[row].Name);
            Assert.True((q.t().matmul(hessian).matmul(q) - Dense(lanczos, row)).abs().max().item<double>() < 1e-12 * size, problems[row].Name);
            Assert.True((q.matmul(Dense(lanczos, row)).matmul(q.t()) - hessian).abs().max().item<double>() < 1e-12 * size, problems[row].Name);
            Assert.True((q.t().matmul(model.Gradients[row])[1..]).abs().max().item<double>() < 1e-12, problems[row].Name);
        }
    }

    [Fact]
    public void A_closed_space_is_detected_in_its_row_only()
    {
        using var scope = NewDisposeScope();
        // Ranks 0, 1, 3 and full. The start has a component in the null space, so the Krylov spaces of the first three have 1, 2 and 4 dimensions.
        var hessians = stack([.. new[] { 0, 1, 3, Size }.Select(rank => diag(tensor(Enumerable.Range(0, Size).Select(i => i < rank ? (1.0 - (2 * (i % 2))) * (i + 1) : 0).ToArray())))]);
        var starts = ones(4, Size, dtype: ScalarType.Float64);
        var lanczos = new Lanczos(vectors => hessians.matmul(vectors.unsqueeze(2)).squeeze(2), starts, 8, Seeds(4));
        int[] ClosedAt(int dimension)
        {
            var lengths = Extended(lanczos, 4, dimension).ResidualLengths;
            return [.. Enumerable.Range(0, 4).Where(row => lengths[row] < 1e-12)];
        }

        Assert.Equal([0], ClosedAt(1));
        Assert.Contains(1, ClosedAt(2));
        Assert.DoesNotContain(2, ClosedAt(3));
        Assert.Contains(2, ClosedAt(4));
        Assert.All(Enumerable.Range(5, 4), dimension => Assert.DoesNotContain(3, ClosedAt(dimension)));
    }

    [Fact]
    public void Random_vectors_are_determined_by_the_seed_of_the_row()
    {
        using var scope = NewDisposeScope();
        var nothing = zeros(3, Size, dtype: ScalarType.Float64);
        var state = torch.random.get_rng_state();
        var basis = Basis(Extended(new(vectors => vectors * 0, nothing, 3, [5, 6, 5]), 3, 3), 3);
        var alone = Basis(Extended(new(vectors => vectors * 0, nothing[..1], 3, [6]), 1, 3), 1);
        Assert.True(state.equal(torch.random.get_rng_state()).all().item<bool>());
        Assert.True(basis[0].equal(basis[2]).all().item<bool>());
        Assert.True(basis[1].allclose(alone[0], rtol: 0, atol: 1e-14));
        Assert.True((basis[0] - basis[1]).abs().max().item<double>() > 0.1);
    }

    [Fact]
    public void The_basis_stays_orthogonal_in_single_precision_with_a_spectrum_of_eight_decades()
    {
        using var scope = NewDisposeScope();
        const int n = 400;
        var eigenvalues = tensor(Enumerable.Range(0, n).Select(i => (float)(Math.Pow(10, -8.0 * i / n) * (i % 3 == 0 ? -1 : 1))).ToArray());
        var lanczos = Extended(new(vectors => vectors * eigenvalues, ones(2, n), 60, Seeds(2)), 2, 60);
        var basis = Basis(lanczos, 2);
        Assert.True((basis[0].t().matmul(basis[0]) - eye(60)).abs().max().item<float>() < 1e-5);
    }

    [Fact]
    public void Rows_left_out_get_zero_vectors()
    {
        using var scope = NewDisposeScope();
        var problems = QuadraticProblem.Cases(Size, seed: 2).Take(2).ToArray();
        var (model, _, _) = QuadraticProblem.Batch(problems);
        var seen = new List<double>();
        var lanczos = new Lanczos(vectors => { seen.Add(vectors[0].norm().item<double>()); return model.Hessian(vectors); }, model.Gradients, 3, Seeds(2));
        lanczos.Extend([true, true]);
        lanczos.Extend([false, true]);
        lanczos.Extend([false, true]);
        Assert.Equal([1.0, 0.0, 0.0], seen.Select(length => Math.Round(length, 12)));
    }

    private static Lanczos Extended(Lanczos lanczos, int rows, int dimension)
    {
        while (lanczos.Dimension < dimension)
        {
            lanczos.Extend([.. Enumerable.Repeat(true, rows)]);
        }

        return lanczos;
    }

    /// <summary>Returns the basis Q of each row, shape [batch, size, dimension].</summary>
    private static Tensor Basis(Lanczos lanczos, int rows) => stack([.. Enumerable.Range(0, lanczos.Dimension).Select(column =>
        lanczos.Combine([.. Enumerable.Repeat(Enumerable.Range(0, lanczos.Dimension).Select(entry => entry == column ? 1.0 : 0.0).ToArray(), rows)]))], -1);

    private static Tensor Dense(Lanczos lanczos, int row)
    {
        var (diagonal, offDiagonal) = lanczos.Tridiagonal(row, lanczos.Dimension);
        return diag(tensor(diagonal)) + diag(tensor(offDiagonal), 1) + diag(tensor(offDiagonal), -1);
    }

    private static long[] Seeds(int count) => [.. Enumerable.Range(1, count).Select(row => row * 1_000_003L)];
}
