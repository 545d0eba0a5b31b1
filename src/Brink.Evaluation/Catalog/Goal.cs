using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Brink.Data;

namespace Brink.Evaluation.Catalog;

/// <summary>The criterion of success from the options <c>target</c> and <c>confidence</c>.</summary>
internal sealed class Goal
{
    /// <summary>The text of the target of a run in which each image has a class of its own.</summary>
    public const string PerImage = "per-image";

    private const string TargetKey = "target";
    private const string ConfidenceKey = "confidence";
    private const string TargetHashKey = "target-sha256";

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
            options[TargetHashKey] = Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<long>(_classes)));
        }
    }

    /// <summary>Describes the criterion of an attack for users: <c>any wrong class, with a probability of at least 0.9</c>.</summary>
    /// <param name="attack">The attack.</param>
    public static string Text(ConfiguredAttack attack) => Text(attack.Criterion.Name, attack.Target, attack.Options);

    /// <summary>Describes the criterion of a run for users.</summary>
    /// <param name="criterion">The name of the criterion.</param>
    /// <param name="target">The target.</param>
    /// <param name="options">The options of the run.</param>
    /// <param name="className">A function that returns the name of a class; null for its number.</param>
    public static string Text(string criterion, string target, IReadOnlyDictionary<string, object> options, Func<long, string>? className = null)
    {
        var goal = criterion switch
        {
            "misclassified" => "any wrong class",
            "target-class" when target == PerImage => "a class per image",
            "target-class" => $"the class {(long.TryParse(target, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && className is not null ? className(number) : target)}",
            _ => "a criterion of its own",
        };
        return Confidence(options) > 0 ? string.Create(CultureInfo.InvariantCulture, $"{goal}, with a probability of at least {Confidence(options)}") : goal;
    }

    /// <summary>Returns a text that is equal for attacks with equal criteria.</summary>
    /// <param name="attack">The attack.</param>
    public static string Key(ConfiguredAttack attack) => Key(attack.Criterion.Name, attack.Target, attack.Options);

    /// <summary>Returns a text that is equal for runs with equal criteria. Criteria of the user's own are not stored and count as equal to none.</summary>
    /// <param name="criterion">The name of the criterion.</param>
    /// <param name="target">The target.</param>
    /// <param name="options">The options of the run.</param>
    public static string Key(string criterion, string target, IReadOnlyDictionary<string, object> options) => criterion is "misclassified" or "target-class"
        ? string.Create(CultureInfo.InvariantCulture, $"{criterion} {(criterion == "misclassified" ? "" : target)} {options.GetValueOrDefault(TargetHashKey)} {Confidence(options)}")
        : $"{Guid.NewGuid()}";

    /// <summary>Returns the required probability of a run; 0 for any. Runs of older versions call the margin of Carlini–Wagner so.</summary>
    /// <param name="options">The options of the run.</param>
    public static double Confidence(IReadOnlyDictionary<string, object> options) => options.ContainsKey("binary-search-steps") && !options.ContainsKey("kappa") ? 0
        : AttackSettings.Numbers(options, ConfidenceKey) is [var confidence] ? confidence : 0;

    /// <summary>Creates the criterion of a stored run.</summary>
    /// <param name="criterion">The name of the criterion.</param>
    /// <param name="target">The target.</param>
    /// <param name="options">The options of the run.</param>
    /// <param name="targets">A function that reads the target class of each image, by its index in the data set; used if each image has a class of its own.</param>
    /// <returns>The criterion; null for one of the user's own, which is not stored.</returns>
    public static Criterion? Of(string criterion, string target, IReadOnlyDictionary<string, object> options, Func<long[]> targets) => criterion switch
    {
        "misclassified" => new Goal(Confidence(options), null, null).Criterion,
        "target-class" when int.TryParse(target, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => new Goal(Confidence(options), number, null).Criterion,
        "target-class" when target == PerImage => new Goal(Confidence(options), null, targets()).Criterion,
        _ => null,
    };

    /// <summary>Returns the number of a class that is given by its number or name.</summary>
    private static int ClassNumber(string target, IReadOnlyList<string>? names, string? place = null)
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
            : place is not null ? throw new BadInputException($"A target class must be the number or name of a class, but {place} has '{target}'{(names.Count == 0 ? "" : $"; the classes of the images are {string.Join(", ", names.Take(mostNamed))}{(names.Count > mostNamed ? ", …" : "")}")}.")
            : throw new BadInputException(names.Count == 0
                ? $"The target must be untargeted, best, hardest or the number of a class, but '{target}' was given."
                : $"The target must be untargeted, best, hardest, the number or name of a class, or a CSV file with the class of each image, but '{target}' was given; the classes of the images are {string.Join(", ", names.Take(mostNamed))}{(names.Count > mostNamed ? ", …" : "")}.");
    }

    /// <summary>Reads a CSV file whose rows have the index of an image in the data set and its class; −1 for images without a row.</summary>
    private static long[] ReadClasses(string path, IReadOnlyList<string>? names)
    {
        const int mostImages = 100_000_000;
        var classes = new SortedDictionary<int, int>();
        foreach (var (row, cells) in LabelTable.ReadRows(path, "the index of an image and its target class").Index())
        {
            if (!int.TryParse(cells[0], NumberStyles.None, CultureInfo.InvariantCulture, out var image) || image >= mostImages)
            {
                // The first row may be a header.
                if (row == 0)
                {
                    continue;
                }

                throw new BadInputException($"The first cell of each row of the CSV file '{path}' must be the index of an image in the data set, from 0, but row {row + 1} has '{cells[0]}'.");
            }

            var number = ClassNumber(cells[1], names, $"row {row + 1} of the CSV file '{path}'");
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
        Array.Fill(all, TargetClassCriterion.None);
        foreach (var (image, number) in classes)
        {
            all[image] = number;
        }

        return all;
    }
}
