using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using TorchSharp;

namespace Brink.Models.Tests.Checkpoints;

/// <summary>Creates pickles that no pickler would write. Each method returns the bytes of one or several instructions.</summary>
internal static class Pickle
{
    public static byte[] Mark { get; } = "("u8.ToArray();
    public static byte[] Tuple { get; } = "t"u8.ToArray();
    public static byte[] EmptyTuple { get; } = ")"u8.ToArray();
    public static byte[] EmptyDictionary { get; } = "}"u8.ToArray();
    public static byte[] EmptyList { get; } = "]"u8.ToArray();
    public static byte[] Append { get; } = "a"u8.ToArray();
    public static byte[] SetItem { get; } = "s"u8.ToArray();
    public static byte[] Reduce { get; } = "R"u8.ToArray();
    public static byte[] Build { get; } = "b"u8.ToArray();
    public static byte[] PersistentId { get; } = "Q"u8.ToArray();
    public static byte[] None { get; } = "N"u8.ToArray();

    public static byte[] Join(params IEnumerable<byte[]> parts) => [.. parts.SelectMany(part => part)];

    public static byte[] Repeat(byte[] part, int times) => Join(Enumerable.Repeat(part, times));

    public static byte[] Global(string module, string name) => Encoding.UTF8.GetBytes($"c{module}\n{name}\n");

    public static byte[] Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        return Join("X"u8.ToArray(), length, bytes);
    }

    public static byte[] Integer(long value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return Join([0x8a, 8], bytes);
    }

    public static byte[] TupleOf(params IEnumerable<byte[]> items) => Join([Mark, .. items, Tuple]);

    public static byte[] Integers(params IEnumerable<long> values) => TupleOf(values.Select(Integer));

    public static byte[] Storage(string key, long count, string type = "FloatStorage") =>
        Join(TupleOf(Text("storage"), Global("torch", type), Text(key), Text("cpu"), Integer(count)), PersistentId);

    public static byte[] Tensor(byte[] storage, long offset, byte[] shape, byte[] strides) =>
        Join(Global("torch._utils", "_rebuild_tensor_v2"), TupleOf(storage, Integer(offset), shape, strides, [0x89], None), Reduce);

    public static byte[] Dictionary(params IEnumerable<(string Key, byte[] Value)> entries) =>
        Join([EmptyDictionary, .. entries.Select(entry => Join(Text(entry.Key), entry.Value, SetItem))]);

    /// <summary>Creates a complete pickle.</summary>
    public static byte[] Of(params IEnumerable<byte[]> parts) => Join([[0x80, 2], .. parts, "."u8.ToArray()]);

    /// <summary>Creates a file in the format of torch.save before PyTorch 1.6.</summary>
    /// <param name="objectPickle">The pickle of the object.</param>
    /// <param name="keys">The keys of the storages.</param>
    /// <param name="storages">The length and the bytes of each storage.</param>
    /// <param name="littleEndian">Whether to state the byte order little-endian.</param>
    public static byte[] Legacy(byte[] objectPickle, string[] keys, byte[] storages, bool littleEndian = true) => Join(
        Of([0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]),
        Of(Integer(1001)),
        Of(Dictionary(("little_endian", [littleEndian ? (byte)0x88 : (byte)0x89]))),
        objectPickle,
        Of([EmptyList, .. keys.Select(key => Join(Text(key), Append))]),
        storages);

    /// <summary>Creates a file in the old format with one tensor "w" on a storage of four floats, 0 to 3.</summary>
    public static byte[] LegacyWithTensor(byte[] tensor) => Legacy(Of(Dictionary(("w", tensor))), ["0"], FourFloats);

    public static byte[] FourFloats { get; } = [4, 0, 0, 0, 0, 0, 0, 0, .. new[] { 0f, 1f, 2f, 3f }.SelectMany(BitConverter.GetBytes)];
}

/// <summary>The content of a checkpoint: tensors, whole numbers, strings and further dictionaries by name.</summary>
internal sealed class Content() : Dictionary<string, object>(StringComparer.Ordinal)
{
    public Content(IEnumerable<KeyValuePair<string, object>> entries)
        : this()
    {
        foreach (var (name, value) in entries)
        {
            this[name] = value;
        }
    }
}

/// <summary>Writes checkpoints as torch.save does: a zip archive with a pickle of nested dictionaries and one storage for each tensor.</summary>
internal static class TorchSave
{
    /// <summary>Creates a checkpoint.</summary>
    /// <param name="content">The content. A tensor that occurs twice is stored once.</param>
    public static byte[] Bytes(Content content)
    {
        // Tensors are compared by reference, because their Equals compares numbers.
        var storages = new Dictionary<torch.Tensor, string>(ReferenceEqualityComparer.Instance);
        var pickle = Pickle.Of(Value(content));
        return Zip.Of(CompressionLevel.NoCompression, [("archive/data.pkl", pickle), .. storages.Select(storage => ($"archive/data/{storage.Value}", storage.Key.bytes.ToArray()))]);

        byte[] Value(object value) => value switch
        {
            Content dictionary => Pickle.Dictionary(dictionary.Select(entry => (entry.Key, Value(entry.Value)))),
            torch.Tensor tensor => OfTensor(tensor),
            string text => Pickle.Text(text),
            _ => Pickle.Integer((int)value),
        };

        byte[] OfTensor(torch.Tensor tensor)
        {
            if (!storages.TryGetValue(tensor, out var key))
            {
                storages.Add(tensor, key = $"{storages.Count}");
            }

            var type = tensor.dtype switch
            {
                torch.ScalarType.Int64 => "LongStorage",
                torch.ScalarType.Float16 => "HalfStorage",
                torch.ScalarType.Float32 => "FloatStorage",
                _ => throw new ArgumentException($"no test needs {tensor.dtype}", nameof(content)),
            };
            return Pickle.Tensor(Pickle.Storage(key, tensor.numel(), type), 0, Pickle.Integers(tensor.shape), Pickle.Integers(tensor.stride()));
        }
    }
}

/// <summary>Creates zip archives that PyTorch would not write.</summary>
internal static class Zip
{
    /// <summary>Creates an archive.</summary>
    public static byte[] Of(CompressionLevel level, params IEnumerable<(string Name, byte[] Content)> entries)
    {
        using var stream = new MemoryStream();
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in entries)
            {
                using var entry = archive.CreateEntry(name, level).Open();
                entry.Write(content);
            }
        }

        return stream.ToArray();
    }

    /// <summary>Returns the content of one entry.</summary>
    public static byte[] Entry(byte[] bytes, string name)
    {
        using var archive = new ZipArchive(new MemoryStream(bytes));
        return Content(archive.GetEntry(name)!);
    }

    /// <summary>Creates an archive of the entries of another one, with some contents replaced or added.</summary>
    public static byte[] Rewrite(byte[] bytes, CompressionLevel level, params IEnumerable<(string Name, byte[] Content)> replacements)
    {
        var contents = new OrderedDictionary<string, byte[]>(StringComparer.Ordinal);
        using (var archive = new ZipArchive(new MemoryStream(bytes)))
        {
            foreach (var entry in archive.Entries)
            {
                contents[entry.FullName] = Content(entry);
            }
        }

        foreach (var (name, content) in replacements)
        {
            contents[name] = content;
        }

        return Of(level, contents.Select(entry => (entry.Key, entry.Value)));
    }

    private static byte[] Content(ZipArchiveEntry entry)
    {
        using var stream = entry.Open();
        var content = new byte[entry.Length];
        stream.ReadExactly(content);
        return content;
    }
}
