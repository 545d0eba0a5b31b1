using System.Buffers;
using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Brink.Models;

/// <summary>Reads and writes the JSON header of a safetensors file by the rules of the reference implementation (huggingface/safetensors, <c>tensor.rs</c>).</summary>
internal static class SafetensorsHeader
{
    /// <summary>The largest length of a header in bytes, as in the reference implementation.</summary>
    public const int MaximumLength = 100_000_000;

    private const int LengthBytes = 8;
    private const string MetadataName = "__metadata__";

    /// <summary>Reads and checks the header; the stream is then at the first byte of the first tensor.</summary>
    /// <param name="stream">The stream, positioned at the header.</param>
    /// <param name="source">The file, for error messages.</param>
    /// <param name="metadata">A dictionary that receives the metadata; null to ignore it.</param>
    /// <returns>The tensors in the order of their bytes.</returns>
    public static IReadOnlyList<SafetensorsEntry> Read(Stream stream, CheckpointSource source, Dictionary<string, string>? metadata = null)
    {
        var available = stream.Length - stream.Position;
        if (available < LengthBytes)
        {
            throw source.Refuse($"it must begin with the 8 bytes of the header's length, but has only {available}");
        }

        Span<byte> prefix = stackalloc byte[LengthBytes];
        stream.ReadExactly(prefix);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        available -= LengthBytes;
        if (length > MaximumLength || (long)length > available)
        {
            throw source.Refuse($"its header claims {length} bytes, but at most {Math.Min(MaximumLength, available)} are possible");
        }

        var json = new byte[length];
        stream.ReadExactly(json);
        var entries = Parse(json, source, metadata);
        CheckLayout(entries, available - (long)length, source);
        return entries;
    }

    /// <summary>Creates the length prefix and the header, padded with spaces so that the tensors begin at a multiple of 8 bytes.</summary>
    /// <param name="entries">The tensors in the order of their bytes.</param>
    /// <param name="metadata">Strings by name for <c>__metadata__</c>; null for none.</param>
    /// <returns>The bytes before the first tensor.</returns>
    public static byte[] Write(IEnumerable<SafetensorsEntry> entries, IReadOnlyDictionary<string, string>? metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata is not null)
            {
                json.WriteStartObject(MetadataName);
                foreach (var (name, value) in metadata)
                {
                    json.WriteString(name, value);
                }

                json.WriteEndObject();
            }

            foreach (var entry in entries)
            {
                WriteEntry(json, entry);
            }

