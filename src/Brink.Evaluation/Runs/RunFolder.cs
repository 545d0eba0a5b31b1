using System.Globalization;
using System.Text.Json;
using Brink.Data;
using Brink.Evaluation.Results;
using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Evaluation.Runs;

/// <summary>The folder of one run: <c>run.json</c> says what is run, <c>ranges/</c> keeps what is finished, and the three files of <see cref="ResultFolder"/> take its place in the end.</summary>
/// <remarks>
/// The folder belongs to a run from the first range that it keeps: then, and not before, what an earlier run left there goes. It is complete
/// where <c>results.json</c> tells of as many images as <c>run.json</c>.
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

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>The summary of the run where it was complete already, and nothing is left to do; null where something is.</summary>
    public AttackSummary? Finished { get; }

    private string DescriptionPath => Path.Combine(Folder, Description);

    private string Ranges => RangesOf(Folder);

    /// <summary>Opens a folder for a run.</summary>
    /// <param name="folder">The folder; created where it does not exist.</param>
    /// <param name="run">What is to be run.</param>
    /// <param name="model">The network.</param>
    /// <param name="images">The images.</param>
    /// <param name="resume">Whether to continue the run that the folder holds, if any; otherwise it starts anew.</param>
    /// <exception cref="BadInputException">The folder cannot be written to; it holds another run and is to be resumed, or an unfinished one and is not.</exception>
    public static RunFolder Open(string folder, RunDescription run, LoadedModel model, ImageSet images, bool resume)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(images);
        ResultFolder.Prepare(folder);
        var here = Describe(run, model, images);
        var there = ReadDescription(folder);
        var summary = ResultFolder.ReadSummary(folder);
        var complete = there is { } known && summary is not null && Value(known, Images)?.GetRawText() == summary.Images.ToString(CultureInfo.InvariantCulture);
        var unfinished = !complete && RangeFiles(folder).Any();
        if (unfinished && !resume)
        {
            throw new BadInputException($"The folder {folder} holds an unfinished run; add --resume to continue it, or delete it or give another to start anew.");
        }

        if (unfinished && there is null)
        {
            throw new BadInputException($"A run is resumed from its run.json, but {folder} has none that can be read; give another folder to start anew.");
        }

        if (resume && there is { } earlier && Differences(earlier, here) is { Length: > 0 } differences)
        {
            throw new BadInputException($"The folder {folder} holds a run with other settings, which this one cannot continue ({differences}); give the same settings or another folder.");
        }

        var opened = new RunFolder(folder, here, begun: unfinished, resume && complete ? summary : null);
        if (opened.Finished is not null)
        {
            // A process that was killed after it wrote the results may have left them.
            opened.CleanUp();
        }

        return opened;
    }

    /// <inheritdoc/>
    public EvaluatedRange? Find(int start, int count)
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
    public void Keep(int start, EvaluatedRange range)
    {
        if (!_begun)
        {
            Begin();
            _begun = true;
        }

        RangeFile.Write(RangePath(start), range);
    }

    /// <summary>Writes the three result files; the ranges, now contained in them, go once the run is complete.</summary>
    /// <param name="summary">The run in numbers.</param>
    /// <param name="result">The run itself, at least one image.</param>
    /// <exception cref="BadInputException">A file could not be written.</exception>
    public void Write(AttackSummary summary, EvaluationResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        ResultFolder.Write(Folder, summary, result);
        if (result.IsComplete)
        {
            CleanUp();
        }
    }

    /// <summary>Gives a finished run another summary, and drops the report of the one before, if they differ.</summary>
    /// <param name="summary">The summary.</param>
    /// <returns>The same summary.</returns>
    /// <exception cref="BadInputException">It could not be written.</exception>
    public AttackSummary Rewrite(AttackSummary summary)
    {
        if (ResultFolder.ReadSummary(Folder) is { } earlier && ResultFolder.ToJson(earlier) != ResultFolder.ToJson(summary))
        {
            ResultFolder.WriteSummary(Folder, summary);
        }

        return summary;
    }

    private static string RangesOf(string folder) => Path.Combine(folder, "ranges");

    private static IEnumerable<string> RangeFiles(string folder) => Directory.Exists(RangesOf(folder)) ? Directory.EnumerateFiles(RangesOf(folder), "*.safetensors") : [];

    /// <summary>Everything that the outcome depends on, key by key.</summary>
    private static JsonElement Describe(RunDescription run, LoadedModel model, ImageSet images)
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

    /// <summary>A file as a run knows it again: by what it holds. Its name is for people.</summary>
    private static Dictionary<string, string> Content(string name, byte[] hash) =>
        new(StringComparer.Ordinal) { [Name] = name, [Sha256] = Convert.ToHexStringLower(hash) };

    private static JsonElement? ReadDescription(string folder)
    {
        var path = Path.Combine(folder, Description);
        try
        {
            return File.Exists(path) && JsonSerializer.Deserialize<JsonElement>(File.ReadAllBytes(path)) is { ValueKind: JsonValueKind.Object } run ? run : null;
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The settings that are not the same, as a list for an error; empty where all are. Another version of Brink may continue a run.</summary>
    private static string Differences(JsonElement there, JsonElement here)
    {
        var keys = there.EnumerateObject().Concat(here.EnumerateObject()).Select(property => property.Name).Where(key => key != Version).Distinct(StringComparer.Ordinal);
        var different = keys.Where(key => !Same(Value(there, key), Value(here, key))).ToList();
        if (different.Contains(Images, StringComparer.Ordinal) || different.Contains("skip", StringComparer.Ordinal))
        {
            // Another cut of a data set has another content, which tells nobody more.
            different.Remove(Data);
        }

        return string.Join("; ", different.Select(key => $"{key}: there {Show(Value(there, key))}, here {Show(Value(here, key))}"));
    }

    private static JsonElement? Value(JsonElement run, string key) => run.TryGetProperty(key, out var value) ? value : null;

    private static bool Same(JsonElement? one, JsonElement? other) => one is { } left && other is { } right && JsonElement.DeepEquals(Essence(left), Essence(right));

    /// <summary>What decides whether two values are the same.</summary>
    private static JsonElement Essence(JsonElement value) => IsContent(value) ? value.GetProperty(Sha256) : value;

    private static bool IsContent(JsonElement value) => value.ValueKind == JsonValueKind.Object && value.TryGetProperty(Name, out _) && value.TryGetProperty(Sha256, out _);

    private static string Show(JsonElement? value)
    {
        const int legible = 12;
        return value is not { } given ? "none"
            : IsContent(given) ? $"{given.GetProperty(Name)} with SHA-256 {given.GetProperty(Sha256).ToString()[..legible]}…"
            : given.ValueKind == JsonValueKind.String ? given.GetString()! : given.GetRawText();
    }

    private string RangePath(int start) => Path.Combine(Ranges, $"{start.ToString("D6", CultureInfo.InvariantCulture)}.safetensors");

    /// <summary>Makes the folder this run's own.</summary>
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
            throw new BadInputException($"The folder {Folder} could not be made ready for the run ({exception.Message.TrimEnd('.')}); free space or choose another.", exception);
        }
    }

    /// <summary>Removes what a complete run needs no longer.</summary>
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
            // The run is complete all the same, and said to be by results.json.
        }
    }

    /// <summary>Removes the kept ranges, and their folder unless something else is in it.</summary>
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
