using Brink.Optimization;
using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>Products with the Hessian of an objective at images: v ↦ Hv, each image with its own H and its own v.</summary>
internal static class HessianProducts
{
    /// <summary>Exact ones, by differentiating the gradients of a pass once more.</summary>
    /// <param name="pass">The pass, after <see cref="ForwardPass.GradientsForProducts"/>; it must live as long as products are asked for.</param>
    /// <param name="rows">The rows of the pass that are meant, int64 [rows], ascending. The graph of the others is gone through all the same.</param>
    public static LinearOperator Exact(ForwardPass pass, Tensor rows) => vectors =>
    {
        if (rows.shape[0] == pass.Points.shape[0])
        {
            return pass.HessianProducts(vectors);
        }

        using var scope = NewDisposeScope();
        var all = zeros_like(pass.Points).index_copy(0, rows, vectors);
        return pass.HessianProducts(all).index_select(0, rows).MoveToOuterDisposeScope();
    };

    /// <summary>Central differences of gradients, (∇f(x + hd) − ∇f(x − hd)) / 2h · ‖v‖ with d = v/‖v‖: for networks that cannot be differentiated twice.</summary>
    /// <remarks>The images leave their bounds by h at most.</remarks>
    /// <param name="points">x, [batch, …].</param>
    /// <param name="step">h, in units of the input space.</param>
    /// <param name="gradients">∇f at given points, one forward and one backward pass.</param>
    public static LinearOperator Differences(Tensor points, double step, Func<Tensor, Tensor> gradients) => vectors =>
    {
        using var scope = NewDisposeScope();
        using Scalar length = Scalars.Of(step), width = Scalars.Of(2 * step);
        var shifts = Norm.L2.SteepestDirections(vectors).mul(length);
        var differences = gradients(points.Plus(shifts)) - gradients(points - shifts);
        return differences.mul(PerSample.Broadcast(Norm.L2.Of(vectors), vectors)).div(width).MoveToOuterDisposeScope();
    };
}
