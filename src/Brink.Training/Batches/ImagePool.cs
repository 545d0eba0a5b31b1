using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Brink.Data;

namespace Brink.Training;

/// <summary>Images of one or several sets, all of one size and with the same classes, or a selection of them.</summary>
public sealed class ImagePool
{
    private readonly ImageSet[] _sets;
    private readonly int[] _places;

    /// <summary>All images of the given sets, one set after the other.</summary>
    /// <param name="sets">At least one.</param>
    /// <exception cref="BadInputException">The sets do not fit together.</exception>
    public ImagePool(params IReadOnlyList<ImageSet> sets)
    {
        ArgumentNullException.ThrowIfNull(sets);
        if (sets.Count == 0)
        {
            throw new ArgumentException("A pool needs at least one set of images, but there is none.", nameof(sets));
        }

        foreach (var set in sets)
        {
            CheckFits(sets[0], set);
        }

        var total = sets.Sum(set => (long)set.Count);
        if (total > Array.MaxLength)
        {
            throw new BadInputException($"At most {Array.MaxLength} images can be trained on, but {total} were given; give fewer.");
        }

        _sets = [.. sets];
        _places = [.. Enumerable.Range(0, (int)total)];
    }

    private ImagePool(ImageSet[] sets, int[] places) => (_sets, _places) = (sets, places);

    /// <summary>The number of images.</summary>
    public int Count => _places.Length;

    /// <summary>The name of each class, in the order of the labels.</summary>
    public IReadOnlyList<string> ClassNames => _sets[0].ClassNames;

    /// <summary>Planes in an image.</summary>
    public int Channels => _sets[0].Channels;

    /// <summary>Rows in a plane.</summary>
    public int Height => _sets[0].Height;

    /// <summary>Pixels in a row.</summary>
    public int Width => _sets[0].Width;

    /// <summary>What is questionable about the images, as sentences.</summary>
    public IReadOnlyList<string> Warnings => [.. _sets.SelectMany(set => set.Warnings)];

    /// <summary>Where an image stands among all images of the sets, whatever was selected from them.</summary>
    /// <param name="index">The image, counted in this selection.</param>
    public int Place(int index) => _places[index];

    /// <summary>The bytes of an image, [channel, row, column].</summary>
    /// <param name="index">The image, counted in this selection.</param>
    public ReadOnlySpan<byte> Pixels(int index)
    {
        var (set, place) = Find(index);
        return set.Pixels(place);
    }

    /// <summary>The label of an image.</summary>
    /// <param name="index">The image, counted in this selection.</param>
    public long Label(int index)
    {
        var (set, place) = Find(index);
        return set.Label(place);
    }

    /// <summary>Draws images to hold out, and from the others those to train on.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="heldOut">How many to hold out.</param>
    /// <param name="limit">The most to train on; null for all that are left.</param>
    /// <returns>Both, each in the order of this pool.</returns>
    /// <exception cref="BadInputException">None would be left to train on.</exception>
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

        var order = RandomNumbers.Permutation(Count, seed, Draw.Selection, epoch: 0);
        var training = order.Skip(heldOut).Take(limit ?? Count);
        return (Select(training), Select(order.Take(heldOut)));
    }

    /// <summary>How many images of another pool are among these, byte for byte, whatever they are called.</summary>
    /// <param name="others">The others.</param>
    public int CountOf(ImagePool others)
    {
        ArgumentNullException.ThrowIfNull(others);
        var known = Enumerable.Range(0, Count).Select(Hash).ToHashSet();
        return Enumerable.Range(0, others.Count).Count(index => known.Contains(others.Hash(index)));
    }

    /// <summary>Refuses images that a network trained on these cannot be tested on.</summary>
    /// <exception cref="BadInputException">They have another size or other classes.</exception>
    internal void CheckFits(ImagePool other) => CheckFits(_sets[0], other._sets[0]);

    private UInt128 Hash(int index) => MemoryMarshal.Read<UInt128>(SHA256.HashData(Pixels(index)));

    private ImagePool Select(IEnumerable<int> indices) => new(_sets, [.. indices.Order().Select(index => _places[index])]);

    private (ImageSet Set, int Place) Find(int index)
    {
        var place = _places[index];
        var set = 0;
        while (place >= _sets[set].Count)
        {
            place -= _sets[set++].Count;
        }

        return (_sets[set], place);
    }

    private static void CheckFits(ImageSet first, ImageSet other)
    {
        if ((other.Channels, other.Height, other.Width) != (first.Channels, first.Height, first.Width))
        {
            throw new BadInputException($"Images of one training must have one size, but those of {first.Name} have {first.Channels}×{first.Height}×{first.Width} and those of {other.Name} {other.Channels}×{other.Height}×{other.Width}; give sets of one size.");
        }

        if (!other.ClassNames.SequenceEqual(first.ClassNames, StringComparer.Ordinal))
        {
            throw new BadInputException($"Images of one training must have the same classes, but those of {first.Name} are {string.Join(", ", first.ClassNames.Take(10))} and those of {other.Name} {string.Join(", ", other.ClassNames.Take(10))}; give sets with the same class names in the same order.");
        }
    }
}
