using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Brink.Data;

/// <summary>An immutable set of labelled images of one size, held in memory as bytes.</summary>
/// <remarks>
/// Bytes need a quarter of the memory of floats, and make comparisons exact. A part of a set (<see cref="Slice"/>, <see cref="Skip"/>,
/// <see cref="Take"/>) shares the bytes of the set.
/// </remarks>
public sealed class ImageSet
{
    // The bytes of the float32 values of an image are a span.
    private const int MostValues = int.MaxValue / sizeof(float);

    private readonly ReadOnlyMemory<byte> _pixels;
    private readonly ReadOnlyMemory<long> _labels;

    /// <summary>Creates a set from bytes and labels. They are not copied, so the caller must not change them afterwards.</summary>
    /// <param name="name">The name of the set in reports.</param>
    /// <param name="classNames">The names of the classes in the order of the labels.</param>
    /// <param name="channels">The number of channels: 3 for red, green, blue.</param>
    /// <param name="height">The number of rows.</param>
    /// <param name="width">The number of columns.</param>
    /// <param name="pixels">The pixels, one byte per value, [image, channel, row, column].</param>
    /// <param name="labels">The label of each image, an index into <paramref name="classNames"/>.</param>
    /// <exception cref="BadInputException">Thrown when the images have too many values.</exception>
    /// <exception cref="ArgumentException">Thrown when the number of bytes does not match the number of labels, or a label has no class name.</exception>
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
        CheckSize(name, channels, height, width);
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

    /// <summary>The name of the set in reports.</summary>
    public string Name { get; }

    /// <summary>The names of the classes in the order of the labels.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>The number of images.</summary>
    public int Count => _labels.Length;

    /// <summary>The number of channels of an image.</summary>
    public int Channels { get; }

    /// <summary>The number of rows of an image.</summary>
    public int Height { get; }

    /// <summary>The number of columns of an image.</summary>
    public int Width { get; }

    /// <summary>The index of the first image in the whole data set: 0, or the start of the part.</summary>
    /// <remarks>The random numbers of an attack depend on the seed and on the index in the whole data set, so that parts give the same results.</remarks>
    public int FirstIndex { get; internal init; }

    /// <summary>Warnings about the images, as sentences, such as files that could not be read.</summary>
    /// <value>No warnings by default.</value>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The class folders whose order gives the labels; null if the labels have another source.</summary>
    internal ClassFolders? Folders { get; private init; }

    /// <summary>Returns the bytes of one image, [channel, row, column].</summary>
    /// <param name="index">The index of the image in this set.</param>
    /// <returns>A view of the set's bytes.</returns>
    public ReadOnlySpan<byte> Pixels(int index)
    {
        CheckRange(index, 1);
        return PixelRange(index, 1).Span;
    }

    /// <summary>Returns the label of one image.</summary>
    /// <param name="index">The index of the image in this set.</param>
    /// <returns>The label, an index into <see cref="ClassNames"/>.</returns>
    public long Label(int index)
    {
        CheckRange(index, 1);
        return _labels.Span[index];
    }

    /// <summary>Creates a float32 tensor of a range of images, with values in [0, 1]: byte / 255.</summary>
    /// <param name="start">The index of the first image in this set.</param>
    /// <param name="count">The number of images.</param>
    /// <returns>The tensor [count, channels, height, width]; the caller disposes it.</returns>
    public Tensor Images(int start, int count)
    {
        CheckRange(start, count);
        // Written in place: arrays of the size of large images would stay in memory until the next garbage collection.
        var images = empty([count, Channels, Height, Width], ScalarType.Float32, CPU);
        for (var index = 0; index < count; index++)
        {
            using var image = images.select(0, index);
            var values = MemoryMarshal.Cast<byte, float>(image.bytes);
            var pixels = PixelRange(start + index, 1).Span;
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = pixels[i] / 255f;
            }
        }

