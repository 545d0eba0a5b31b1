using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using Brink.Data;
using Brink.Evaluation.Results;
using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Evaluation.Runs;

/// <summary>Writes and reads the result files of a run: <c>results.json</c>, <c>images.parquet</c> and <c>adversarial.safetensors</c>.</summary>
/// <remarks>Other programs read these files by name.</remarks>
internal static class ResultFolder
{
    internal const string Tensors = "adversarial.safetensors";
    internal const string Table = "images.parquet";
    internal const string Summary = "results.json";
    internal const string Report = "report.html";

    /// <summary>The maximum length of a JSON file of a run in bytes, enough for a million class names.</summary>
    internal const int LongestJson = 16 << 20;

    internal static readonly JsonSerializerOptions JsonOptions = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        // A damaged file may have null where a value is needed, or lack it.
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>Serialises a summary as in <c>results.json</c>.</summary>
    /// <param name="summary">The summary.</param>
    /// <returns>The JSON text.</returns>
    public static string ToJson(AttackSummary summary) => JsonSerializer.Serialize(summary, JsonOptions);

    /// <summary>Reads the summary from <c>results.json</c>.</summary>
    /// <param name="folder">The folder.</param>
    /// <returns>The summary, or null if the file is missing or cannot be read.</returns>
    public static AttackSummary? ReadSummary(string folder)
    {
        var path = Path.Combine(folder, Summary);
        try
        {
            var summary = File.Exists(path) ? JsonSerializer.Deserialize<AttackSummary>(RegularFile.Read(path, LongestJson), JsonOptions) : null;
            // A number such as 1e999 is read as infinity, which cannot be written.
            _ = summary is null ? "" : ToJson(summary);
            foreach (var option in summary?.Options.Values.OfType<JsonElement>() ?? [])
            {
                CheckText(option);
            }

            return summary;
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Checks every text of a JSON value, because parsing does not decode them: they may be no UTF-8, or have half of a surrogate pair.</summary>
    /// <param name="value">The value.</param>
    /// <exception cref="JsonException">A text cannot be decoded.</exception>
    internal static void CheckText(JsonElement value)
    {
        try
        {
            switch (value.ValueKind)
            {
                case JsonValueKind.String:
                    _ = value.GetString();
                    break;
                case JsonValueKind.Array:
                    value.EnumerateArray().ToList().ForEach(CheckText);
                    break;
                case JsonValueKind.Object:
                    foreach (var property in value.EnumerateObject())
                    {
                        _ = property.Name;
                        CheckText(property.Value);
                    }

                    break;
            }
        }
        catch (InvalidOperationException exception)
        {
            throw new JsonException("A text cannot be decoded.", exception);
        }
    }

    /// <summary>Creates a folder if necessary and checks that it is writable, so that a long run does not fail at its end.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="BadInputException">The folder cannot be created or is not writable.</exception>
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
                // One memory page of content, because an empty file can be created even on a full disk.
                File.WriteAllBytes(probe, new byte[4096]);
            }
            finally
            {
                File.Delete(probe);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new BadInputException($"The results need a writable folder, but {folder} is not writable ({exception.Message.TrimEnd('.')}); free disk space or choose another folder.", exception);
        }
    }

