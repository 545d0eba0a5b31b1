using System.Globalization;
using nietras.SeparatedValues;

namespace Brink.Data;

/// <summary>A CSV file with the label of each image file: a column of files and one of labels, numbers or names, in any order, with or without a header.</summary>
internal sealed class LabelTable
{
    // More classes than any data set has; a larger number is no class number, and the names of all smaller classes must fit in memory.
    private const int MostClasses = 1_000_000;
    // Rows of a million images; an endless file must not fill the memory.
    private const int LongestFile = 128 << 20;

    // Each takes about 50 bytes of memory beside its text.
    private const int MostCells = 8_000_000;

    private static readonly string[] LabelHeaders = ["label", "labels", "class", "category", "target", "y"];

    private readonly string _path;
    private readonly IReadOnlyList<string[]> _rows;

    private LabelTable(string path, IReadOnlyList<string[]> rows) => (_path, _rows) = (path, rows);

    /// <summary>Reads a CSV file. The separator is a comma, a semicolon, a tab or a bar, whichever the first row contains.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="BadInputException">Thrown when the file cannot be read, or is not a table of at least two columns.</exception>
    public static LabelTable Read(string path) => new(path, ReadRows(path, "a file and a label"));

    /// <summary>Reads the cells of a CSV file without empty lines.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cells">The description of the cells of a row, for messages: a file and a label.</param>
    /// <exception cref="BadInputException">Thrown when the file cannot be read, or is not a table of at least two columns.</exception>
    internal static IReadOnlyList<string[]> ReadRows(string path, string cells)
    {
        try
        {
            using var reader = Sep.Reader(options => options with { HasHeader = false, Unescape = true, DisableColCountCheck = true }).From(RegularFile.ReadToEnd(path, LongestFile));
            var rows = new List<string[]>();
            var count = 0;
            foreach (var row in reader)
            {
                count += row.ColCount;
                if (count > MostCells)
                {
                    throw new BadInputException(FormattableString.Invariant($"A CSV file with {cells} in each row may have {MostCells} cells, but '{path}' has more; remove the columns and rows that are not needed."));
                }

                var texts = new string[row.ColCount];
                for (var column = 0; column < texts.Length; column++)
                {
                    texts[column] = row[column].ToString().Trim();
                }

                // Editors leave empty lines at the end.
                if (texts.Length > 1 || texts[0].Length > 0)
                {
                    rows.Add(texts);
                }
            }

            // Names in another encoding would become equal.
            if (rows.FindIndex(row => Array.Exists(row, cell => cell.Contains('\uFFFD', StringComparison.Ordinal))) is >= 0 and var undecoded)
            {
                throw new BadInputException(FormattableString.Invariant($"A CSV file with {cells} in each row should be UTF-8, but row {undecoded + 1} of '{path}' has bytes of another encoding; save it as UTF-8."));
            }

            return rows.Count > 0 && rows.TrueForAll(row => row.Length > 1 && row.Length == rows[0].Length)
                ? rows
                : throw new BadInputException(rows.FindIndex(row => row.Length < 2 || row.Length != rows[0].Length) is >= 0 and var wrong
                    ? FormattableString.Invariant($"Each row of the CSV file '{path}' needs {cells}, and all rows equally many cells, but row {wrong + 1} has {rows[wrong].Length} and the first {rows[0].Length}; separate them by commas, and quote cells that contain commas.")
                    : $"A CSV file needs {cells} in each row, but '{path}' is empty.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException or ArgumentException or NotSupportedException)
        {
            throw new BadInputException($"A CSV file with {cells} in each row is needed, but '{path}' cannot be read ({Excerpt.Reason(exception)}); check the file.", exception);
        }
    }

    /// <summary>Gives each image of the table its label.</summary>
    /// <param name="images">The paths of all images, relative to the root.</param>
    /// <param name="path">The path of the set, for messages.</param>
    /// <exception cref="BadInputException">Thrown when no image is in the table, one has two labels, or a label is missing or no class number among numbers.</exception>
    public LabelledFiles Match(IReadOnlyList<string> images, string path)
    {
        var known = Known(images);
        var isHeader = Array.TrueForAll(_rows[0], cell => Find(cell) is null && !ImageFiles.IsImage(cell));
        var named = isHeader ? Array.FindIndex(_rows[0], cell => LabelHeaders.Contains(cell, StringComparer.OrdinalIgnoreCase)) : -1;
        // A class number can be the name of an image without its extension, so a column of names with extensions comes first.
        var fileColumn = Enumerable.Range(0, _rows[0].Length).Where(column => column != named).MaxBy(column =>
            (_rows.Count(row => ImageFiles.IsImage(row[column])), _rows.Select(row => Find(row[column])).OfType<string>().Distinct(StringComparer.Ordinal).Count()));
        var labelColumn = named >= 0 ? named : fileColumn == 0 ? 1 : 0;

        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var missing = new List<string>();
        for (var row = isHeader ? 1 : 0; row < _rows.Count; row++)
        {
            var (file, label) = (_rows[row][fileColumn], _rows[row][labelColumn]);
            if (Find(file) is not { } image)
            {
                missing.Add(file);
            }
            else if (label.Length == 0)
            {
                throw new BadInputException(FormattableString.Invariant($"Each row of the CSV file '{_path}' needs a label, but row {row + 1} has none for {Excerpt.Quote(file)}."));
            }
            else if (!labels.TryAdd(image, label) && labels[image] != label)
            {
                throw new BadInputException($"Each image needs one label, but the CSV file '{_path}' gives {Excerpt.Quote(image)} the labels {Excerpt.Quote(labels[image])} and {Excerpt.Quote(label)}; remove one.");
            }
        }

        if (labels.Count == 0)
        {
            throw new BadInputException($"The CSV file '{_path}' should name images of '{path}', but none of its {missing.Count} rows does{(missing.Count > 0 ? $" (the first has {Excerpt.Quote(missing[0])})" : "")}; write paths relative to '{path}', or names of files.");
        }

        var notes = new List<string>();
        if (labels.Count < images.Count)
        {
            notes.Add(FormattableString.Invariant($"Images of '{path}' that the CSV file '{_path}' does not name are left out: {images.Count - labels.Count}."));
        }

        if (missing.Count > 0)
        {
            notes.Add(FormattableString.Invariant($"Rows of the CSV file '{_path}' that name no image of '{path}': {missing.Count} ({ImageDecoding.List(missing)})."));
        }

        return new([.. labels.Select(entry => new ImageFile(entry.Key, Normal(entry.Value)))], Classes(labels), notes);

        string? Find(string cell) => known.GetValueOrDefault(Key(cell)) ?? known.GetValueOrDefault(Path.GetFileName(Key(cell)));
    }

    // 07 and 7 are one class number.
    private static string Normal(string label) => IsNumber(label, out var number) ? number.ToString(CultureInfo.InvariantCulture) : label;

    private static bool IsNumber(string label, out int number) => int.TryParse(label, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number < MostClasses;

    private static string Key(string cell)
    {
        var key = cell.Replace('\\', '/');
        while (key.StartsWith("./", StringComparison.Ordinal))
        {
            key = key[2..];
        }

        return key;
    }

    /// <summary>Returns the path of each image by all names that mean it: the path itself, and, if no other image has it, the name with and without its extension.</summary>
    private static Dictionary<string, string?> Known(IReadOnlyList<string> images)
    {
        var known = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var name in new Func<string, string>[] { Path.GetFileName, Path.GetFileNameWithoutExtension }.Select(name => images.GroupBy(name, StringComparer.Ordinal)).SelectMany(groups => groups))
        {
            known[name.Key] = name.Count() == 1 ? name.First() : null;
        }

        foreach (var image in images)
        {
            known[image] = image;
        }

        return known;
    }

    private ClassFolders Classes(SortedDictionary<string, string> labels)
    {
        if (labels.Values.All(label => IsNumber(label, out _)))
        {
            var most = labels.Values.Max(label => IsNumber(label, out var number) ? number : 0);
            return new([.. Enumerable.Range(0, most + 1).Select(number => number.ToString(CultureInfo.InvariantCulture))], Numbers: null, Empty: []) { Source = LabelSource.ClassNumbers };
        }

        if (labels.FirstOrDefault(entry => labels.Values.All(label => double.TryParse(label, NumberStyles.Float, CultureInfo.InvariantCulture, out _)) && !IsNumber(entry.Value, out _)) is { Key: { } file, Value: var wrong })
        {
            throw new BadInputException($"The labels of the CSV file '{_path}' must be names, or class numbers such as 0, 1, 2, but {Excerpt.Quote(file)} has the label {Excerpt.Quote(wrong)}.");
        }

        return new([.. labels.Values.Select(Normal).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)], Numbers: null, Empty: []) { Source = LabelSource.Names };
    }
}

/// <summary>Image files with their labels.</summary>
/// <param name="Files">The files, in the ordinal order of their paths.</param>
/// <param name="Classes">The classes in the order of the labels.</param>
/// <param name="Notes">Warnings about the table, as sentences.</param>
internal sealed record LabelledFiles(ImageFile[] Files, ClassFolders Classes, IReadOnlyList<string> Notes);