            json.WriteEndObject();
        }

        var padded = (buffer.WrittenCount + LengthBytes - 1) / LengthBytes * LengthBytes;
        if (padded > MaximumLength)
        {
            throw new ArgumentException($"A safetensors header may have at most {MaximumLength} bytes, but these names and metadata need {padded}; write several files.", nameof(entries));
        }

        var header = new byte[LengthBytes + padded];
        BinaryPrimitives.WriteUInt64LittleEndian(header, (ulong)padded);
        buffer.WrittenSpan.CopyTo(header.AsSpan(LengthBytes));
        header.AsSpan(LengthBytes + buffer.WrittenCount).Fill((byte)' ');
        return header;
    }

    /// <summary>Determines whether a name is reserved for the metadata.</summary>
    public static bool IsReserved(string name) => string.Equals(name, MetadataName, StringComparison.Ordinal);

    private static void WriteEntry(Utf8JsonWriter json, SafetensorsEntry entry)
    {
        json.WriteStartObject(entry.Name);
        json.WriteString("dtype", entry.Type.SafetensorsName);
        json.WriteStartArray("shape");
        foreach (var size in entry.Shape)
        {
            json.WriteNumberValue(size);
        }

        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(entry.Start);
        json.WriteNumberValue(entry.End);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static List<SafetensorsEntry> Parse(byte[] json, CheckpointSource source, Dictionary<string, string>? metadata)
    {
        // JsonDocument checks UTF-8 only when a string is read.
        if (!Utf8.IsValid(json))
        {
            throw source.Refuse("its header must be UTF-8, but is not");
        }

        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw source.Refuse($"its header must be a JSON object, but is a JSON {document.RootElement.ValueKind}");
            }

            var names = new HashSet<string>(StringComparer.Ordinal);
            var entries = new List<SafetensorsEntry>();
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (!names.Add(property.Name))
                {
                    throw source.Refuse($"names must differ, but its header has {Excerpt.Quote(property.Name)} twice");
                }

                if (IsReserved(property.Name))
                {
                    CheckMetadata(property.Value, source);
                    Copy(property.Value, metadata);
                }
                else
                {
                    entries.Add(ParseEntry(property.Name, property.Value, source));
                }
            }

            return entries;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a name with half of a surrogate pair, which JSON can express and UTF-8 cannot.
            throw source.Refuse("its header must be valid JSON, but is not", exception);
        }
    }

    private static void CheckMetadata(JsonElement metadata, CheckpointSource source)
    {
        if (metadata.ValueKind == JsonValueKind.Null)
        {
            return;
        }

        if (metadata.ValueKind != JsonValueKind.Object || metadata.EnumerateObject().Any(property => property.Value.ValueKind != JsonValueKind.String))
        {
            throw source.Refuse($"{MetadataName} must map names to strings, but does not");
        }
    }

    private static void Copy(JsonElement checkedMetadata, Dictionary<string, string>? metadata)
    {
        if (metadata is null || checkedMetadata.ValueKind == JsonValueKind.Null)
        {
            return;
        }

        foreach (var property in checkedMetadata.EnumerateObject())
        {
            metadata[property.Name] = property.Value.GetString()!;
        }
    }

    private static SafetensorsEntry ParseEntry(string name, JsonElement info, CheckpointSource source)
    {
        if (info.ValueKind != JsonValueKind.Object
            || !info.TryGetProperty("dtype", out var dtype) || dtype.ValueKind != JsonValueKind.String
            || !info.TryGetProperty("shape", out var sizes) || Integers(sizes) is not { } shape
            || !info.TryGetProperty("data_offsets", out var range) || Integers(range) is not { Length: 2 } offsets)
        {
            throw source.Refuse($"each tensor needs a dtype, a shape and two data_offsets, but {Excerpt.Quote(name)} lacks one or has it in another form");
        }

        var type = ElementType.All.FirstOrDefault(candidate => dtype.ValueEquals(candidate.SafetensorsName))
            ?? throw source.Refuse($"the dtype must be one of {string.Join(", ", ElementType.All.Select(known => known.SafetensorsName))}, but {Excerpt.Quote(name)} has {Excerpt.Quote(dtype.GetString()!)}");
        if (shape.Length > TensorShape.MaximumRank)
        {
            throw source.Refuse($"a tensor may have at most {TensorShape.MaximumRank} dimensions, but {Excerpt.Quote(name)} has {shape.Length}");
        }

        return new SafetensorsEntry(name, type, shape, offsets[0], offsets[1]);
    }

    // Null unless all numbers are non-negative integers, as in the reference implementation.
    private static long[]? Integers(JsonElement array)
    {
        if (array.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        var numbers = new long[array.GetArrayLength()];
        var position = 0;
        foreach (var element in array.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt64(out numbers[position]) || numbers[position] < 0)
            {
                return null;
            }

            position++;
        }

        return numbers;
    }

    // Every byte after the header must be part of exactly one tensor: a gap could hide data from a scanner, and an overlap could multiply the same bytes.
    private static void CheckLayout(List<SafetensorsEntry> entries, long available, CheckpointSource source)
    {
        entries.Sort((left, right) => (left.Start, left.End).CompareTo((right.Start, right.End)));
        long end = 0;
        foreach (var entry in entries)
        {
            if (entry.Start != end || entry.End < entry.Start)
            {
                throw source.Refuse($"the bytes of {Excerpt.Quote(entry.Name)} must begin where the previous tensor ends, at {end}, but are given as {entry.Start} to {entry.End}");
            }

            if (TensorShape.ByteCount(entry.Shape, entry.Type.Size) != entry.End - entry.Start)
            {
                throw source.Refuse($"{Excerpt.Quote(entry.Name)} has {entry.End - entry.Start} bytes, which does not agree with its dtype {entry.Type.SafetensorsName} and its shape {Excerpt.Shape(entry.Shape)}");
            }

            end = entry.End;
        }

        if (end != available)
        {
            throw source.Refuse($"its header accounts for {end} bytes of tensors, but {available} follow it");
        }
    }
}

/// <summary>The entry of one tensor in a safetensors header.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Type">The type of its elements.</param>
/// <param name="Shape">The tensor's shape.</param>
/// <param name="Start">The offset of its first byte from the end of the header.</param>
/// <param name="End">The offset after its last byte.</param>
internal sealed record SafetensorsEntry(string Name, ElementType Type, long[] Shape, long Start, long End);
