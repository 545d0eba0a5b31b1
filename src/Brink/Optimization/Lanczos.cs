using static TorchSharp.torch;

namespace Brink.Optimization;

/// <summary>The Lanczos process for each row: an orthonormal basis Q of the Krylov space of H and a first vector, in which H is tridiagonal.</summary>
/// <remarks>
/// <para>
/// Golub &amp; Van Loan (4th ed.), §10.1, each q a column of Q:
/// β₀ q₁ = g;  H q_k = β_{k-1} q_{k-1} + α_k q_k + β_k q_{k+1}, so that Qᵀ H Q = T with diagonal α and off-diagonal β, and Qᵀ g = β₀ e₁.
/// </para>
/// <para>
/// Rounding makes the q of the bare recurrence lose their orthogonality, so H q_k is made orthogonal to all of them, twice, which is
/// enough (Giraud, Langou, Rozložník, van den Eshof 2005). For the few vectors an attack takes this costs next to nothing beside a product.
/// </para>
/// <para>
/// Where β_k vanishes the space is closed under H. The row then goes on with β_k = 0 and a random vector orthogonal to the space:
/// T falls into blocks, and what H does outside the Krylov space comes into sight. A zero g starts in the same way.
/// </para>
/// <para>Its tensors live in the dispose scope it is made in.</para>
/// </remarks>
internal sealed class Lanczos
{
    private readonly LinearOperator _operator;
    private readonly long[] _shape;
    private readonly IReadOnlyList<long> _seeds;
    private readonly Tensor _basis;
    private readonly double _breakdown;
    private readonly double[] _sizes;
    private readonly List<double[]> _diagonals = [];
    private readonly List<double[]> _offDiagonals = [];
    private Tensor _residuals;

    /// <summary>Starts the process of each row; the first product comes with the first <see cref="Extend"/>.</summary>
    /// <param name="operator">H.</param>
    /// <param name="starts">g, [batch, …].</param>
    /// <param name="capacity">The most products, from 1 to the number of entries of a row.</param>
    /// <param name="seeds">One a row, from which its random vectors follow.</param>
    public Lanczos(LinearOperator @operator, Tensor starts, int capacity, IReadOnlyList<long> seeds)
    {
        var (rows, entries) = (starts.shape[0], starts.numel() / starts.shape[0]);
        (_operator, _shape, _seeds) = (@operator, starts.shape, seeds);
        _basis = zeros(rows, capacity, entries, dtype: starts.dtype, device: starts.device);
        using var flat = starts.reshape(rows, entries);
        _residuals = flat.nan_to_num(0, 0, 0);
        _breakdown = finfo(starts.dtype).eps * Math.Sqrt(entries);
        _sizes = new double[rows];
        using var lengths = Norm.L2.Of(flat);
        ResidualLengths = lengths.ToDoubles();
        StartLengths = ResidualLengths;
    }

    /// <summary>The products taken so far.</summary>
    public int Dimension => _diagonals.Count;

    /// <summary>β₀ = ‖g‖ of each row.</summary>
    public IReadOnlyList<double> StartLengths { get; }

    /// <summary>β_k of each row, the length of H q_k outside the space so far: how far from closed under H the space is. Not finite where H is not.</summary>
    public IReadOnlyList<double> ResidualLengths { get; private set; }

    /// <summary>Whether every product of every row was zero.</summary>
    public bool IsZero => Array.TrueForAll(_sizes, size => size == 0);

    /// <summary>One product for each row: q_k enters the basis, α_k and β_k become known.</summary>
    /// <param name="wanted">The rows that go on. The others are given zero vectors and pay for no product; a row once left out stays out.</param>
    public void Extend(IReadOnlyList<bool> wanted)
    {
        using var scope = NewDisposeScope();
        var (rows, k) = (_sizes.Length, Dimension);
        var closed = Enumerable.Range(0, rows).Select(row => ResidualLengths[row] <= _breakdown * _sizes[row]).ToArray();
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
            _sizes[row] = Math.Max(_sizes[row], Math.Max(Math.Abs(alpha[row]), beta[row]));
        }

        _diagonals.Add(alpha);
        ResidualLengths = beta;
        _residuals.Dispose();
        _residuals = w.nan_to_num(0, 0, 0).MoveToOuterDisposeScope();
    }

    /// <summary>T of a row: its diagonal α₁ … α_k and its off-diagonal β₁ … β_{k-1}.</summary>
    public (double[] Diagonal, double[] OffDiagonal) Tridiagonal(int row, int dimension) =>
        ([.. _diagonals.Take(dimension).Select(entries => entries[row])], [.. _offDiagonals.Skip(1).Take(dimension - 1).Select(entries => entries[row])]);

    /// <summary>Qy, a combination of the basis vectors of each row.</summary>
    /// <param name="coefficients">y of each row, at most <see cref="Dimension"/> entries; those missing are 0.</param>
    /// <returns>[batch, …], the shape of the starts.</returns>
    public Tensor Combine(IReadOnlyList<double[]> coefficients)
    {
        using var scope = NewDisposeScope();
        var padded = coefficients.SelectMany(row => row.Concat(Enumerable.Repeat(0.0, Dimension - row.Length))).ToArray();
        var y = tensor(padded, device: _basis.device).to(_basis.dtype).reshape(coefficients.Count, Dimension, 1);
        return _basis.narrow(1, 0, Dimension).transpose(1, 2).bmm(y).reshape(_shape).MoveToOuterDisposeScope();
    }

    /// <summary>⟨s, Hs⟩ of each row as far as the space shows it, ⟨Qᵀs, T Qᵀs⟩, [batch]: exact for s in the space, and no product.</summary>
    public Tensor Curvatures(Tensor vectors)
    {
        using var scope = NewDisposeScope();
        var y = _basis.narrow(1, 0, Dimension).bmm(vectors.reshape(_sizes.Length, -1, 1)).squeeze(2);
        var curvatures = y.pow(Scalars.Two).mul(Columns(_diagonals)).sum(1);
        if (Dimension > 1)
        {
            var neighbours = y.narrow(1, 0, Dimension - 1) * y.narrow(1, 1, Dimension - 1);
            var oneSide = neighbours.mul(Columns(_offDiagonals.Skip(1))).sum(1);
            curvatures = curvatures.Plus(oneSide).Plus(oneSide);
        }

        return curvatures.MoveToOuterDisposeScope();
    }

    /// <summary>w without its components in the space.</summary>
    private static Tensor Orthogonal(Tensor w, Tensor space)
    {
        using var scope = NewDisposeScope();
        var components = space.bmm(w.unsqueeze(2));
        return w.sub(space.transpose(1, 2).bmm(components).squeeze(2)).MoveToOuterDisposeScope();
    }

    /// <summary>A random unit vector orthogonal to the space of a row so far.</summary>
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

    /// <summary>Lists of one number a row, [batch, lists].</summary>
    private Tensor Columns(IEnumerable<double[]> lists)
    {
        using var scope = NewDisposeScope();
        var all = lists.ToArray();
        return tensor(all.SelectMany(list => list).ToArray(), device: _basis.device).to(_basis.dtype).reshape(all.Length, -1).t().MoveToOuterDisposeScope();
    }
}
