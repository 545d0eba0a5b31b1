using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>Where the walk along the boundary is, and what it believes of the boundary there, a row for each image.</summary>
/// <param name="Points">x_k, [walking, …].</param>
/// <param name="Normals">n, the averaged direction of the gradients, [walking, …].</param>
/// <param name="Distances">−f / ⟨g, d⟩, how far the boundary is along the direction d that is steepest for n; negative once it is crossed, [walking].</param>
/// <param name="Trust">λ, [walking].</param>
/// <param name="CutNormals">c, the direction of the gradient where the walk last fell back, [walking, …]; zero where it never did.</param>
/// <param name="CutRises">How far ⟨c, x⟩ must rise from the image for that linearisation to reach zero, [walking].</param>
internal sealed record WalkState(Tensor Points, Tensor Normals, Tensor Distances, Tensor Trust, Tensor CutNormals, Tensor CutRises) : IDisposable
{
    /// <summary>The same tensors, owned by no scope: to be disposed.</summary>
    public WalkState Detach() => new(
        Points.DetachFromDisposeScope(),
        Normals.DetachFromDisposeScope(),
        Distances.DetachFromDisposeScope(),
        Trust.DetachFromDisposeScope(),
        CutNormals.DetachFromDisposeScope(),
        CutRises.DetachFromDisposeScope());

    /// <inheritdoc/>
    public void Dispose()
    {
        Points.Dispose();
        Normals.Dispose();
        Distances.Dispose();
        Trust.Dispose();
        CutNormals.Dispose();
        CutRises.Dispose();
    }
}
