using System.Globalization;
using System.Text.Json;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Results;

namespace Brink.Evaluation.Runs;

/// <summary>Reads and writes envelope files: the lengths of perturbations that several attacks found, image by image, as JSON.</summary>
/// <remarks>The lengths are those of perturbations of pixels in [0, 1] after which the model predicts any wrong class, so other spaces and criteria have no such files.</remarks>
internal static class EnvelopeFile
{
    /// <summary>The name of the file that a comparison writes.</summary>
    internal const string Name = "envelope.json";

    // Figures and tables show every attack.
    private const int MostAttacks = 100;

    // Far above every length and every number of passes, and sums of such numbers stay finite.
    private const double Most = 1e12;

    private static readonly JsonSerializerOptions JsonOptions = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.Strict,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        AllowDuplicateProperties = false,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Returns the reason why the lengths of a run are not those of envelope files, or null if they are.</summary>
    /// <param name="run">The description of the run.</param>
    public static string? Obstacle(RunDescription run) =>
        run.Space != "pixel" ? $"in the space {run.Space}"
        : Goal.Key(run.Criterion, run.Target, run.Options) != Goal.Key("misclassified", "", new Dictionary<string, object>(StringComparer.Ordinal)) ? $"of the criterion: {Goal.Text(run.Criterion, run.Target, run.Options)}"
        : null;

    /// <summary>Reads the attacks of envelope files.</summary>
    /// <param name="paths">The files.</param>
    /// <param name="run">The description of a run that the attacks are compared with.</param>
    /// <param name="first">The index of the first image of the run in the data set.</param>
    /// <param name="last">The index of the last image.</param>
    /// <returns>The attacks, in the order of the files.</returns>
    /// <exception cref="BadInputException">A file cannot be read or does not fit the run.</exception>
    public static IReadOnlyList<FiledAttack> Read(IReadOnlyList<string> paths, RunDescription run, long first, long last)
    {
        if (paths.Count > 0 && Obstacle(run) is { } obstacle)
        {
            throw new BadInputException($"Envelope files have lengths in pixels at which the model predicts any wrong class, but lengths {obstacle} are compared; remove --envelope, or compare lengths in pixels of untargeted attacks.");
        }

        FiledAttack[] attacks = [.. paths.SelectMany(path => Read(path, run.Norm, first, last))];
        return attacks.Length <= MostAttacks ? attacks : throw new BadInputException($"The envelope files of a comparison may have {MostAttacks} attacks, but {attacks.Length} were given; remove files, or attacks from them.");
    }

    /// <summary>Serialises the minimal attacks of a comparison as an envelope file. The lengths of budgeted attacks are not the smallest ones, so these attacks are left out.</summary>
    /// <param name="runs">The runs of the comparison.</param>
    /// <returns>The JSON text; null if no attack has such lengths.</returns>
    public static string? ToJson(IReadOnlyList<ComparedRun> runs)
    {
        var minimal = runs.Where(run => run.Run.Epsilon is null).DistinctBy(run => run.Attack, StringComparer.Ordinal).ToArray();
        var rows = Enumerable.Range(0, runs[0].Images.Count).Where(row => runs.All(run => run.Images[row].Attacked)).ToArray();
        if (minimal.Length == 0 || rows.Length == 0 || Obstacle(runs[0].Run) is not null)
        {
            return null;
        }

        var content = new Content(
            [.. rows.Select(row => runs[0].Images[row].Index)],
            runs[0].Run.Norm,
            minimal.ToDictionary(run => run.Attack, run => new Attack(
                rows.Average(row => run.Images[row].Forwards),
                rows.Average(row => run.Images[row].Backwards),
                [.. rows.Select(row => double.IsFinite(run.SmallestLength(row)) ? run.SmallestLength(row) : (double?)null)]), StringComparer.Ordinal))
        {
            Model = runs[0].Run.Model,
            Data = runs[0].Run.Data,
        };
        return JsonSerializer.Serialize(content, JsonOptions);
    }

    private static IEnumerable<FiledAttack> Read(string path, string norm, long first, long last)
    {
        BadInputException Refuse(string problem, Exception? exception = null) => new($"The envelope file '{path}' cannot be used: {problem}; give a JSON file with index, norm and attacks, such as the {Name} of a comparison.", exception);
        Content content;
        try
        {
            content = JsonSerializer.Deserialize<Content>(RegularFile.ReadToEnd(path, ResultFolder.LongestJson), JsonOptions) ?? throw new JsonException("it is null");
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw Refuse(Excerpt.Reason(exception), exception);
        }

        if (content.Norm != norm)
        {
            throw Refuse($"its norm should be {norm}, that of the comparison, but is {Excerpt.Quote(content.Norm)}");
        }

        if (content.Space != Content.Pixels)
        {
            throw Refuse($"its space should be '{Content.Pixels}', but is {Excerpt.Quote(content.Space)}");
        }

        if (content.Attacks.Count == 0)
        {
            throw Refuse("it has no attacks");
        }

        var index = content.Index;
        if (Array.Exists(index, image => image < 0) || index.Distinct().Count() < index.Length)
        {
            throw Refuse("its index needs distinct numbers of images, from 0");
        }

        if (!Array.Exists(index, image => image >= first && image <= last))
        {
            throw Refuse(string.Create(CultureInfo.InvariantCulture, $"it has none of the images {first} to {last} that are compared"));
        }

        return content.Attacks.Select(entry => Checked(entry.Key, entry.Value)).ToArray();

        FiledAttack Checked(string name, Attack? attack)
        {
            bool IsNumber(double number) => number is >= 0 and <= Most;
            if (attack is null || attack.Distances.Length != index.Length)
            {
                throw Refuse(string.Create(CultureInfo.InvariantCulture, $"the attack {Excerpt.Quote(name)} needs one distance for each of the {index.Length} images of index, but has {attack?.Distances.Length ?? 0}"));
            }

            if (!IsNumber(attack.Forwards) || !IsNumber(attack.Backwards) || !Array.TrueForAll(attack.Distances, length => length is null || IsNumber(length.Value)))
            {
                throw Refuse($"the passes and distances of the attack {Excerpt.Quote(name)} need numbers from 0 to 1e12");
            }

            return new(Excerpt.Plain(name), Excerpt.Line(path), attack.Forwards, attack.Backwards, index.Zip(attack.Distances).ToDictionary(pair => pair.First, pair => pair.Second ?? double.PositiveInfinity));
        }
    }

    private sealed record Content(long[] Index, string Norm, IReadOnlyDictionary<string, Attack> Attacks)
    {
        public const string Pixels = "pixels in [0, 1]";

        public string Model { get; init; } = "";

        public string Data { get; init; } = "";

        public string Space { get; init; } = Pixels;
    }

    private sealed record Attack(double Forwards, double Backwards, double?[] Distances);
}
