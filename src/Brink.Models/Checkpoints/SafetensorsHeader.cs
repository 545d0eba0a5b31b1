using System.Buffers;
using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Brink.Models;

/// <summary>The JSON header of a safetensors file, read and written by the rules of the reference implementation (huggingface/safetensors, <c>tensor.rs</c>).</summary>
internal static class SafetensorsHeader
{
    /// <summary>The reference implementation's cap on the length of a header, in bytes.</summary>
    public const int MaximumLength = 100_000_000;

    private const int LengthBytes = 8;
    private const string MetadataName = "__metadata__";

    /// <summary>Reads the header, leaving the stream at the first byte of the first tensor, and checks every claim against the stream's length.</summary>
    /// <param name="stream">The stream, at its header.</param>
    /// <param name="source">What to call it.</param>
    /// <param name="metadata">Where to put the text of the header; null to leave it.</param>
    /// <returns>The tensors in the order of their bytes.</returns>
    public static IReadOnlyList<SafetensorsEntry> Read(Stream stream, CheckpointSource source, Dictionary<string, string>? metadata = null)
    {
        var available = stream.Length - stream.Position;
        if (available < LengthBytes)
        {
            throw source.Refuse($"it must begin with the 8 bytes of the header's length, but holds only {available}");
        }

        Span<byte> prefix = stackalloc byte[LengthBytes];
        stream.ReadExactly(prefix);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        available -= LengthBytes;
        if (length > MaximumLength || (long)length > available)
        {
            throw source.Refuse($"its header claims {length} bytes, but at most {Math.Min(MaximumLength, available)} are possible here");
        }

        var json = new byte[length];
        stream.ReadExactly(json);
        var entries = Parse(json, source, metadata);
        CheckLayout(entries, available - (long)length, source);
        return entries;
    }

    /// <summary>The length prefix and the header, padded with spaces so that the tensors begin at a multiple of 8 bytes.</summary>
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
            throw new ArgumentException($"A safetensors header may have {MaximumLength} bytes, but these names and metadata make {padded}; write several files.", nameof(entries));
        }

        var header = new byte[LengthBytes + padded];
        BinaryPrimitives.WriteUInt64LittleEndian(header, (ulong)padded);
        buffer.WrittenSpan.CopyTo(header.AsSpan(LengthBytes));
        header.AsSpan(LengthBytes + buffer.WrittenCount).Fill((byte)' ');
        return header;
    }

    /// <summary>Whether a tensor may have this name.</summary>
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
        // JsonDocument checks UTF-8 only when a string is asked for.
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
                    Keep(property.Value, metadata);
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
            // InvalidOperationException: a name with half a surrogate pair, which JSON can spell and UTF-8 cannot.
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

    private static void Keep(JsonElement checkedMetadata, Dictionary<string, string>? metadata)
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
            throw source.Refuse($"a tensor may have {TensorShape.MaximumRank} dimensions, but {Excerpt.Quote(name)} has {shape.Length}");
        }

        return new SafetensorsEntry(name, type, shape, offsets[0], offsets[1]);
    }

    // Only whole non-negative numbers count, as in the reference implementation; null otherwise.
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

    // Every byte after the header belongs to exactly one tensor: a hole could smuggle data past a scanner, an overlap could claim the same bytes many times.
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
