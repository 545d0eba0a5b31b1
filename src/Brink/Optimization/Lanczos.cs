using static TorchSharp.torch;

namespace Brink.Optimization;

/// <summary>A symmetric linear map for each row of a batch, v ↦ Hv, known by its products only. It may be indefinite.</summary>
/// <param name="vectors">The vectors v, shape [batch, …].</param>
/// <returns>The products Hv, of the same shape; a row of the result depends on that row of the vectors only.</returns>
internal delegate Tensor LinearOperator(Tensor vectors);

/// <summary>The Lanczos process for each row of a batch: an orthonormal basis Q of the Krylov space of H and a first vector g, in which H is tridiagonal.</summary>
/// <remarks>
/// <para>
/// Golub &amp; Van Loan (4th ed.), §10.1, with the columns q_k of Q:
/// β₀ q₁ = g;  H q_k = β_{k-1} q_{k-1} + α_k q_k + β_k q_{k+1}, so that Qᵀ H Q = T with diagonal α and off-diagonal β, and Qᵀ g = β₀ e₁.
/// </para>
/// <para>
/// With this recurrence alone, rounding spoils the orthogonality of the basis. Therefore H q_k is orthogonalised against all vectors of the
/// basis, twice, which is enough (Giraud, Langou, Rozložník, van den Eshof 2005). For few vectors the cost is negligible beside that of a product.
/// </para>
/// <para>
/// If β_k is zero, the space is closed under H. The row then continues with β_k = 0 and a random vector orthogonal to the space, so that T
/// splits into blocks and shows the curvature outside the Krylov space. A zero g is treated in the same way.
/// </para>
/// <para>The tensors belong to the dispose scope in which the process is created.</para>
/// </remarks>
internal sealed class Lanczos
{
    private readonly LinearOperator _operator;
    private readonly long[] _shape;
    private readonly IReadOnlyList<long> _seeds;
    private readonly Tensor _basis;

    // A residual below this share of the largest entry of T is a rounding error: the space is closed.
    private readonly double _breakdown;
    private readonly double[] _largestEntries;
    private readonly List<double[]> _diagonals = [];
    private readonly List<double[]> _offDiagonals = [];
    private Tensor _residuals;

    /// <summary>Initializes the process; the first product is taken by the first <see cref="Extend"/>.</summary>
    /// <param name="operator">The operator H.</param>
    /// <param name="starts">The first vectors g, shape [batch, …].</param>
    /// <param name="capacity">The maximum number of products, from 1 to the number of entries of a row.</param>
    /// <param name="seeds">The seed of the random vectors of each row.</param>
    public Lanczos(LinearOperator @operator, Tensor starts, int capacity, IReadOnlyList<long> seeds)
    {
        var (rows, entries) = (starts.shape[0], starts.numel() / starts.shape[0]);
        (_operator, _shape, _seeds) = (@operator, starts.shape, seeds);
        _basis = zeros(rows, capacity, entries, dtype: starts.dtype, device: starts.device);
        using var flat = starts.reshape(rows, entries);
        _residuals = flat.nan_to_num(0, 0, 0);
        _breakdown = finfo(starts.dtype).eps * Math.Sqrt(entries);
        _largestEntries = new double[rows];
        using var lengths = Norm.L2.Of(flat);
        ResidualLengths = lengths.ToDoubles();
        StartLengths = ResidualLengths;
    }

    /// <summary>The number of products so far, which is the dimension of the space.</summary>
    public int Dimension => _diagonals.Count;

    /// <summary>The length β₀ = ‖g‖ of the first vector of each row.</summary>
    public IReadOnlyList<double> StartLengths { get; }

    /// <summary>The length β_k of the component of H q_k outside the space, for each row; zero if the space is closed under H, not finite if H is not.</summary>
    public IReadOnlyList<double> ResidualLengths { get; private set; }

