using System.Globalization;
using System.Text.Json;
using Brink.Data;
using Brink.Evaluation.Results;
using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Evaluation.Runs;

/// <summary>The folder of a run: <c>run.json</c> describes the run, <c>ranges/</c> stores the finished ranges, and the result files replace these when the run is complete.</summary>
/// <remarks>
/// The files of an earlier run are removed when the first range is stored, not before. A run is complete if <c>results.json</c> has as many
/// images as <c>run.json</c>.
/// </remarks>
public sealed class RunFolder : IRangeStore
{
    private const string Description = "run.json";
    private const string Data = "data";
    private const string Images = "images";
    private const string Name = "name";
    private const string Sha256 = "sha256";
    private const string Version = "brink-version";

    private readonly JsonElement _run;
    private bool _begun;

    private RunFolder(string folder, JsonElement run, bool begun, AttackSummary? finished)
    {
        (Folder, _run, _begun, Finished) = (folder, run, begun, finished);
    }

    /// <summary>The path of the folder.</summary>
    public string Folder { get; }

    /// <summary>The summary of a resumed run that is already complete, or null if images remain to be attacked.</summary>
    public AttackSummary? Finished { get; }

    private string DescriptionPath => Path.Combine(Folder, Description);

    private string Ranges => RangesOf(Folder);

    /// <summary>Opens a folder for a run.</summary>
    /// <param name="folder">The path of the folder, which is created if necessary.</param>
    /// <param name="run">The description of the run.</param>
    /// <param name="model">The model.</param>
    /// <param name="images">The images.</param>
    /// <param name="resume">Whether to continue the run that the folder holds, if any. Otherwise the run starts from the beginning.</param>
    /// <returns>The folder.</returns>
    /// <exception cref="BadInputException">The folder is not writable, holds a run with other settings that is to be resumed, or holds an unfinished run that is not to be resumed.</exception>
    public static RunFolder Open(string folder, RunDescription run, LoadedModel model, ImageSet images, bool resume)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(images);
        ResultFolder.Prepare(folder);
        var requested = Describe(run, model, images);
        var stored = ReadDescription(folder);
        var summary = ResultFolder.ReadSummary(folder);
        var complete = stored is { } known && summary is not null && Value(known, Images)?.GetRawText() == summary.Images.ToString(CultureInfo.InvariantCulture);
        var unfinished = !complete && RangeFiles(folder).Any();
        if (unfinished && !resume)
        {
            throw new BadInputException($"The folder {folder} holds an unfinished run; add --resume to continue it, or delete it or give another folder to start from the beginning.");
        }

        if (unfinished && stored is null)
        {
            throw new BadInputException($"A run is resumed from its run.json, but {folder} has no readable run.json; give another folder to start from the beginning.");
        }

        // Another version of Brink may continue a run.
        if (resume && stored is { } earlier && Differences(earlier, requested, key => key != Version, "stored", "now") is { Length: > 0 } differences)
        {
            throw new BadInputException($"The folder {folder} holds a run with other settings, which cannot be continued ({differences}); give the same settings or another folder.");
        }

        var opened = new RunFolder(folder, requested, begun: unfinished, resume && complete ? summary : null);
        if (opened.Finished is not null)
        {
            // A process that was killed after it wrote the results may have left files of ranges/.
            opened.CleanUp();
        }

