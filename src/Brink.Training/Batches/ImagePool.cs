using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Brink.Data;

namespace Brink.Training;

/// <summary>The images of one or several data sets with equal image sizes and class names, or a selection of these images.</summary>
public sealed class ImagePool
{
    private readonly ImageSet[] _sets;
    private readonly int[] _positions;

    /// <summary>Combines data sets, in the given order.</summary>
    /// <param name="sets">The data sets, at least one.</param>
    /// <exception cref="BadInputException">The sets have different image sizes or class names, or too many images.</exception>
    public ImagePool(params IReadOnlyList<ImageSet> sets)
    {
        ArgumentNullException.ThrowIfNull(sets);
        if (sets.Count == 0)
        {
            throw new ArgumentException("An image pool needs at least one data set, but none was given.", nameof(sets));
        }

        foreach (var set in sets)
        {
            CheckMatches(sets[0], set);
        }

        var total = sets.Sum(set => (long)set.Count);
        if (total > Array.MaxLength)
        {
            throw new BadInputException($"An image pool can have at most {Array.MaxLength} images, but {total} were given; give fewer data sets.");
        }

        _sets = [.. sets];
        _positions = [.. Enumerable.Range(0, (int)total)];
    }

    private ImagePool(ImageSet[] sets, int[] positions) => (_sets, _positions) = (sets, positions);

    /// <summary>The number of images.</summary>
    public int Count => _positions.Length;

    /// <summary>The class names, in the order of the labels.</summary>
    public IReadOnlyList<string> ClassNames => _sets[0].ClassNames;

    /// <summary>The number of channels of an image.</summary>
    public int Channels => _sets[0].Channels;

    /// <summary>The height of an image in pixels.</summary>
    public int Height => _sets[0].Height;

    /// <summary>The width of an image in pixels.</summary>
    public int Width => _sets[0].Width;

    /// <summary>Warnings about the data sets, as sentences.</summary>
    public IReadOnlyList<string> Warnings => [.. _sets.SelectMany(set => set.Warnings)];

    /// <summary>Returns the pixels of an image as bytes, in the order [channel, row, column].</summary>
    /// <param name="index">The index of the image in this pool, starting at 0.</param>
    public ReadOnlySpan<byte> Pixels(int index)
    {
        var (set, indexInSet) = Find(index);
        return set.Pixels(indexInSet);
    }

    /// <summary>Returns the label of an image.</summary>
    /// <param name="index">The index of the image in this pool, starting at 0.</param>
    public long Label(int index)
    {
        var (set, indexInSet) = Find(index);
        return set.Label(indexInSet);
    }

    /// <summary>Splits the images at random into training images and held-out images.</summary>
    /// <param name="seed">The seed of the random draw.</param>
    /// <param name="heldOut">The number of held-out images, at least 0.</param>
    /// <param name="limit">The maximum number of training images, at least 1; null for all others.</param>
    /// <returns>The training images and the held-out images, each in the order of this pool.</returns>
    /// <exception cref="BadInputException">A number is out of its range, or no training images are left.</exception>
    public (ImagePool Training, ImagePool HeldOut) Split(long seed, int heldOut, int? limit = null)
    {
        if (heldOut < 0 || heldOut >= Count)
        {
            throw new BadInputException($"The number of images to hold out must be at least 0 and below {Count}, the number of images, but {heldOut} was given.");
        }

        if (limit < 1)
        {
            throw new BadInputException($"The number of images to train on must be at least 1, but {limit} was given.");
        }

        var order = RandomNumbers.Permutation(Count, seed, RandomPurpose.Selection, epoch: 0);
        var training = order.Skip(heldOut).Take(limit ?? Count);
        return (Select(training), Select(order.Take(heldOut)));
    }

    /// <summary>Computes the SHA-256 of all labels and pixels, with which a resumed run can check that the images are the same.</summary>
    /// <returns>64 hexadecimal digits in lower case.</returns>
    public string Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> label = stackalloc byte[sizeof(long)];
        for (var index = 0; index < Count; index++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(label, Label(index));
            hash.AppendData(label);
            hash.AppendData(Pixels(index));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Returns the position of an image among all images of the data sets.</summary>
    /// <param name="index">The index of the image in this pool, starting at 0.</param>
    internal int Position(int index) => _positions[index];

    /// <summary>Counts the images of another pool that are also in this pool, by their pixels.</summary>
    /// <param name="others">The other pool.</param>
    internal int CountShared(ImagePool others)
    {
        var known = Enumerable.Range(0, Count).Select(Hash).ToHashSet();
        return Enumerable.Range(0, others.Count).Count(index => known.Contains(others.Hash(index)));
    }

    /// <summary>Checks that another pool has the image size and the class names of this one.</summary>
    /// <param name="other">The other pool.</param>
    /// <exception cref="BadInputException">The image size or the class names differ.</exception>
    internal void CheckMatches(ImagePool other) => CheckMatches(_sets[0], other._sets[0]);

    private UInt128 Hash(int index) => MemoryMarshal.Read<UInt128>(SHA256.HashData(Pixels(index)));

    private ImagePool Select(IEnumerable<int> indices) => new(_sets, [.. indices.Order().Select(index => _positions[index])]);

    private (ImageSet Set, int Index) Find(int index)
    {
        var rest = _positions[index];
        var set = 0;
        while (rest >= _sets[set].Count)
        {
            rest -= _sets[set++].Count;
        }

        return (_sets[set], rest);
    }

    private static void CheckMatches(ImageSet first, ImageSet other)
    {
        if ((other.Channels, other.Height, other.Width) != (first.Channels, first.Height, first.Width))
        {
            throw new BadInputException($"The data sets of a training run must have equal image sizes, but the images of {first.Name} have {first.Channels}×{first.Height}×{first.Width} and those of {other.Name} {other.Channels}×{other.Height}×{other.Width}; give data sets with the same image size.");
        }

        if (!other.ClassNames.SequenceEqual(first.ClassNames, StringComparer.Ordinal))
        {
            throw new BadInputException($"The data sets of a training run must have equal classes, but those of {first.Name} are {string.Join(", ", first.ClassNames.Take(10).Select(Excerpt.Plain))} and those of {other.Name} are {string.Join(", ", other.ClassNames.Take(10).Select(Excerpt.Plain))}; give data sets with the same class names in the same order.");
        }
    }
}
