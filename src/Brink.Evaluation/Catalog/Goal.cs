using System.Globalization;
using System.Security.Cryptography;
using System.Runtime.InteropServices;
using nietras.SeparatedValues;

namespace Brink.Evaluation.Catalog;

/// <summary>The criterion of success from the options <c>target</c> and <c>confidence</c>.</summary>
internal sealed class Goal
{
    /// <summary>The text of the target of a run in which each image has a class of its own.</summary>
    public const string PerImage = "per-image";

    private const string TargetKey = "target";
    private const string ConfidenceKey = "confidence";

    private readonly double _confidence;
    private readonly int? _class;
    private readonly long[]? _classes;

    private Goal(double confidence, int? targetClass, long[]? targetClasses)
    {
        (_confidence, _class, _classes) = (confidence, targetClass, targetClasses);
        Criterion = targetClass is { } one ? Criterion.TargetClass(one, confidence)
            : targetClasses is not null ? Criterion.TargetClasses(targetClasses, confidence)
            : confidence > 0 ? Criterion.MisclassificationWith(confidence)
            : Criterion.Misclassification;
    }

    /// <summary>The criterion.</summary>
    public Criterion Criterion { get; }

    /// <summary>Takes the options away that describe the criterion. A target that selects the class that an attack approaches stays.</summary>
    /// <param name="settings">The options.</param>
    /// <param name="classNames">The names of the classes; null if they are not known yet, in which case any name stands for the first class.</param>
    /// <exception cref="BadInputException">The class does not exist, the file of classes cannot be read, or the confidence is no probability.</exception>
    public static Goal Take(Dictionary<string, string> settings, IReadOnlyList<string>? classNames)
    {
        var confidence = settings.Remove(ConfidenceKey, out var text) ? AttackSettings.ParseNumber(ConfidenceKey, text) : 0;
        if (!settings.TryGetValue(TargetKey, out var target) || AttackSettings.TryParseTarget(target) is not null)
        {
            return new(confidence, null, null);
        }

        settings.Remove(TargetKey);
        return target.EndsWith(".csv", StringComparison.OrdinalIgnoreCase)
            ? new(confidence, null, ReadClasses(target, classNames))
            : new(confidence, ClassNumber(target, classNames), null);
    }

    /// <summary>Adds the criterion to the options of a run.</summary>
    /// <param name="options">The options.</param>
    public void Describe(SortedDictionary<string, object> options)
    {
        if (_confidence > 0)
        {
            options[ConfidenceKey] = _confidence;
        }

        if (_class is { } number)
        {
            options[TargetKey] = number.ToString(CultureInfo.InvariantCulture);
        }
        else if (_classes is not null)
        {
            options[TargetKey] = PerImage;
            options["target-sha256"] = Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<long>(_classes)));
        }
    }

    /// <summary>Creates the criterion of a stored run.</summary>
    /// <param name="criterion">The name of the criterion.</param>
    /// <param name="target">The target.</param>
    /// <param name="confidence">The probability, or 0.</param>
    /// <param name="targets">A function that reads the target class of each image, by its index in the data set; used if each image has a class of its own.</param>
    /// <returns>The criterion; null for one of the user's own, which is not stored.</returns>
    public static Criterion? Of(string criterion, string target, double confidence, Func<long[]> targets) => criterion switch
    {
        "misclassified" => new Goal(confidence, null, null).Criterion,
        "target-class" when int.TryParse(target, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => new Goal(confidence, number, null).Criterion,
        "target-class" when target == PerImage => new Goal(confidence, null, targets()).Criterion,
        _ => null,
    };

    /// <summary>Returns the number of a class that is given by its number or name.</summary>
    private static int ClassNumber(string target, IReadOnlyList<string>? names)
    {
        if (int.TryParse(target, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var given))
        {
            return given;
        }

        foreach (var comparison in new[] { StringComparison.Ordinal, StringComparison.OrdinalIgnoreCase })
        {
            if (names?.Index().Where(entry => entry.Item.Equals(target, comparison)).Select(entry => entry.Index).ToArray() is [var number])
            {
                return number;
            }
        }

        // The classes of a set may be thousands.
        const int mostNamed = 10;
        return names is null ? 0
            : throw new BadInputException(names.Count == 0
                ? $"The target must be untargeted, best, hardest or the number of a class, but '{target}' was given."
                : $"The target must be untargeted, best, hardest, the number or name of a class, or a CSV file with the class of each image, but '{target}' was given; the classes of the images are {string.Join(", ", names.Take(mostNamed))}{(names.Count > mostNamed ? ", …" : "")}.");
    }

    /// <summary>Reads a CSV file whose rows have the index of an image in the data set and its class; −1 for images without a row.</summary>
    private static long[] ReadClasses(string path, IReadOnlyList<string>? names)
    {
        const int mostImages = 100_000_000;
        try
        {
            var classes = new SortedDictionary<int, int>();
            using var reader = Sep.Reader(options => options with { HasHeader = false, Unescape = true, DisableColCountCheck = true }).FromFile(path);
            foreach (var row in reader)
            {
                if (row.ColCount < 2)
                {
                    if (row[0].ToString().Trim().Length == 0)
                    {
                        continue;
                    }

                    throw new BadInputException($"Each row of the CSV file '{path}' needs the index of an image and its target class, but row {row.RowIndex + 1} has one cell; write 12,3 for image 12 and class 3.");
                }

                var (index, target) = (row[0].ToString().Trim(), row[1].ToString().Trim());
                if (!int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out var image) || image >= mostImages)
                {
                    if (row.RowIndex == 0)
                    {
                        continue;
                    }

                    throw new BadInputException($"The first cell of each row of the CSV file '{path}' must be the index of an image in the data set, from 0, but row {row.RowIndex + 1} has '{index}'.");
                }

                var number = ClassNumber(target, names);
                if (!classes.TryAdd(image, number) && classes[image] != number)
                {
                    throw new BadInputException($"Each image needs one target class, but the CSV file '{path}' gives image {image} several; remove all rows but one.");
                }
            }

            if (classes.Count == 0)
            {
                throw new BadInputException($"A CSV file of target classes needs the index of an image and its class in each row, but '{path}' has no such row.");
            }

            var all = new long[classes.Keys.Last() + 1];
            Array.Fill(all, -1);
            foreach (var (image, number) in classes)
            {
                all[image] = number;
            }

            return all;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException or ArgumentException or NotSupportedException)
        {
            throw new BadInputException($"Target classes should be read from '{path}', but it is not a readable CSV file ({exception.Message.ReplaceLineEndings(" ").TrimEnd('.')}); check the file.", exception);
        }
    }
}