        return opened;
    }

    /// <inheritdoc/>
    EvaluatedRange? IRangeStore.Find(int start, int count)
    {
        var range = _begun ? RangeFile.Read(RangePath(start)) : null;
        if (range is null || range.Images.Count == count)
        {
            return range;
        }

        range.Dispose();
        return null;
    }

    /// <inheritdoc/>
    void IRangeStore.Store(int start, EvaluatedRange range)
    {
        if (!_begun)
        {
            Begin();
            _begun = true;
        }

        RangeFile.Write(RangePath(start), range);
    }

    /// <summary>Writes the result files, and removes the stored ranges if the run is complete.</summary>
    /// <param name="summary">The summary of the run.</param>
    /// <param name="result">The result of the run, with at least one image.</param>
    /// <returns>The summary with the checksums of the other files, as it was written.</returns>
    /// <exception cref="BadInputException">A file cannot be written.</exception>
    public AttackSummary Write(AttackSummary summary, EvaluationResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var written = ResultFolder.Write(Folder, summary, result);
        if (result.IsComplete)
        {
            CleanUp();
        }

        return written;
    }

    /// <summary>Replaces the summary of a complete run and removes its report, if the summary differs.</summary>
    /// <param name="summary">The new summary.</param>
    /// <returns>The new summary.</returns>
    /// <exception cref="BadInputException">The file cannot be written.</exception>
    internal AttackSummary Rewrite(AttackSummary summary)
    {
        if (ResultFolder.ReadSummary(Folder) is { } earlier && ResultFolder.ToJson(earlier) != ResultFolder.ToJson(summary))
        {
            ResultFolder.WriteSummary(Folder, summary);
        }

        return summary;
    }

    private static string RangesOf(string folder) => Path.Combine(folder, "ranges");

    private static IEnumerable<string> RangeFiles(string folder) => Directory.Exists(RangesOf(folder)) ? Directory.EnumerateFiles(RangesOf(folder), "*.safetensors") : [];

    /// <summary>Collects everything that the result depends on, by key.</summary>
    internal static JsonElement Describe(RunDescription run, LoadedModel model, ImageSet images)
    {
        using var scope = NewDisposeScope();
        return JsonSerializer.SerializeToElement(new SortedDictionary<string, object>(run.Options.ToDictionary(), StringComparer.Ordinal)
        {
            ["attack"] = run.Attack,
            ["norm"] = run.Norm,
            ["space"] = run.Space,
            ["target"] = run.Target,
            ["criterion"] = run.Criterion,
            ["model"] = run.Model,
            ["weights"] = Content(run.Options.TryGetValue("weights", out var path) ? $"{path}" : "", Fingerprint.Of(model.Module.state_dict())),
            [Data] = Content(run.Data, Fingerprint.Of(images)),
            [Images] = images.Count,
            ["seed"] = run.Seed,
            [Version] = AttackSummary.Version,
        });
    }

    /// <summary>Describes a file by its name and the hash of its content. Only the hash is compared.</summary>
    private static Dictionary<string, string> Content(string name, byte[] hash) =>
        new(StringComparer.Ordinal) { [Name] = name, [Sha256] = Convert.ToHexStringLower(hash) };

    private static JsonElement? ReadDescription(string folder)
    {
        var path = Path.Combine(folder, Description);
        try
        {
            if (!File.Exists(path) || JsonSerializer.Deserialize<JsonElement>(RegularFile.Read(path, ResultFolder.LongestJson)) is not { ValueKind: JsonValueKind.Object } run)
            {
                return null;
            }

            ResultFolder.CheckText(run);
            return run;
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Reads the description of a complete run.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="summary">The summary of the run.</param>
    /// <returns>The description, as <see cref="Describe"/> makes it.</returns>
    /// <exception cref="BadInputException">There is no description, or the run is not complete.</exception>
    internal static JsonElement ReadComplete(string folder, AttackSummary summary) =>
        ReadDescription(folder) is not { } run ? throw new BadInputException($"A comparison needs the run.json of each run, but {folder} has none that can be read; run the attack again with brink attack --out.")
        : Value(run, Images)?.GetRawText() == summary.Images.ToString(CultureInfo.InvariantCulture) ? run
        : throw new BadInputException($"A comparison needs complete runs, but the run in {folder} was interrupted after {summary.Images} images; continue it with the same command and --resume.");

    /// <summary>Lists the settings that differ between two runs and without which their lengths cannot be compared: those of model, images, norm and space.</summary>
    /// <param name="here">The description of a run.</param>
    /// <param name="there">The description of the run that it is compared with.</param>
    /// <returns>The differences as text, empty if there are none.</returns>
    internal static string ComparedDifferences(JsonElement here, JsonElement there) =>
        Differences(here, there, key => key is "model" or "weights" or "output" or "mean" or "std" or Data or Images or "skip" or "norm" or "space", "here", "there");

    /// <summary>Lists the settings that count and differ, for an error message.</summary>
    private static string Differences(JsonElement stored, JsonElement requested, Func<string, bool> counts, string first, string second)
    {
        var keys = stored.EnumerateObject().Concat(requested.EnumerateObject()).Select(property => property.Name).Where(counts).Distinct(StringComparer.Ordinal);
        var different = keys.Where(key => !Same(Value(stored, key), Value(requested, key))).ToList();
        if (different.Contains(Images, StringComparer.Ordinal) || different.Contains("skip", StringComparer.Ordinal))
        {
            // Other images of the same data set have another hash, which explains nothing further.
            different.Remove(Data);
        }

        // More would hide the rest of the message.
        const int shown = 5;
        var list = string.Join("; ", different.Take(shown).Select(key => $"{Excerpt.Plain(key)}: {first} {Show(Value(stored, key))}, {second} {Show(Value(requested, key))}"));
        return different.Count > shown ? string.Create(CultureInfo.InvariantCulture, $"{list} and {different.Count - shown} more") : list;
    }

    private static JsonElement? Value(JsonElement run, string key) => run.TryGetProperty(key, out var value) ? value : null;

    private static bool Same(JsonElement? one, JsonElement? other) => one is { } left && other is { } right && JsonElement.DeepEquals(Compared(left), Compared(right));

    /// <summary>Returns the part of a value that is compared: the hash of a file, otherwise the value.</summary>
    private static JsonElement Compared(JsonElement value) => IsContent(value) ? value.GetProperty(Sha256) : value;

    private static bool IsContent(JsonElement value) => value.ValueKind == JsonValueKind.Object && value.TryGetProperty(Name, out _) && value.TryGetProperty(Sha256, out _);

    private static string Show(JsonElement? value)
    {
        const int digits = 12;
        return value is not { } given ? "none"
            : IsContent(given) ? $"{Excerpt.Plain(given.GetProperty(Name).ToString())} with SHA-256 {Excerpt.Cut(given.GetProperty(Sha256).ToString(), digits)}"
            : Excerpt.Plain(given.ValueKind == JsonValueKind.String ? given.GetString()! : given.GetRawText());
    }

    private string RangePath(int start) => Path.Combine(Ranges, $"{start.ToString("D6", CultureInfo.InvariantCulture)}.safetensors");

    /// <summary>Removes the files of an earlier run and writes <c>run.json</c>.</summary>
    private void Begin()
    {
        try
        {
            ResultFolder.Delete(Folder);
            DeleteRanges();
            AtomicFile.Write(DescriptionPath, stream => JsonSerializer.Serialize(stream, _run, ResultFolder.JsonOptions));
            Directory.CreateDirectory(Ranges);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"The folder {Folder} cannot be prepared for the run ({exception.Message.TrimEnd('.')}); free disk space or choose another folder.", exception);
        }
    }

    /// <summary>Removes files that a complete run no longer needs.</summary>
    private void CleanUp()
    {
        try
        {
            DeleteRanges();
            foreach (var path in ResultFolder.Paths(Folder).Append(DescriptionPath).Append(Path.Combine(Folder, ResultFolder.Report)))
            {
                AtomicFile.DiscardRemains(path);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The run is complete without it, as results.json states.
        }
    }

    /// <summary>Removes the stored ranges, and their folder if it is then empty.</summary>
    private void DeleteRanges()
    {
        if (!Directory.Exists(Ranges))
        {
            return;
        }

        foreach (var path in Directory.EnumerateFiles(Ranges, "*.safetensors*").ToArray())
        {
            File.Delete(path);
        }

        if (!Directory.EnumerateFileSystemEntries(Ranges).Any())
        {
            Directory.Delete(Ranges);
        }
    }
}
