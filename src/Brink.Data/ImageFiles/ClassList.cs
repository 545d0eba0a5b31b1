using System.Globalization;

namespace Brink.Data;

/// <summary>A text file with the name of each class, one per line, in the order of the labels.</summary>
internal static class ClassList
{
    // A million long names; an endless file must not fill the memory.
    private const int LongestFile = 16 << 20;

    /// <summary>Gives images the classes of a list: those of the same names, or of the same numbers if the names of their classes are numbers.</summary>
    /// <param name="images">The images.</param>
    /// <param name="path">The file.</param>
    /// <param name="hasLabels">False if the labels are predicted, so that only the names are needed.</param>
    /// <exception cref="BadInputException">Thrown when the file cannot be read, names a class twice, or lacks a class of the images.</exception>
    public static ImageSet Apply(ImageSet images, string path, bool hasLabels)
    {
        var names = Read(path);
        if (!hasLabels)
        {
            return images.WithLabels(names, new long[images.Count]);
        }

        var numberOf = names.Index().ToDictionary(entry => entry.Item, entry => (long)entry.Index, StringComparer.Ordinal);
        var used = Enumerable.Range(0, images.Count).Select(images.Label).Distinct().ToDictionary(label => label, label => images.ClassNames[(int)label]);
        if (used.Values.FirstOrDefault(name => !numberOf.ContainsKey(name)) is { } unknown)
        {
            // The names of numbered classes are their numbers.
            return used.All(entry => int.TryParse(entry.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < names.Length)
                ? images.WithLabels(names, Enumerable.Range(0, images.Count).Select(index => long.Parse(used[images.Label(index)], CultureInfo.InvariantCulture)).ToArray())
                : throw new BadInputException($"The list of classes '{path}' needs each class of the images, but {Excerpt.Quote(unknown)} is none of its {names.Length} names; add it in its place, or remove --classes.");
        }

        return images.WithLabels(names, Enumerable.Range(0, images.Count).Select(index => numberOf[used[images.Label(index)]]).ToArray());
    }

    private static string[] Read(string path)
    {
        string[] names;
        try
        {
            // UTF-8, or the encoding of a byte order mark.
            using var text = new StreamReader(new MemoryStream(RegularFile.ReadToEnd(path, LongestFile)));
            // Lines of Windows end with two characters, and editors leave empty lines at the end.
            names = [.. text.ReadToEnd().TrimEnd().Split('\n').Select(line => line.Trim())];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new BadInputException($"The names of the classes should be read from '{path}', but it cannot be opened ({Excerpt.Reason(exception)}); check the path.", exception);
        }

        if (Array.FindIndex(names, name => name.Contains('\uFFFD', StringComparison.Ordinal)) is >= 0 and var undecoded)
        {
            throw new BadInputException(FormattableString.Invariant($"A list of classes should be UTF-8, but line {undecoded + 1} of '{path}' has bytes of another encoding; save it as UTF-8."));
        }

        return Array.IndexOf(names, "") is >= 0 and var empty
            ? throw new BadInputException(FormattableString.Invariant($"A list of classes needs one name per line, but line {empty + 1} of '{path}' is empty."))
            : names.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(group => group.Skip(1).Any()) is { Key: var twice }
            ? throw new BadInputException($"A list of classes names each class once, but '{path}' has {Excerpt.Quote(twice)} twice; rename one.")
            : names;
    }
}