    /// <summary>Takes one product per row: adds q_k to the basis and computes α_k and β_k.</summary>
    /// <param name="wanted">The flags of the rows to continue. The others get zero vectors and no product; a row that was left out must not be continued later.</param>
    public void Extend(IReadOnlyList<bool> wanted)
    {
        using var scope = NewDisposeScope();
        var (rows, k) = (_largestEntries.Length, Dimension);
        var closed = Enumerable.Range(0, rows).Select(row => ResidualLengths[row] <= _breakdown * _largestEntries[row]).ToArray();
        _offDiagonals.Add([.. Enumerable.Range(0, rows).Select(row => wanted[row] && !closed[row] ? ResidualLengths[row] : 0)]);

        var lengths = Enumerable.Range(0, rows).Select(row => wanted[row] && !closed[row] ? ResidualLengths[row] : double.PositiveInfinity).ToArray();
        var q = _residuals / Columns([lengths]);
        foreach (var row in Enumerable.Range(0, rows).Where(row => wanted[row] && closed[row]))
        {
            q[row] = Outside(row, k);
        }

        _basis.select(1, k).copy_(q);
        var w = _operator(q.reshape(_shape)).reshape(rows, -1);
        var alpha = PerSample.Dot(q, w).ToDoubles();
        var space = _basis.narrow(1, 0, k + 1);
        w = Orthogonal(Orthogonal(w, space), space);
        var beta = Norm.L2.Of(w).ToDoubles();

        for (var row = 0; row < rows; row++)
        {
            alpha[row] = wanted[row] ? alpha[row] : 0;
            beta[row] = wanted[row] ? beta[row] : 0;
            _largestEntries[row] = Math.Max(_largestEntries[row], Math.Max(Math.Abs(alpha[row]), beta[row]));
        }

        _diagonals.Add(alpha);
        ResidualLengths = beta;
        _residuals.Dispose();
        _residuals = w.nan_to_num(0, 0, 0).MoveToOuterDisposeScope();
    }

    /// <summary>Returns T of a row: the diagonal α₁ … α_k and the off-diagonal β₁ … β_{k-1}.</summary>
    /// <param name="row">The row.</param>
    /// <param name="dimension">The dimension k.</param>
    public (double[] Diagonal, double[] OffDiagonal) Tridiagonal(int row, int dimension) =>
        ([.. _diagonals.Take(dimension).Select(entries => entries[row])], [.. _offDiagonals.Skip(1).Take(dimension - 1).Select(entries => entries[row])]);

    /// <summary>Computes Qu, a combination of the basis vectors of each row.</summary>
    /// <param name="coefficients">The coordinates u of each row, at most <see cref="Dimension"/> entries; missing entries are 0.</param>
    /// <returns>The vectors Qu, shape [batch, …].</returns>
    public Tensor Combine(IReadOnlyList<double[]> coefficients)
    {
        using var scope = NewDisposeScope();
        var padded = coefficients.SelectMany(row => row.Concat(Enumerable.Repeat(0.0, Dimension - row.Length))).ToArray();
        var u = tensor(padded, device: _basis.device).to(_basis.dtype).reshape(coefficients.Count, Dimension, 1);
        return _basis.narrow(1, 0, Dimension).transpose(1, 2).bmm(u).reshape(_shape).MoveToOuterDisposeScope();
    }

    /// <summary>Computes the curvatures ⟨Qᵀs, T Qᵀs⟩, shape [batch], without a product; equal to ⟨s, Hs⟩ for s in the space.</summary>
    /// <param name="vectors">The vectors s, shape [batch, …].</param>
    public Tensor Curvatures(Tensor vectors)
    {
        using var scope = NewDisposeScope();
        var u = _basis.narrow(1, 0, Dimension).bmm(vectors.reshape(_largestEntries.Length, -1, 1)).squeeze(2);
        var curvatures = u.pow(Scalars.Two).mul(Columns(_diagonals)).sum(1);
        if (Dimension > 1)
        {
            var neighbours = u.narrow(1, 0, Dimension - 1) * u.narrow(1, 1, Dimension - 1);
            var oneSide = neighbours.mul(Columns(_offDiagonals.Skip(1))).sum(1);
            curvatures = curvatures.Plus(oneSide).Plus(oneSide);
        }

        return curvatures.MoveToOuterDisposeScope();
    }

    /// <summary>Subtracts from w its components in the space.</summary>
    private static Tensor Orthogonal(Tensor w, Tensor space)
    {
        using var scope = NewDisposeScope();
        var components = space.bmm(w.unsqueeze(2));
        return w.sub(space.transpose(1, 2).bmm(components).squeeze(2)).MoveToOuterDisposeScope();
    }

    /// <summary>Draws a random unit vector orthogonal to the space of a row.</summary>
    private Tensor Outside(int row, int dimension)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(RandomSeed.Of(_seeds[row], dimension), CPU);
        var vector = randn(1, _basis.shape[2], dtype: ScalarType.Float64, generator: generator).to(_basis.dtype).to(_basis.device);
        var space = _basis.narrow(0, row, 1).narrow(1, 0, dimension);
        for (var round = 0; round < 2; round++)
        {
            vector = Norm.L2.SteepestDirections(dimension > 0 ? Orthogonal(vector, space) : vector);
        }

        return vector.squeeze(0).MoveToOuterDisposeScope();
    }

    /// <summary>Converts lists with one number per row to a tensor of shape [batch, lists].</summary>
    private Tensor Columns(IEnumerable<double[]> lists)
    {
        using var scope = NewDisposeScope();
        var all = lists.ToArray();
        return tensor(all.SelectMany(list => list).ToArray(), device: _basis.device).to(_basis.dtype).reshape(all.Length, -1).t().MoveToOuterDisposeScope();
    }
}
