using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The 256 values of an entry of an 8-bit image between the classifier's bounds: level k is lower + (k/255)(upper − lower).</summary>
/// <param name="bounds">The bounds, which correspond to the levels 0 and 255.</param>
/// <param name="images">The 8-bit images, shape [batch, …].</param>
internal sealed class ByteGrid(Bounds bounds, Tensor images)
{
    /// <summary>The largest level.</summary>
    public const int Largest = 255;

    /// <summary>The largest distance of an entry from its level, in levels: normalisation may introduce rounding errors.</summary>
    private const double Slack = 0.01;

    private readonly Tensor _lower = bounds.Lower(images);
    private readonly Tensor _range = bounds.Upper(images) - bounds.Lower(images);

    /// <summary>Converts points to levels above the lower bound, without rounding, shape [batch, …].</summary>
    /// <param name="points">The points, shape [batch, …].</param>
    public Tensor Levels(Tensor points)
    {
        using var scope = NewDisposeScope();
        using var largest = Scalars.Of(Largest);
        return (points - _lower).div(_range).mul(largest).MoveToOuterDisposeScope();
    }

    /// <summary>Determines whether all images are 8-bit images.</summary>
    public bool ContainsImages()
    {
        using var scope = NewDisposeScope();
        var levels = Levels(images);
        return (levels - levels.round()).abs().max().ToNumber() < Slack;
    }

    /// <summary>Moves images by whole numbers of levels, shape [batch, …]. An entry that is not moved keeps its value exactly.</summary>
    /// <param name="originals">The 8-bit images, shape [batch, …].</param>
    /// <param name="moves">The number of levels to move each entry, shape [batch, …]; rounded, and clipped to the grid.</param>
    public Tensor Move(Tensor originals, Tensor moves)
    {
        using var scope = NewDisposeScope();
        using var largest = Scalars.Of(Largest);
        var levels = Levels(originals).round();
        var moved = levels.Plus(moves.round()).clamp(Scalars.Zero, largest);
        return where(moved.eq(levels), originals, (moved.div(largest) * _range).Plus(_lower)).MoveToOuterDisposeScope();
    }
}
