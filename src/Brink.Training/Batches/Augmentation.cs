namespace Brink.Training;

/// <summary>What is done to an image before the network sees it, drawn anew in every epoch.</summary>
/// <param name="Padding">By how many pixels at most the image is moved in each direction; what enters is black.</param>
/// <param name="Flip">Whether every other image is mirrored, left to right.</param>
public sealed record Augmentation(int Padding, bool Flip)
{
    /// <summary>Images as they are.</summary>
    public static Augmentation None { get; } = new(0, Flip: false);

    /// <summary>4 pixels of padding and flips (He et al. 2016, §4.2).</summary>
    public static Augmentation CropAndFlip { get; } = new(4, Flip: true);
}
