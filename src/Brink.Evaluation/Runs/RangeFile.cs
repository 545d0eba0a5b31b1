using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Brink.Data;
using Brink.Evaluation.Results;
using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Evaluation.Runs;

/// <summary>Writes and reads finished ranges without loss: a safetensors file with the images and, as JSON in a tensor of bytes, the results.</summary>
internal static class RangeFile
{
    private const string Checksum = "checksum";

    // A relative perturbation may be infinite. Exit reasons are stored by name, so that new ones do not change the meaning of old files.
    private static readonly JsonSerializerOptions JsonOptions = new()
    {
        IgnoreReadOnlyProperties = true,
        // A range of another version may lack a property. It is then computed again.
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>Writes a range.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="range">The range.</param>
    /// <exception cref="BadInputException">The file cannot be written.</exception>
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

    /// <summary>Reads a range.</summary>
    /// <param name="path">The path of the file.</param>
    /// <returns>The range, which the caller disposes, or null if the file is missing or damaged.</returns>
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

            return JsonSerializer.Deserialize<Results>(tensors["results"].bytes, JsonOptions) is { } results && results.Images.All(image => image is not null)
                ? new(results.Images, tensors["original"].DetachFromDisposeScope(), tensors["adversarial"].DetachFromDisposeScope(), results.Seconds)
                : null;
        }
        catch (Exception exception) when (exception is BadInputException or JsonException or KeyNotFoundException)
        {
            // A complete file may have been written by another version, with other properties.
            return null;
        }
    }

    private sealed record Results(double Seconds, IReadOnlyList<EvaluatedImage> Images);
}

/// <summary>Computes SHA-256 hashes of tensors and images, which identify the model and the data of a run independently of file names.</summary>
internal static class Fingerprint
{
    /// <summary>Computes the hash of named tensors: of their names, types, shapes and values.</summary>
    /// <param name="tensors">The tensors by name.</param>
    /// <returns>The hash, 32 bytes.</returns>
    public static byte[] Of(IReadOnlyDictionary<string, Tensor> tensors)
    {
        using var hash = SHA256.Create();
        using (var stream = new CryptoStream(Stream.Null, hash, CryptoStreamMode.Write))
        {
            Safetensors.Write(stream, tensors);
        }

        return hash.Hash!;
    }

    /// <summary>Computes the hash of images: of their size, pixels and labels.</summary>
    /// <param name="images">The images.</param>
    /// <returns>The hash, 32 bytes.</returns>
    public static byte[] Of(ImageSet images)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> number = stackalloc byte[sizeof(long)];
        foreach (var size in new[] { images.Channels, images.Height, images.Width })
        {
            BinaryPrimitives.WriteInt64LittleEndian(number, size);
            hash.AppendData(number);
        }

        for (var index = 0; index < images.Count; index++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(number, images.Label(index));
            hash.AppendData(number);
            hash.AppendData(images.Pixels(index));
        }

        return hash.GetHashAndReset();
    }
}
