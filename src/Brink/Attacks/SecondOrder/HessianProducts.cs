using Brink.Optimization;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>Products of vectors with the Hessian of an objective, v ↦ Hv, where each image has its own H and v.</summary>
internal static class HessianProducts
{
    /// <summary>Returns exact products, which differentiate the gradients of a pass.</summary>
    /// <param name="pass">The pass, after <see cref="ForwardPass.GradientsForProducts"/>; it must not be disposed before the last product.</param>
    /// <param name="rows">The rows of the pass to use, ascending. A product costs as much as for all rows.</param>
    public static LinearOperator Exact(ForwardPass pass, IReadOnlyList<int> rows) => vectors =>
    {
        if (rows.Count == pass.Points.shape[0])
        {
            return pass.HessianProducts(vectors);
        }

        using var scope = NewDisposeScope();
        var positions = tensor(rows.Select(row => (long)row).ToArray(), device: vectors.device);
        var all = zeros_like(pass.Points).index_copy(0, positions, vectors);
        return pass.HessianProducts(all).index_select(0, positions).MoveToOuterDisposeScope();
    };

    /// <summary>Returns products by central differences, (∇f(x + hd) − ∇f(x − hd)) / 2h · ‖v‖ with d = v/‖v‖, for networks that cannot be differentiated twice.</summary>
    /// <remarks>The points x ± hd may leave the bounds by h.</remarks>
    /// <param name="points">The points x, shape [batch, …].</param>
    /// <param name="step">The step h, in units of the input space.</param>
    /// <param name="gradients">A function that returns ∇f at given points, with one forward and one backward pass.</param>
    public static LinearOperator Differences(Tensor points, double step, Func<Tensor, Tensor> gradients) => vectors =>
    {
        using var scope = NewDisposeScope();
        using var width = Scalars.Of(2 * step);
        var shifts = Norm.L2.SteepestDirections(vectors).Times(step);
        var differences = gradients(points.Plus(shifts)) - gradients(points - shifts);
        return differences.Times(Norm.L2.Of(vectors)).div(width).MoveToOuterDisposeScope();
    };
}
