using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Tensors;

/// <summary>Lifetimes of tensors: formulas whose intermediate results are disposed, and states that outlive an iteration.</summary>
internal static class Scoping
{
    /// <summary>Computes a tensor and disposes all other tensors that the computation creates.</summary>
    /// <param name="formula">The computation.</param>
    /// <returns>The tensor, in the dispose scope of the caller.</returns>
    public static Tensor Scoped(Func<Tensor> formula)
    {
        using var scope = NewDisposeScope();
        return formula().MoveToOuterDisposeScope();
    }

    /// <summary>Computes a state and disposes all other tensors that the computation creates.</summary>
    /// <typeparam name="T">The type of the state.</typeparam>
    /// <param name="formula">The computation.</param>
    /// <returns>The state, in the dispose scope of the caller.</returns>
    public static T Scoped<T>(Func<T> formula)
        where T : IRows<T>
    {
        using var scope = NewDisposeScope();
        return formula().Map(tensor => tensor.MoveToOuterDisposeScope());
    }

    /// <summary>Selects rows of every tensor of a state.</summary>
    /// <typeparam name="T">The type of the state.</typeparam>
    /// <param name="state">The state.</param>
    /// <param name="positions">The positions of the rows, ascending, int64.</param>
    public static T Select<T>(this T state, Tensor positions)
        where T : IRows<T> => state.Map(tensor => tensor.Rows(positions));

    /// <summary>Selects rows of a tensor; without a copy if these are all.</summary>
    /// <param name="tensor">The tensor, shape [batch, …].</param>
    /// <param name="positions">The positions of the rows, ascending, int64.</param>
    public static Tensor Rows(this Tensor tensor, Tensor positions) => positions.shape[0] == tensor.shape[0] ? tensor.alias() : tensor.index_select(0, positions);

    /// <summary>Moves the tensors of a state to the scope of a loop and disposes those of the state before.</summary>
    /// <remarks>Without it, the states of all iterations together might not fit into memory.</remarks>
    /// <typeparam name="T">The type of the state.</typeparam>
    /// <param name="previous">The state before, none of whose tensors is part of <paramref name="next"/>.</param>
    /// <param name="next">The next state, in a scope inside the loop: TorchSharp loses a tensor that is moved to the scope in which it already is.</param>
    /// <param name="loop">The scope of the loop.</param>
    /// <returns>The next state.</returns>
    public static T ReplacedBy<T>(this T previous, T next, DisposeScope loop)
        where T : IRows<T>
    {
        next.Map(tensor => tensor.MoveToOtherDisposeScope(loop));
        previous.Free();
        return next;
    }

    /// <summary>Disposes the tensors of a state.</summary>
    /// <typeparam name="T">The type of the state.</typeparam>
    /// <param name="state">The state.</param>
    public static void Free<T>(this T state)
        where T : IRows<T> => state.Map(tensor =>
        {
            tensor.Dispose();
            return tensor;
        });
}

/// <summary>A state with one row per image: a record that lists its tensors once, in <see cref="Map"/>.</summary>
/// <typeparam name="TSelf">The type of the record.</typeparam>
internal interface IRows<out TSelf>
{
    /// <summary>Applies a function to every tensor.</summary>
    /// <param name="map">The function.</param>
    /// <returns>The state of the results.</returns>
    TSelf Map(Func<Tensor, Tensor> map);
}
