using System.Diagnostics.CodeAnalysis;
using static TorchSharp.torch;

namespace Brink;

/// <summary>A norm of perturbations and its dual. All methods work on a batch and give one value per image.</summary>
/// <remarks>The norm ‖·‖_p with p = 2, ∞ or 1 has the dual ‖·‖_q with 1/p + 1/q = 1: the largest ⟨g, s⟩ over ‖s‖_p ≤ 1 is ‖g‖_q.</remarks>
public abstract class Norm
{
    private Norm(string name, string displayName) => (Name, DisplayName) = (name, displayName);

    /// <summary>The Euclidean norm, which is its own dual.</summary>
    public static Norm L2 { get; } = new Euclidean();

    /// <summary>The largest absolute value of an entry. The dual is <see cref="L1"/>.</summary>
    public static Norm LInf { get; } = new Maximum();

    /// <summary>The sum of the absolute values of the entries. The dual is <see cref="LInf"/>.</summary>
    public static Norm L1 { get; } = new AbsoluteSum();

    /// <summary>The name in files and on the command line: <c>l2</c>, <c>linf</c> or <c>l1</c>.</summary>
    public string Name { get; }

    /// <summary>The name in tables and figures: <c>L2</c>, <c>L∞</c> or <c>L1</c>.</summary>
    public string DisplayName { get; }

    /// <summary>The dual norm ‖·‖_q.</summary>
    public abstract Norm Dual { get; }

    /// <summary>Reads a norm by its <see cref="Name"/>.</summary>
    /// <param name="name"><c>l2</c>, <c>linf</c> or <c>l1</c>.</param>
    /// <returns>The norm.</returns>
    /// <exception cref="BadInputException">There is no norm of this name.</exception>
    public static Norm Parse(string name) => TryParse(name, out var norm)
        ? norm
        : throw new BadInputException($"The norm must be l2, linf or l1, but {Excerpt.Quote(name)} was given.");

    /// <summary>Reads a norm by its <see cref="Name"/>.</summary>
    /// <param name="name"><c>l2</c>, <c>linf</c> or <c>l1</c>.</param>
    /// <param name="norm">The norm; null for any other name.</param>
    /// <returns>True if there is a norm of this name.</returns>
    public static bool TryParse(string? name, [NotNullWhen(true)] out Norm? norm)
    {
        norm = name switch
        {
            "l2" => L2,
            "linf" => LInf,
            "l1" => L1,
            _ => null,
        };
        return norm is not null;
    }

    /// <summary>Computes the norm of each image.</summary>
    /// <param name="batch">The images or perturbations, shape [batch, …], of any floating-point type.</param>
    /// <returns>The norms, shape [batch], of the same type.</returns>
    public abstract Tensor Of(Tensor batch);

    /// <summary>Computes for each image the direction d of steepest ascent: ‖d‖_p = 1 with the largest ⟨g, d⟩.</summary>
    /// <param name="gradients">The gradients g, shape [batch, …].</param>
    /// <returns>The directions d, shape [batch, …]; zero for a zero gradient.</returns>
    public abstract Tensor SteepestDirections(Tensor gradients);

    /// <summary>Computes the directions of steepest ascent of gradients whose dual norms are known.</summary>
    /// <param name="gradients">The gradients g, shape [batch, …].</param>
    /// <param name="slopes">The dual norms ‖g‖_q, shape [batch].</param>
    /// <returns>The directions d, shape [batch, …]; zero for a zero gradient.</returns>
    internal virtual Tensor SteepestDirections(Tensor gradients, Tensor slopes) => SteepestDirections(gradients);

    /// <summary>Projects each perturbation onto its ball: the point of the ball with the smallest Euclidean distance.</summary>
    /// <param name="perturbations">The perturbations, shape [batch, …].</param>
    /// <param name="radii">The radius of each ball, not negative, shape [batch].</param>
    /// <returns>The projected perturbations, shape [batch, …]; those inside their ball are unchanged.</returns>
    public abstract Tensor Project(Tensor perturbations, Tensor radii);

    /// <summary>Draws a point uniformly from the ball of radius 1.</summary>
    /// <param name="shape">The shape of the point.</param>
    /// <param name="generator">A generator on the CPU.</param>
    /// <returns>The point, float64, of the given shape.</returns>
    internal abstract Tensor UniformInUnitBall(long[] shape, Generator generator);

    /// <inheritdoc/>
    public override string ToString() => Name;

    private sealed class Euclidean() : Norm("l2", "L2")
    {
        public override Norm Dual => this;

        public override Tensor Of(Tensor batch)
        {
            using var scope = NewDisposeScope();
            var lengths = batch.flatten(1).norm(1, false, 2);
            if (PerSample.NotOrdinary(lengths, batch) is not { } rescaled)
            {
                return lengths.MoveToOuterDisposeScope();
            }

            // ‖x‖ = m ‖x/m‖ with the largest entry m, whose square may underflow or overflow.
            var (rows, scales) = PerSample.Scaled(batch);
            return where(rescaled, rows.norm(1, false, 2).mul(scales), lengths).MoveToOuterDisposeScope();
        }

