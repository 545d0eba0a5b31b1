using System.Globalization;

namespace Brink.Data;

/// <summary>The class folders of a set of images. Their order gives the labels.</summary>
/// <param name="Names">The names of all class folders in the order of the labels.</param>
/// <param name="Numbers">The number in each name, in the same order; null if not all names are numbers.</param>
/// <param name="Empty">The names of the folders without images.</param>
internal sealed record ClassFolders(IReadOnlyList<string> Names, IReadOnlyList<int>? Numbers, IReadOnlyList<string> Empty)
{
    /// <summary>The source of the names.</summary>
    public LabelSource Source { get; init; }

    // Nine digits fit in 32 bits.
    private const int MostDigits = 9;

    /// <summary>Puts class folders in order: numeric order if all names are numbers, otherwise the order of characters.</summary>
    /// <param name="names">The names of the folders.</param>
    /// <param name="withImages">The names of the folders that contain images.</param>
    /// <param name="path">The path of the set, for error messages.</param>
    /// <exception cref="BadInputException">Thrown when two names are the same number.</exception>
    public static ClassFolders InOrder(IReadOnlyList<string> names, IReadOnlySet<string> withImages, string path)
    {
        string[] ordered = [.. names.Order(StringComparer.Ordinal)];
        int[]? numbers = null;
        if (Array.TrueForAll(ordered, name => name.Length <= MostDigits && name.All(char.IsAsciiDigit)))
        {
            ordered = [.. ordered.OrderBy(Number)];
            numbers = [.. ordered.Select(Number)];
            if (Enumerable.Range(1, numbers.Length - 1).FirstOrDefault(index => numbers[index] == numbers[index - 1]) is > 0 and var twice)
            {
                throw new BadInputException($"The class folders of '{path}' have numbers as names, but '{ordered[twice - 1]}' and '{ordered[twice]}' are the same number; rename one, or move the images into one folder.");
            }
        }

        return new(ordered, numbers, [.. ordered.Where(name => !withImages.Contains(name))]);
    }

    private static int Number(string name) => int.Parse(name, NumberStyles.None, CultureInfo.InvariantCulture);
}

/// <summary>The source of the labels of image files.</summary>
internal enum LabelSource
{
    /// <summary>The folders of the files.</summary>
    Folders,

    /// <summary>The names in a CSV file.</summary>
    Names,

    /// <summary>The class numbers in a CSV file.</summary>
    ClassNumbers,

    /// <summary>No source: the files have no labels.</summary>
    Nothing,
}
