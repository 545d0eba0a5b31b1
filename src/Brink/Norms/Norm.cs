using static TorchSharp.torch;

namespace Brink.Norms;

/// <summary>A length for perturbations that knows its dual. Every method works on a batch, one value an image.</summary>
/// <remarks>‖·‖_p with p = 2 or ∞, and its dual ‖·‖_q with 1/p + 1/q = 1: the largest ⟨g, s⟩ over ‖s‖_p ≤ 1 is ‖g‖_q.</remarks>
public abstract class Norm
{
    private Norm(string name) => Name = name;

    /// <summary>The Euclidean length, its own dual.</summary>
    public static Norm L2 { get; } = new Euclidean();

    /// <summary>The largest absolute entry. Its dual is <see cref="L1"/>.</summary>
    public static Norm LInf { get; } = new Maximum();

    /// <summary>The sum of the absolute entries, here as the dual of <see cref="LInf"/>.</summary>
    public static Norm L1 { get; } = new AbsoluteSum();

    /// <summary>The name as the command line writes it: <c>l2</c>, <c>linf</c>, <c>l1</c>.</summary>
    public string Name { get; }

    /// <summary>‖·‖_q.</summary>
    public abstract Norm Dual { get; }

    /// <summary>The norm of each image.</summary>
    /// <param name="batch">[batch, …], any floating type.</param>
    /// <returns>[batch], of the same type.</returns>
    public abstract Tensor Of(Tensor batch);

    /// <summary>For each image the direction d with ‖d‖_p = 1 and the largest ⟨g, d⟩.</summary>
    /// <param name="gradients">g, [batch, …]; a zero gradient has the zero direction.</param>
    /// <returns>d, the shape of <paramref name="gradients"/>.</returns>
    public abstract Tensor SteepestDirections(Tensor gradients);

    /// <inheritdoc/>
    public override string ToString() => Name;

    private sealed class Euclidean() : Norm("l2")
    {
        public override Norm Dual => this;

        public override Tensor Of(Tensor batch) => batch.flatten(1).norm(1, false, 2);

        public override Tensor SteepestDirections(Tensor gradients)
        {
            using var scope = NewDisposeScope();
            var lengths = PerSample.Broadcast(Of(gradients), gradients);
            // 0/0 would be NaN, and in a batch NaN spreads.
            return gradients.div(lengths.masked_fill(lengths.eq(Scalars.Zero), Scalars.One)).MoveToOuterDisposeScope();
        }
    }

    private sealed class Maximum() : Norm("linf")
    {
        public override Norm Dual => L1;

        public override Tensor Of(Tensor batch)
        {
            using var scope = NewDisposeScope();
            return batch.flatten(1).abs().amax([1]).MoveToOuterDisposeScope();
        }

        public override Tensor SteepestDirections(Tensor gradients) => gradients.sign();
    }

    private sealed class AbsoluteSum() : Norm("l1")
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
    }
}
