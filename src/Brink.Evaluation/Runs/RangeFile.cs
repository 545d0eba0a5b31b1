using System.Text.Json;
using System.Text.Json.Serialization;
using Brink.Data;
using Brink.Evaluation.Results;
using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Evaluation.Runs;

/// <summary>A finished range in a file that gives back the same numbers bit for bit: safetensors, with all but the images as JSON in a tensor of bytes.</summary>
internal static class RangeFile
{
    private const string Checksum = "checksum";

    // A relative perturbation may be infinite, and an ending is kept by its name, which stays when endings are added.
    private static readonly JsonSerializerOptions JsonOptions = new()
    {
        IgnoreReadOnlyProperties = true,
        // A range written by another version may lack a property; it is then recomputed.
        RespectRequiredConstructorParameters = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter() },
    };

    public static void Write(string path, EvaluatedRange range)
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal)
        {
            ["original"] = range.Original,
            ["adversarial"] = range.Adversarial,
            ["results"] = tensor(JsonSerializer.SerializeToUtf8Bytes(new Results(range.Seconds, range.Images), JsonOptions)),
        };
        tensors[Checksum] = tensor(Fingerprint.Of(tensors));
        AtomicFile.Write(path, stream => Safetensors.Write(stream, tensors));
    }

    /// <summary>The range; null where there is no such file or it is damaged.</summary>
    public static EvaluatedRange? Read(string path)
    {
        using var scope = NewDisposeScope();
        try
        {
            var tensors = Safetensors.Read(path).ToDictionary(StringComparer.Ordinal);
            if (!tensors.Remove(Checksum, out var checksum) || !checksum.bytes.SequenceEqual(Fingerprint.Of(tensors)))
            {
                return null;
            }

            var results = JsonSerializer.Deserialize<Results>(tensors["results"].bytes, JsonOptions)!;
            return new(results.Images, tensors["original"].DetachFromDisposeScope(), tensors["adversarial"].DetachFromDisposeScope(), results.Seconds);
        }
        catch (Exception exception) when (exception is BadInputException or JsonException or KeyNotFoundException)
        {
            // A whole file may still be another version's.
            return null;
        }
    }

    private sealed record Results(double Seconds, IReadOnlyList<EvaluatedImage> Images);
}
