using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>Reads and writes safetensors files (github.com/huggingface/safetensors): a JSON header, then raw tensors.</summary>
/// <remarks>
/// Reading is as strict as the reference implementation: tensors must follow each other without gaps or overlap and fill the file.
/// Types: F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL.
/// </remarks>
public static class Safetensors
{
    /// <summary>Reads all tensors of a file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The tensors by name, in the order of the file, owned by the caller or its dispose scope.</returns>
    /// <exception cref="BadInputException">Thrown when the file cannot be read or is not a safetensors file.</exception>
    public static IReadOnlyDictionary<string, Tensor> Read(string path) => CheckpointFile.Read(path, stream => Read(stream, path));

    /// <summary>Reads all tensors from the stream's position to its end.</summary>
    /// <param name="stream">A stream that can seek; the header is compared with its length before memory is allocated.</param>
    /// <param name="name">The name of the stream in error messages.</param>
    /// <returns>The tensors by name, in the order of the file, owned by the caller or its dispose scope.</returns>
    /// <exception cref="BadInputException">Thrown when the stream is not a safetensors file.</exception>
    /// <exception cref="ArgumentException">Thrown when the stream cannot seek.</exception>
    public static IReadOnlyDictionary<string, Tensor> Read(Stream stream, string name)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!stream.CanSeek)
        {
            throw new ArgumentException("Reading safetensors needs a stream that can seek; copy this one into a MemoryStream.", nameof(stream));
        }

        return Checkpoint.ByName(Read(stream, CheckpointSource.Safetensors(name), tensors => tensors), tensor => tensor.Name);
    }

    /// <summary>Reads the selected tensors from the stream's position to its end.</summary>
    /// <param name="stream">A stream that can seek.</param>
    /// <param name="source">The file, for error messages.</param>
    /// <param name="select">The selection.</param>
    /// <returns>The selected tensors, in the caller's dispose scope.</returns>
    internal static IReadOnlyDictionary<StoredTensor, Tensor> Read(Stream stream, CheckpointSource source, TensorSelection select)
    {
        using var scope = NewDisposeScope();
        var header = SafetensorsHeader.Read(stream, source);
        if (header.FirstOrDefault(entry => entry.Name.Length > StoredTensor.MaximumPath) is { } longest)
        {
            throw source.Refuse($"names may have at most {StoredTensor.MaximumPath} characters, but {Excerpt.Quote(longest.Name)} is longer");
        }

        var entries = header.ToDictionary(entry => new StoredTensor("", entry.Name, entry.Type.Scalar, entry.Shape));
        var start = stream.Position;
        var tensors = new OrderedDictionary<StoredTensor, Tensor>();
        foreach (var stored in select([.. entries.Keys]))
        {
            var tensor = empty([.. stored.Shape], stored.Type, CPU);
            stream.Position = start + entries[stored].Start;
            TensorBytes.Fill(tensor, stream, source);
            tensors.Add(stored, tensor);
        }

        foreach (var tensor in tensors.Values)
        {
            tensor.MoveToOuterDisposeScope();
        }

        return tensors;
    }

    /// <summary>Reads the <c>__metadata__</c> of a file's header, without the tensors.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The metadata, strings by name; empty if the file has none.</returns>
    /// <exception cref="BadInputException">Thrown when the file cannot be read or is not a safetensors file.</exception>
    public static IReadOnlyDictionary<string, string> ReadMetadata(string path) => CheckpointFile.Read(path, stream =>
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        _ = SafetensorsHeader.Read(stream, CheckpointSource.Safetensors(path), metadata);
        return metadata;
    });

    /// <summary>Writes tensors in the order of the reference implementation: larger element types first, then by name.</summary>
    /// <param name="stream">The stream to write to.</param>
    /// <param name="tensors">The tensors by name. They may be strided or on another device; at most one is copied at a time.</param>
    /// <param name="metadata">Strings by name for the header's <c>__metadata__</c>; null for none.</param>
    /// <exception cref="ArgumentException">Thrown when a tensor has a type that the format does not support, or the reserved name <c>__metadata__</c>.</exception>
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
            throw new ArgumentException($"safetensors reserves the name {name} for its metadata; give the tensor another name.", nameof(name));
        }

        return ElementType.Of(tensor.dtype)
            ?? throw new ArgumentException($"safetensors stores real numbers, integers and Booleans, but '{name}' is {tensor.dtype}; convert it first.", nameof(tensor));
    }
}
