using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The nearest point that fooled, of each attacked image.</summary>
/// <param name="images">x, [attacked, …].</param>
internal sealed class BestPoints(Tensor images) : IDisposable
{
    /// <summary>The points; the image itself where none has fooled, [attacked, …].</summary>
    public Tensor Points { get; } = images.clone().DetachFromDisposeScope();

    /// <summary>Their lengths ‖x′ − x‖; infinite where none has fooled, [attacked].</summary>
    public Tensor Lengths { get; } = full([images.shape[0]], Scalars.PositiveInfinity, dtype: images.dtype, device: images.device).DetachFromDisposeScope();

    /// <summary>Whether any point has fooled, of each image.</summary>
    public bool[] Found()
    {
        using var finite = Lengths.isfinite();
        return finite.ToBools();
    }

    /// <summary>Takes over the points that fool and are nearer than those known. Nothing here waits for the device.</summary>
    /// <param name="positions">The images the points are of, int64 [active].</param>
    /// <param name="points">[active, …].</param>
    /// <param name="lengths">‖x′ − x‖, [active].</param>
    /// <param name="fooled">Whether they fool, bool [active].</param>
    public void Improve(Tensor positions, Tensor points, Tensor lengths, Tensor fooled)
    {
        using var scope = NewDisposeScope();
        var known = Lengths.index_select(0, positions);
        var better = fooled.logical_and(lengths.lt(known));
        Lengths.index_copy_(0, positions, where(better, lengths, known));
        Points.index_copy_(0, positions, where(PerSample.Broadcast(better, points), points, Points.index_select(0, positions)));
    }

    public void Dispose()
    {
        Points.Dispose();
        Lengths.Dispose();
    }
}
