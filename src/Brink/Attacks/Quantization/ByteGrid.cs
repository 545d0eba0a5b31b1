using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The 256 values an entry of an 8-bit image can have between the classifier's bounds: level k is lower + (k/255)(upper − lower).</summary>
/// <param name="bounds">The bounds: those of the pixels 0 and 255.</param>
/// <param name="images">Images of 8 bits, [batch, …].</param>
internal sealed class ByteGrid(Bounds bounds, Tensor images)
{
    /// <summary>The largest level.</summary>
    public const int Largest = 255;

    /// <summary>How far an entry of an 8-bit image may lie from its level: normalising rounds.</summary>
    private const double Slack = 0.01;

    private readonly Tensor _lower = bounds.Lower(images);
    private readonly Tensor _range = bounds.Upper(images) - bounds.Lower(images);

    /// <summary>How many levels each entry lies above the lower bound, not rounded, [batch, …].</summary>
    public Tensor Levels(Tensor points)
    {
        using var scope = NewDisposeScope();
        using var largest = Scalars.Of(Largest);
        return (points - _lower).div(_range).mul(largest).MoveToOuterDisposeScope();
    }

    /// <summary>Whether the images are of 8 bits, all of them.</summary>
    public bool Holds()
    {
        using var scope = NewDisposeScope();
        var levels = Levels(images);
        return (levels - levels.round()).abs().max().to(ScalarType.Float64).item<double>() < Slack;
    }

    /// <summary>The images moved by whole numbers of levels, [batch, …]; an entry that is not moved keeps its value to the last bit.</summary>
    /// <param name="originals">8-bit images, [batch, …].</param>
    /// <param name="moves">By how many levels, [batch, …]; rounded here, and cut where the grid ends.</param>
    public Tensor Moved(Tensor originals, Tensor moves)
    {
        using var scope = NewDisposeScope();
        using var largest = Scalars.Of(Largest);
        var levels = Levels(originals).round();
        var moved = levels.Plus(moves.round()).clamp(Scalars.Zero, largest);
        return where(moved.eq(levels), originals, (moved.div(largest) * _range).Plus(_lower)).MoveToOuterDisposeScope();
    }
}