    /// <summary>Writes the result files. They replace older ones after all of them are on disk, <c>results.json</c> last, so the other files exist if it does.</summary>
    /// <param name="folder">The folder, checked by <see cref="Prepare"/>.</param>
    /// <param name="summary">The summary of the run.</param>
    /// <param name="result">The result of the run, with at least one image.</param>
    /// <returns>The summary with the checksums of the other files, as it was written.</returns>
    /// <exception cref="BadInputException">A file cannot be written.</exception>
    public static AttackSummary Write(string folder, AttackSummary summary, EvaluationResult result)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(summary);
        ArgumentNullException.ThrowIfNull(result);
        KeyValuePair<string, Action<Stream>> Named(string name, Action<Stream> write) => KeyValuePair.Create(Path.Combine(folder, name), write);
        var checksums = new SortedDictionary<string, string>(StringComparer.Ordinal);
        KeyValuePair<string, Action<Stream>> Hashed(string name, Action<Stream> write) => Named(name, stream =>
        {
            write(stream);
            stream.Position = 0;
            checksums[name] = Convert.ToHexStringLower(SHA256.HashData(stream));
        });
        // Written last, when both checksums are known.
        var complete = summary with { Checksums = checksums };
        AtomicFile.WriteAll(
        [
            Hashed(Tensors, stream => WriteTensors(stream, result)),
            Hashed(Table, stream => ImageTable.Write(stream, result.Images)),
            Named(Summary, stream => JsonSerializer.Serialize(stream, complete, JsonOptions)),
        ]);
        DeleteReport(folder);
        DeletePictures(folder);
        return complete;
    }

    /// <summary>Determines whether a file of a run is the one that was written with its summary. Missing files and those of older versions, which have no checksums, are left to their readers.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="name">The name of the file.</param>
    /// <param name="summary">The summary of the run.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    internal static bool IsIntact(string folder, string name, AttackSummary summary)
    {
        if (summary.Checksums is null || !File.Exists(Path.Combine(folder, name)))
        {
            return true;
        }

        using var stream = RegularFile.Open(Path.Combine(folder, name));
        return stream is not null && summary.Checksums.TryGetValue(name, out var checksum) && Convert.ToHexStringLower(SHA256.HashData(stream)) == checksum;
    }

    /// <summary>Replaces <c>results.json</c> and removes the report of the earlier results.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="summary">The summary of the run.</param>
    /// <exception cref="BadInputException">The file cannot be written.</exception>
    internal static void WriteSummary(string folder, AttackSummary summary)
    {
        AtomicFile.Write(Path.Combine(folder, Summary), stream => JsonSerializer.Serialize(stream, summary, JsonOptions));
        DeleteReport(folder);
    }

    /// <summary>Removes the result files, <c>results.json</c> first, the PNG images and the report.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="IOException">A file cannot be removed.</exception>
    internal static void Delete(string folder)
    {
        foreach (var path in Paths(folder))
        {
            File.Delete(path);
        }

        PictureFolder.Delete(folder);
        DeleteReport(folder);
    }

    /// <summary>Removes the report of earlier results. A failure is ignored, since writing the new report fails with a message.</summary>
    private static void DeleteReport(string folder)
    {
        try
        {
            File.Delete(Path.Combine(folder, Report));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The new results are complete without it.
        }
    }

    /// <summary>Removes the PNG images of earlier results. A failure is ignored, since writing new ones fails with a message.</summary>
    private static void DeletePictures(string folder)
    {
        try
        {
            PictureFolder.Delete(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The new results are complete without them.
        }
    }

    /// <summary>Returns the paths of the result files, <c>results.json</c> first.</summary>
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

/// <summary>The folder <c>png</c> of a run: the adversarial images as PNG files of 8 bits per value, named by their index in the data set.</summary>
internal static partial class PictureFolder
{
    private const string Name = "png";

    /// <summary>Returns the path of the PNG file of an image.</summary>
    /// <param name="folder">The folder of the PNG files.</param>
    /// <param name="index">The index of the image in the data set.</param>
    /// <returns>The path, with the index in at least six digits.</returns>
    internal static string PicturePath(string folder, long index) => Path.Combine(folder, $"{index.ToString("D6", CultureInfo.InvariantCulture)}.png");

    /// <summary>Removes the PNG files of an earlier run, and their folder if it is then empty.</summary>
    /// <param name="run">The folder of the run.</param>
    /// <exception cref="IOException">A file cannot be removed.</exception>
    /// <exception cref="UnauthorizedAccessException">A file cannot be removed.</exception>
    internal static void Delete(string run)
    {
        var folder = Path.Combine(run, Name);
        if (!Directory.Exists(folder))
        {
            return;
        }

        // Files with other names were not written by Brink.
        foreach (var path in Directory.EnumerateFiles(folder).Where(path => Picture().IsMatch(Path.GetFileName(path))).ToArray())
        {
            File.Delete(path);
        }

        if (!Directory.EnumerateFileSystemEntries(folder).Any())
        {
            Directory.Delete(folder);
        }
    }

    /// <summary>Creates the folder and removes the PNG files of an earlier run from it.</summary>
    /// <param name="run">The folder of the run.</param>
    /// <returns>The folder of the PNG files.</returns>
    /// <exception cref="BadInputException">The folder cannot be created or written to.</exception>
    internal static string Prepare(string run)
    {
        var folder = Path.Combine(run, Name);
        try
        {
            Delete(run);
            Directory.CreateDirectory(folder);
            return folder;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"The PNG images need a writable folder, but {folder} is not writable ({exception.Message.TrimEnd('.')}); free disk space or choose another folder.", exception);
        }
    }

    /// <summary>Matches the name of a PNG file, or of the partial file that a killed process left.</summary>
    [GeneratedRegex(@"^[0-9]{6,}\.png(\.[0-9a-f]{32}\.partial)?$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Picture();
}
