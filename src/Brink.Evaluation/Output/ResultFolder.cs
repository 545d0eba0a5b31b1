using System.Text.Json;
using Brink.Evaluation.Results;
using Brink.Models.Checkpoints;
using static TorchSharp.torch;

namespace Brink.Evaluation.Output;

/// <summary>A run on disk: <c>results.json</c>, <c>images.parquet</c> and <c>adversarial.safetensors</c>. Other programs read these names.</summary>
public static class ResultFolder
{
    private static readonly JsonSerializerOptions JsonOptions = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The summary as <c>results.json</c> holds it.</summary>
    public static string ToJson(AttackSummary summary) => JsonSerializer.Serialize(summary, JsonOptions);

    /// <summary>Makes sure, before hours of work, that the folder exists and can be written to.</summary>
    /// <param name="folder">The folder; created where it does not exist.</param>
    /// <exception cref="BadInputException">It cannot be made or written to.</exception>
    public static void Prepare(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new BadInputException($"The folder {folder} could not be made ({exception.Message.TrimEnd('.')}); choose another with --out.", exception);
        }

        var probe = Path.Combine(folder, ".brink");
        AtomicFile.Write(probe, _ => { });
        File.Delete(probe);
    }

    /// <summary>Writes the three files, each whole or not at all; <c>results.json</c> comes last, so that where it stands the others do too.</summary>
    /// <param name="folder">The folder, made by <see cref="Prepare"/>.</param>
    /// <param name="summary">The run in numbers.</param>
    /// <param name="result">The run itself, at least one image.</param>
    /// <exception cref="BadInputException">A file could not be written.</exception>
    public static void Write(string folder, AttackSummary summary, EvaluationResult result)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(summary);
        ArgumentNullException.ThrowIfNull(result);
        AtomicFile.Write(Path.Combine(folder, "adversarial.safetensors"), stream => WriteTensors(stream, result));
        AtomicFile.Write(Path.Combine(folder, "images.parquet"), stream => ImageTable.Write(stream, result.Images));
        AtomicFile.Write(Path.Combine(folder, "results.json"), stream => JsonSerializer.Serialize(stream, summary, JsonOptions));
    }

    private static void WriteTensors(Stream stream, EvaluationResult result)
    {
        using var scope = NewDisposeScope();
        var images = result.Images;
        Tensor Column(Func<EvaluatedImage, long> value) => tensor(images.Select(value).ToArray());
        Safetensors.Write(stream, new Dictionary<string, Tensor>(StringComparer.Ordinal)
        {
            ["original"] = cat([.. result.Ranges.Select(range => range.Original)]),
            ["adversarial"] = cat([.. result.Ranges.Select(range => range.Adversarial)]),
            ["label"] = Column(image => image.Attack.Label),
            ["predictionBefore"] = Column(image => image.Attack.PredictionBefore),
            ["predictionAfter"] = Column(image => image.Attack.PredictionAfter),
            ["target"] = Column(image => image.Attack.Target),
            ["index"] = Column(image => image.Index),
            ["fooled"] = Column(image => image.Attack.Fooled ? 1 : 0).to(ScalarType.Byte),
            ["forwards"] = Column(image => image.Attack.Forwards),
            ["backwards"] = Column(image => image.Attack.Backwards),
        });
    }
}