        return images;
    }

    /// <summary>Creates an int64 tensor of the labels of a range of images.</summary>
    /// <param name="start">The index of the first image in this set.</param>
    /// <param name="count">The number of images.</param>
    /// <returns>The tensor [count]; the caller disposes it.</returns>
    public Tensor Labels(int start, int count)
    {
        CheckRange(start, count);
        return tensor(_labels.Slice(start, count).ToArray(), [count]);
    }

    /// <summary>Returns a range of images as a set.</summary>
    /// <param name="start">The index of the first image in this set.</param>
    /// <param name="count">The number of images.</param>
    /// <returns>A set that shares the bytes of this one.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Thrown when the range is not inside this set.</exception>
    public ImageSet Slice(int start, int count)
    {
        CheckRange(start, count);
        return new ImageSet(
            Name, ClassNames, (Channels, Height, Width), PixelRange(start, count), _labels.Slice(start, count), FirstIndex + start)
        {
            Warnings = Warnings,
            Folders = Folders,
        };
    }

    /// <summary>Returns all images after the first <paramref name="count"/>.</summary>
    /// <param name="count">The number of images to leave out.</param>
    /// <returns>A set that shares the bytes of this one; an empty set if there are no more images.</returns>
    public ImageSet Skip(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var start = Math.Min(count, Count);
        return Slice(start, Count - start);
    }

    /// <summary>Returns the first <paramref name="count"/> images, or all if there are fewer.</summary>
    /// <param name="count">The maximum number of images.</param>
    /// <returns>A set that shares the bytes of this one.</returns>
    public ImageSet Take(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return Slice(0, Math.Min(count, Count));
    }

    /// <summary>Returns these images with other labels.</summary>
    /// <param name="classNames">The names of the classes in the order of the labels.</param>
    /// <param name="labels">The label of each image, an index into <paramref name="classNames"/>.</param>
    /// <returns>A set that shares the bytes of this one.</returns>
    /// <exception cref="ArgumentException">Thrown when the number of labels is not the number of images, or a label has no class name.</exception>
    public ImageSet WithLabels(IReadOnlyList<string> classNames, ReadOnlyMemory<long> labels) => WithLabels(classNames, labels, []);

    /// <summary>Returns these images with other labels and further warnings.</summary>
    /// <param name="classNames">The names of the classes in the order of the labels.</param>
    /// <param name="labels">The label of each image.</param>
    /// <param name="notes">Warnings about the labels.</param>
    internal ImageSet WithLabels(IReadOnlyList<string> classNames, ReadOnlyMemory<long> labels, IEnumerable<string> notes)
    {
        CheckLabels(classNames, labels);
        return labels.Length == Count
            ? new ImageSet(Name, classNames, (Channels, Height, Width), _pixels, labels, FirstIndex) { Warnings = [.. Warnings, .. notes] }
            : throw new ArgumentException($"Each image needs one label, {Count} in total, but {labels.Length} were given.", nameof(labels));
    }

    /// <summary>Returns this set as one whose labels are given by the order of class folders.</summary>
    /// <param name="folders">The folders, in the order of <see cref="ClassNames"/>.</param>
    /// <param name="notes">Warnings about the folders.</param>
    internal ImageSet WithClassFolders(ClassFolders folders, IEnumerable<string> notes) =>
        new(Name, ClassNames, (Channels, Height, Width), _pixels, _labels, FirstIndex) { Warnings = [.. Warnings, .. notes], Folders = folders };

    /// <summary>Returns this set with other pixels of the same size.</summary>
    /// <param name="channels">The number of channels.</param>
    /// <param name="pixels">The pixels, [image, channel, row, column].</param>
    internal ImageSet WithPixels(int channels, ReadOnlyMemory<byte> pixels) =>
        new(Name, ClassNames, (channels, Height, Width), pixels, _labels, FirstIndex) { Warnings = Warnings, Folders = Folders };

    /// <summary>Checks the size of an image, before memory is allocated.</summary>
    /// <param name="source">The name of the set, or the path of its file.</param>
    /// <param name="channels">The number of channels.</param>
    /// <param name="height">The number of rows.</param>
    /// <param name="width">The number of columns.</param>
    /// <exception cref="BadInputException">Thrown when an image has too many values.</exception>
    internal static void CheckSize(string source, int channels, int height, int width)
    {
        if ((double)channels * height * width > MostValues)
        {
            throw new BadInputException(FormattableString.Invariant($"An image may have {MostValues} values, but those of '{source}' have {width}×{height} pixels and {channels} channels; use smaller images, or smaller lengths for --resize and --crop."));
        }
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
                nameof(start), $"The set has {Count} images, but {count} were requested from index {start}; request a range inside it.");
        }
    }

    private static void CheckLabels(IReadOnlyList<string> classNames, ReadOnlyMemory<long> labels)
    {
        foreach (var label in labels.Span)
        {
            if (label < 0 || label >= classNames.Count)
            {
                throw new ArgumentException(
                    $"Labels must be between 0 and {classNames.Count - 1}, the last class, but {label} was given; correct it, or add a class name.",
                    nameof(labels));
            }
        }
    }
}
