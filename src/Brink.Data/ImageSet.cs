using static TorchSharp.torch;

namespace Brink.Data;

/// <summary>Labelled images of one size, held in memory as bytes. Nothing in it changes after it is made.</summary>
/// <remarks>
/// Bytes rather than floats: a quarter of the memory, and equality of two sets is exact. A cut (<see cref="Slice"/>,
/// <see cref="Skip"/>, <see cref="Take"/>) shares the bytes of the set it was cut from.
/// </remarks>
public sealed class ImageSet
{
    private readonly ReadOnlyMemory<byte> _pixels;
    private readonly ReadOnlyMemory<long> _labels;

    /// <summary>Makes a set of bytes and labels, which the set keeps without copying: the caller no longer changes them.</summary>
    /// <param name="name">What reports call the set.</param>
    /// <param name="classNames">The name of each class, in the order of the labels.</param>
    /// <param name="channels">Planes in an image: 3 for red, green, blue.</param>
    /// <param name="height">Rows in a plane.</param>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="pixels">One byte a value, [image, channel, row, column].</param>
    /// <param name="labels">One label an image, each the index of a class name.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together, or a label has no class name.</exception>
    public ImageSet(
        string name,
        IReadOnlyList<string> classNames,
        int channels,
        int height,
        int width,
        ReadOnlyMemory<byte> pixels,
        ReadOnlyMemory<long> labels)
        : this(name, classNames, (channels, height, width), pixels, labels, firstIndex: 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        if (pixels.Length != (long)labels.Length * channels * height * width)
        {
            throw new ArgumentException(
                $"{labels.Length} labels need {labels.Length} images of {channels}×{height}×{width} bytes, but {pixels.Length} bytes were given; pass one label for each image.",
                nameof(pixels));
        }

        CheckLabels(classNames, labels);
    }

    private ImageSet(
        string name,
        IReadOnlyList<string> classNames,
        (int Channels, int Height, int Width) size,
        ReadOnlyMemory<byte> pixels,
        ReadOnlyMemory<long> labels,
        int firstIndex)
    {
        (Name, ClassNames, FirstIndex) = (name, classNames, firstIndex);
        (Channels, Height, Width) = size;
        (_pixels, _labels) = (pixels, labels);
    }

    /// <summary>What reports call the set.</summary>
    public string Name { get; }

    /// <summary>The name of each class, in the order of the labels.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>The number of images.</summary>
    public int Count => _labels.Length;

    /// <summary>Planes in an image.</summary>
    public int Channels { get; }

    /// <summary>Rows in a plane.</summary>
    public int Height { get; }

    /// <summary>Pixels in a row.</summary>
    public int Width { get; }

    /// <summary>Where this set's first image stands in the whole data set: 0, or the start of the cut.</summary>
    /// <remarks>Random draws of an attack come from (seed, index in the whole data set), so a cut must remember where it began.</remarks>
    public int FirstIndex { get; internal init; }

    /// <summary>What is questionable about the images, as sentences: files that could not be read, for one.</summary>
    /// <value>None.</value>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The bytes of one image, [channel, row, column].</summary>
    /// <param name="index">The image, counted from the start of this set.</param>
    /// <returns>A view of the set's own bytes.</returns>
    public ReadOnlySpan<byte> Pixels(int index)
    {
        CheckRange(index, 1);
        return PixelRange(index, 1).Span;
    }

    /// <summary>The label of one image.</summary>
    /// <param name="index">The image, counted from the start of this set.</param>
    /// <returns>The index of its class name.</returns>
    public long Label(int index)
    {
        CheckRange(index, 1);
        return _labels.Span[index];
    }

    /// <summary>A range of images as a new float32 tensor [count, channels, height, width] with values in [0, 1]: byte / 255.</summary>
    /// <param name="start">The first image, counted from the start of this set.</param>
    /// <param name="count">How many images.</param>
    /// <returns>The tensor, which the caller owns.</returns>
    public Tensor Images(int start, int count)
    {
        CheckRange(start, count);
        var pixels = PixelRange(start, count).Span;
        var values = new float[pixels.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = pixels[i] / 255f;
        }

        return tensor(values, [count, Channels, Height, Width]);
    }

    /// <summary>The labels of a range of images as a new int64 tensor [count].</summary>
    /// <param name="start">The first image, counted from the start of this set.</param>
    /// <param name="count">How many images.</param>
    /// <returns>The tensor, which the caller owns.</returns>
    public Tensor Labels(int start, int count)
    {
        CheckRange(start, count);
        return tensor(_labels.Slice(start, count).ToArray(), [count]);
    }

    /// <summary>The images from <paramref name="start"/> on, <paramref name="count"/> of them.</summary>
    /// <param name="start">The first image, counted from the start of this set.</param>
    /// <param name="count">How many images.</param>
    /// <returns>A set that shares this one's bytes.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the set.</exception>
    public ImageSet Slice(int start, int count)
    {
        CheckRange(start, count);
        return new ImageSet(
            Name, ClassNames, (Channels, Height, Width), PixelRange(start, count), _labels.Slice(start, count), FirstIndex + start)
        {
            Warnings = Warnings,
        };
    }

    /// <summary>All images but the first <paramref name="count"/>; an empty set where there are no more.</summary>
    /// <param name="count">How many images to leave out.</param>
    /// <returns>A set that shares this one's bytes.</returns>
    public ImageSet Skip(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var start = Math.Min(count, Count);
        return Slice(start, Count - start);
    }

    /// <summary>The first <paramref name="count"/> images, or all where there are fewer.</summary>
    /// <param name="count">How many images at most.</param>
    /// <returns>A set that shares this one's bytes.</returns>
    public ImageSet Take(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return Slice(0, Math.Min(count, Count));
    }

    /// <summary>The same images with other labels.</summary>
    /// <param name="classNames">The name of each class, in the order of the labels.</param>
    /// <param name="labels">One label an image, each the index of a class name.</param>
    /// <returns>A set that shares this one's bytes.</returns>
    /// <exception cref="ArgumentException">The number of labels is not that of the images, or a label has no class name.</exception>
    public ImageSet WithLabels(IReadOnlyList<string> classNames, ReadOnlyMemory<long> labels)
    {
        CheckLabels(classNames, labels);
        return labels.Length == Count
            ? new ImageSet(Name, classNames, (Channels, Height, Width), _pixels, labels, FirstIndex) { Warnings = Warnings }
            : throw new ArgumentException($"There must be one label an image, {Count} in all, but {labels.Length} were given.", nameof(labels));
    }

    private ReadOnlyMemory<byte> PixelRange(int start, int count)
    {
        var size = Channels * Height * Width;
        return _pixels.Slice(start * size, count * size);
    }

    private void CheckRange(int start, int count)
    {
        if (start < 0 || count < 0 || start > Count - count)
        {
            throw new ArgumentOutOfRangeException(
                nameof(start), $"The set holds {Count} images, but {count} were asked for from index {start}; ask for a range inside it.");
        }
    }

    private static void CheckLabels(IReadOnlyList<string> classNames, ReadOnlyMemory<long> labels)
    {
        foreach (var label in labels.Span)
        {
            if (label < 0 || label >= classNames.Count)
            {
                throw new ArgumentException(
                    $"Labels must lie between 0 and {classNames.Count - 1}, the last of the class names, but {label} was given; correct it or name its class.",
                    nameof(labels));
            }
        }
    }
}
