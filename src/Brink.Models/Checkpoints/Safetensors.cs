using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>Reads and writes safetensors files, the format of the Hugging Face library of that name: a JSON header, then raw tensors.</summary>
/// <remarks>
/// Reading is as strict as the reference implementation: tensors follow each other without holes or overlap and fill the file.
/// Types: F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL.
/// </remarks>
public static class Safetensors
{
    /// <summary>Reads all tensors of a file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The tensors, which the caller (or its dispose scope) owns, in the order of the file.</returns>
    /// <exception cref="BadInputException">The file cannot be read or is not a safetensors file.</exception>
    public static IReadOnlyDictionary<string, Tensor> Read(string path) => CheckpointFile.Read(path, stream => Read(stream, path));

    /// <summary>Reads all tensors from the stream's position to its end.</summary>
    /// <param name="stream">A stream that can seek: what the header claims is checked against its length before any memory is taken.</param>
    /// <param name="name">What to call the stream in an error message.</param>
    /// <returns>The tensors, which the caller (or its dispose scope) owns, in the order of the file.</returns>
    /// <exception cref="BadInputException">The stream does not hold a safetensors file.</exception>
    /// <exception cref="ArgumentException">The stream cannot seek.</exception>
    public static IReadOnlyDictionary<string, Tensor> Read(Stream stream, string name)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!stream.CanSeek)
        {
            throw new ArgumentException("Reading safetensors needs a stream that can seek; copy this one into a MemoryStream.", nameof(stream));
        }

        var source = CheckpointSource.Safetensors(name);
        using var scope = NewDisposeScope();
        var tensors = new OrderedDictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var entry in SafetensorsHeader.Read(stream, source))
        {
            var tensor = empty(entry.Shape, entry.Type.Scalar, CPU);
            TensorBytes.Fill(tensor, stream, source);
            tensors.Add(entry.Name, tensor);
        }

        foreach (var tensor in tensors.Values)
        {
            tensor.MoveToOuterDisposeScope();
        }

        return tensors;
    }

    /// <summary>Reads the text that a file's header keeps in <c>__metadata__</c>, without the tensors.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The text by name; empty where the file keeps none.</returns>
    /// <exception cref="BadInputException">The file cannot be read or is not a safetensors file.</exception>
    public static IReadOnlyDictionary<string, string> ReadMetadata(string path) => CheckpointFile.Read(path, stream =>
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        _ = SafetensorsHeader.Read(stream, CheckpointSource.Safetensors(path), metadata);
        return metadata;
    });

    /// <summary>Writes tensors one after the other, laid out as the reference implementation does: wider types first, then by name.</summary>
    /// <param name="stream">Where to write.</param>
    /// <param name="tensors">The tensors by name. They may be strided or on another device; at most one is copied at a time.</param>
    /// <param name="metadata">Text to keep in the header's <c>__metadata__</c>.</param>
    /// <exception cref="ArgumentException">A tensor has a type the format lacks, or the reserved name <c>__metadata__</c>.</exception>
    public static void Write(Stream stream, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(tensors);
        var ordered = tensors
            .Select(named => (Name: named.Key, Tensor: named.Value, Type: TypeOf(named.Key, named.Value)))
            .OrderByDescending(item => item.Type.Rank)
            .ThenBy(item => item.Name, StringComparer.Ordinal)
            .ToList();
        var entries = new List<SafetensorsEntry>(ordered.Count);
        long end = 0;
        foreach (var (name, tensor, type) in ordered)
        {
            var start = end;
            end += tensor.numel() * type.Size;
            entries.Add(new SafetensorsEntry(name, type, tensor.shape, start, end));
        }

        stream.Write(SafetensorsHeader.Write(entries, metadata));
        foreach (var (_, tensor, _) in ordered)
        {
            TensorBytes.Write(tensor, stream);
        }
    }

    private static ElementType TypeOf(string name, Tensor tensor)
    {
        if (SafetensorsHeader.IsReserved(name))
        {
            throw new ArgumentException($"safetensors keeps the name {name} for its metadata; give the tensor another name.", nameof(name));
        }

        return ElementType.Of(tensor.dtype)
            ?? throw new ArgumentException($"safetensors holds real numbers, integers and booleans, but '{name}' is {tensor.dtype}; convert it first.", nameof(tensor));
    }
}
