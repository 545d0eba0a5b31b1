using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The attacked images, with what an attack needs to know of each; a row an image.</summary>
/// <param name="Images">x, [attacked, …].</param>
/// <param name="Labels">y, int64 [attacked].</param>
/// <param name="Targets">t, int64 [attacked]; −1 where none is chosen.</param>
internal sealed record Subjects(Tensor Images, Tensor Labels, Tensor Targets)
{
    /// <summary>The images at the given positions.</summary>
    public Subjects Select(Tensor positions) => new(Images.index_select(0, positions), Labels.index_select(0, positions), Targets.index_select(0, positions));
}