        public override Tensor SteepestDirections(Tensor gradients) => Scoped(() => SteepestDirections(gradients, gradients.flatten(1).norm(1, false, 2)));

        internal override Tensor SteepestDirections(Tensor gradients, Tensor slopes)
        {
            using var scope = NewDisposeScope();
            var directions = gradients.div(PerSample.Broadcast(slopes, gradients));
            if (PerSample.NotOrdinary(slopes, gradients) is not { } rescaled)
            {
                return directions.MoveToOuterDisposeScope();
            }

            var (rows, _) = PerSample.Scaled(gradients);
            var lengths = rows.norm(1, true, 2);
            // 0/0 would be NaN.
            var exact = rows.div(lengths.masked_fill(lengths.eq(Scalars.Zero), Scalars.One)).reshape(gradients.shape);
            return where(PerSample.Broadcast(rescaled, gradients), exact, directions).MoveToOuterDisposeScope();
        }

        public override Tensor Project(Tensor perturbations, Tensor radii)
        {
            using var scope = NewDisposeScope();
            var shares = radii.div(Of(perturbations)).nan_to_num(1).clamp_max(Scalars.One);
            return perturbations.mul(PerSample.Broadcast(shares, perturbations)).MoveToOuterDisposeScope();
        }

        // A normally distributed vector has a uniform direction. A ball with the share r of the volume, in dimension d, has the radius r^(1/d).
        internal override Tensor UniformInUnitBall(long[] shape, Generator generator)
        {
            using var scope = NewDisposeScope();
            var normal = randn(shape, dtype: ScalarType.Float64, generator: generator);
            using var exponent = Scalars.Of(1.0 / normal.numel());
            var length = rand([1], dtype: ScalarType.Float64, generator: generator).pow(exponent);
            return normal.mul(length.div(normal.norm())).MoveToOuterDisposeScope();
        }
    }

    private sealed class Maximum() : Norm("linf", "L∞")
    {
        public override Norm Dual => L1;

        public override Tensor Of(Tensor batch)
        {
            using var scope = NewDisposeScope();
            return batch.flatten(1).abs().amax([1]).MoveToOuterDisposeScope();
        }

        public override Tensor SteepestDirections(Tensor gradients) => gradients.sign();

        public override Tensor Project(Tensor perturbations, Tensor radii)
        {
            using var scope = NewDisposeScope();
            var limits = PerSample.Broadcast(radii, perturbations);
            return perturbations.clamp(limits.neg(), limits).MoveToOuterDisposeScope();
        }

        internal override Tensor UniformInUnitBall(long[] shape, Generator generator)
        {
            using var scope = NewDisposeScope();
            var draws = rand(shape, dtype: ScalarType.Float64, generator: generator);
            return draws.Plus(draws).sub(Scalars.One).MoveToOuterDisposeScope();
        }
    }

    private sealed class AbsoluteSum() : Norm("l1", "L1")
    {
        public override Norm Dual => LInf;

        public override Tensor Of(Tensor batch) => batch.flatten(1).norm(1, false, 1);

        public override Tensor SteepestDirections(Tensor gradients)
        {
            using var scope = NewDisposeScope();
            var flat = gradients.flatten(1);
            var largest = flat.abs().argmax(1, keepdim: true);
            var directions = zeros_like(flat).scatter(1, largest, flat.gather(1, largest).sign());
            return directions.reshape(gradients.shape).MoveToOuterDisposeScope();
        }

        // Duchi et al. (2008), "Efficient projections onto the ℓ1-ball for learning in high dimensions": every entry is moved toward 0 by θ, the
        // largest (u₁ + … + u_k − r)/k over the absolute values u in descending order, or by 0 if that is negative.
        public override Tensor Project(Tensor perturbations, Tensor radii)
        {
            using var scope = NewDisposeScope();
            // A sum in single precision over many entries would be too coarse.
            var exact = perturbations.to(ScalarType.Float64);
            var (sorted, _) = exact.flatten(1).abs().sort(1, descending: true);
            var counts = PerSample.Positions(sorted.shape[1], sorted.device).add_(Scalars.One, Scalars.One);
            var shrinkages = sorted.cumsum(1).sub_(radii.unsqueeze(1)).div_(counts).amax([1]).clamp_min(Scalars.Zero);
            var limits = PerSample.Broadcast(shrinkages, exact);
            return (exact - exact.clamp(limits.neg(), limits)).to(perturbations.dtype).MoveToOuterDisposeScope();
        }

        // E/(E₁ + … + E_{d+1}) with exponentially distributed E is uniform in the simplex of dimension d, and random signs extend this to the ball.
        internal override Tensor UniformInUnitBall(long[] shape, Generator generator)
        {
            using var scope = NewDisposeScope();
            var signs = rand(shape, dtype: ScalarType.Float64, generator: generator).Plus(-0.5).sign();
            var exponentials = rand([signs.numel() + 1], dtype: ScalarType.Float64, generator: generator).neg().log1p().neg();
            return signs.mul(exponentials.narrow(0, 0, signs.numel()).div(exponentials.sum()).reshape(shape)).MoveToOuterDisposeScope();
        }
    }
}
