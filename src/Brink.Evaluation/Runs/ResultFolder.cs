using System.Text.Json;
using Brink.Data;
using Brink.Evaluation.Results;
using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Evaluation.Runs;

/// <summary>A run on disk: <c>results.json</c>, <c>images.parquet</c> and <c>adversarial.safetensors</c>. Other programs read these names.</summary>
public static class ResultFolder
{
    internal const string Tensors = "adversarial.safetensors";
    internal const string Table = "images.parquet";
    internal const string Summary = "results.json";
    internal const string Report = "report.html";

    internal static readonly JsonSerializerOptions JsonOptions = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The summary as <c>results.json</c> holds it.</summary>
    public static string ToJson(AttackSummary summary) => JsonSerializer.Serialize(summary, JsonOptions);

    /// <summary>The summary that <c>results.json</c> holds; null where there is none that can be read.</summary>
    /// <param name="folder">The folder.</param>
    public static AttackSummary? ReadSummary(string folder)
    {
        var path = Path.Combine(folder, Summary);
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize<AttackSummary>(File.ReadAllBytes(path), JsonOptions) : null;
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Makes sure, before hours of work, that the folder exists and can be written to.</summary>
    /// <param name="folder">The folder; created where it does not exist.</param>
    /// <exception cref="BadInputException">It cannot be made or written to.</exception>
    public static void Prepare(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        if (folder.Length == 0 || File.Exists(folder))
        {
            throw new BadInputException($"The results need a folder, but {(folder.Length == 0 ? "an empty name" : $"the file {folder}")} was given; give the name of a folder.");
        }

        var probe = Path.Combine(folder, $".brink-{Guid.NewGuid():N}");
        try
        {
            Directory.CreateDirectory(folder);
            try
            {
                // A page of content, because an empty file can also be made on a full disk.
                File.WriteAllBytes(probe, new byte[4096]);
            }
            finally
            {
                File.Delete(probe);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new BadInputException($"The results need a folder that can be written to, but {folder} cannot ({exception.Message.TrimEnd('.')}); free space or choose another.", exception);
        }
    }

    /// <summary>Writes the three files, none of them before all are on the disk; <c>results.json</c> comes last, so that where it stands the others do too.</summary>
    /// <param name="folder">The folder, made by <see cref="Prepare"/>.</param>
    /// <param name="summary">The run in numbers.</param>
    /// <param name="result">The run itself, at least one image.</param>
    /// <exception cref="BadInputException">A file could not be written.</exception>
    public static void Write(string folder, AttackSummary summary, EvaluationResult result)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(summary);
        ArgumentNullException.ThrowIfNull(result);
        KeyValuePair<string, Action<Stream>> Named(string name, Action<Stream> write) => KeyValuePair.Create(Path.Combine(folder, name), write);
        AtomicFile.WriteAll(
        [
            Named(Tensors, stream => WriteTensors(stream, result)),
            Named(Table, stream => ImageTable.Write(stream, result.Images)),
            Named(Summary, stream => JsonSerializer.Serialize(stream, summary, JsonOptions)),
        ]);
        DeleteReport(folder);
        DeletePictures(folder);
    }

    /// <summary>Writes <c>results.json</c> anew, and removes the report of what it said before.</summary>
    /// <exception cref="BadInputException">It could not be written.</exception>
    internal static void WriteSummary(string folder, AttackSummary summary)
    {
        AtomicFile.Write(Path.Combine(folder, Summary), stream => JsonSerializer.Serialize(stream, summary, JsonOptions));
        DeleteReport(folder);
    }

    /// <summary>Removes the three files and what was made of them; <c>results.json</c>, which vouches for the others, goes first.</summary>
    /// <exception cref="IOException">One cannot be removed.</exception>
    internal static void Delete(string folder)
    {
        foreach (var path in Paths(folder))
        {
            File.Delete(path);
        }

        PictureFolder.Delete(folder);
        DeleteReport(folder);
    }

    /// <summary>Removes a report of other results; where it cannot be removed, whoever writes the new one says so.</summary>
    private static void DeleteReport(string folder)
    {
        try
        {
            File.Delete(Path.Combine(folder, Report));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The results are more important than what was made of older ones.
        }
    }

    /// <summary>Removes pictures of other results; where they cannot be removed, whoever writes the new ones says so.</summary>
    private static void DeletePictures(string folder)
    {
        try
        {
            PictureFolder.Delete(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // As with the report.
        }
    }

    /// <summary>The three files, <c>results.json</c> first.</summary>
    internal static IEnumerable<string> Paths(string folder) => new[] { Summary, Table, Tensors }.Select(name => Path.Combine(folder, name));

    private static void WriteTensors(Stream stream, EvaluationResult result)
    {
        using var scope = NewDisposeScope();
        var images = result.Images;
        Tensor Column(Func<EvaluatedImage, long> value) => tensor(images.Select(value).ToArray());
        Safetensors.Write(stream, new Dictionary<string, Tensor>(StringComparer.Ordinal)
        {
            ["original"] = cat([.. result.Ranges.Select(range => range.Original)]),
            ["adversarial"] = cat([.. result.Ranges.Select(range => range.Adversarial)]),
            ["label"] = Column(image => image.Outcome.Label),
            ["predictionBefore"] = Column(image => image.Outcome.PredictionBefore),
            ["predictionAfter"] = Column(image => image.Outcome.PredictionAfter),
            ["target"] = Column(image => image.Outcome.Target),
            ["index"] = Column(image => image.Index),
            ["fooled"] = Column(image => image.Outcome.Fooled ? 1 : 0).to(ScalarType.Byte),
            ["forwards"] = Column(image => image.Outcome.Forwards),
            ["backwards"] = Column(image => image.Outcome.Backwards),
        });
    }
}
