using static TorchSharp.torch;

namespace Brink.Testing;

/// <summary>Class 0 where a function of the image is negative, class 1 where it is positive: the logits are 0 and that function.</summary>
/// <param name="function">From images flattened to [batch, size] to [batch].</param>
public sealed class TwoClasses(Func<Tensor, Tensor> function) : IClassifier
{
    public string Name => "two classes";

    public int ClassCount => 2;

    public Bounds Bounds { get; init; } = new(-100, 100);

    /// <summary>Class 1 where all of ⟨n_i, x⟩ ≥ c_i hold: an intersection of half-spaces.</summary>
    public static TwoClasses Intersection(double[][] normals, double[] offsets) => new(images =>
    {
        using var matrix = tensor(normals.SelectMany(normal => normal).ToArray()).reshape(normals.Length, -1);
        using var constants = tensor(offsets);
        return (images.matmul(matrix.t()) - constants).amin([1]);
    });

    /// <summary>Class 1 inside the ball of radius R around a centre, or outside of it.</summary>
    public static TwoClasses Ball(double[] centre, double radius, bool inside) => new(images =>
    {
        using var middle = tensor(centre);
        var beyond = (images - middle).pow(2).sum(1) - (radius * radius);
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
