using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

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
