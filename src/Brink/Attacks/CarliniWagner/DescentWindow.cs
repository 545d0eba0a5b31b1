using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>What happened to each image in the last stretch of its descent, kept on the device so that no iteration waits for it.</summary>
/// <param name="like">One number an image, for type and device, [attacked].</param>
internal sealed class DescentWindow(Tensor like)
{
    private readonly Tensor _lowestLosses = full_like(like, Scalars.PositiveInfinity);
    private readonly Tensor _fooled = zeros_like(like, dtype: ScalarType.Bool);

    /// <summary>Notes an iteration.</summary>
    /// <param name="positions">The images still descending, int64 [active].</param>
    /// <param name="losses">[active]; NaN stays.</param>
    /// <param name="fooled">bool [active].</param>
    public void Note(Tensor positions, Tensor losses, Tensor fooled)
    {
        using var scope = NewDisposeScope();
        _lowestLosses.index_copy_(0, positions, minimum(_lowestLosses.index_select(0, positions), losses));
        _fooled.index_copy_(0, positions, _fooled.index_select(0, positions).logical_or(fooled));
    }

    /// <summary>Begins a new stretch for the given images.</summary>
    public void Clear(Tensor positions)
    {
        _lowestLosses.index_fill_(0, positions, Scalars.PositiveInfinity);
        _fooled.index_fill_(0, positions, Scalars.Zero);
    }

    /// <summary>The lowest loss of each of the given images.</summary>
    public double[] LowestLosses(Tensor positions)
    {
        using var losses = _lowestLosses.index_select(0, positions);
        return losses.ToDoubles();
    }

    /// <summary>Whether a point of the last stretch fooled, of every image.</summary>
    public bool[] Fooled() => _fooled.ToBools();
}
