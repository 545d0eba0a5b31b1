using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Testing;

/// <summary>A classifier with two classes, whose logits are 0 and the value of a function: class 0 where the function is negative, class 1 where it is positive.</summary>
/// <param name="function">The function, from images of shape [batch, size] to values of shape [batch].</param>
public sealed class TwoClasses(Func<Tensor, Tensor> function) : IClassifier
{
    public string Name => "two classes";

    public int ClassCount => 2;

    public Bounds Bounds { get; init; } = new(-100, 100);

    /// <summary>Creates a classifier whose class 1 is an intersection of half-spaces ⟨n_i, x⟩ ≥ c_i.</summary>
    /// <param name="normals">The normals n_i.</param>
    /// <param name="offsets">The constants c_i.</param>
    public static TwoClasses Intersection(double[][] normals, double[] offsets) => new(images =>
    {
        using var matrix = tensor(normals.SelectMany(normal => normal).ToArray()).reshape(normals.Length, -1);
        using var constants = tensor(offsets);
        return (images.matmul(matrix.t()) - constants).amin([1]);
    });

    /// <summary>Creates a classifier whose class 1 is the inside or the outside of a ball.</summary>
    /// <param name="centre">The centre of the ball.</param>
    /// <param name="radius">The radius of the ball.</param>
    /// <param name="inside">Whether class 1 is the inside.</param>
    public static TwoClasses Ball(double[] centre, double radius, bool inside) => new(images =>
    {
        using var middle = tensor(centre);
        using var square = Scalars.Of(radius * radius);
        var beyond = (images - middle).pow(Scalars.Two).sum(1).sub(square);
        return inside ? -beyond : beyond;
    });

    public Tensor Logits(Tensor images)
    {
        using var scope = NewDisposeScope();
        var values = function(images.flatten(1));
        return stack([zeros_like(values), values], 1).MoveToOuterDisposeScope();
    }

    public IDisposable EnterEvaluation() => NewDisposeScope();
}
