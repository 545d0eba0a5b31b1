using System.Buffers.Binary;
using System.Text;

namespace Brink.Models.Tests.Checkpoints;

/// <summary>Writes pickles that no pickler would. Each method gives the bytes of one instruction or a few.</summary>
internal static class Pickle
{
    public static readonly byte[] Mark = "("u8.ToArray();
    public static readonly byte[] Tuple = "t"u8.ToArray();
    public static readonly byte[] EmptyTuple = ")"u8.ToArray();
    public static readonly byte[] EmptyDictionary = "}"u8.ToArray();
    public static readonly byte[] EmptyList = "]"u8.ToArray();
    public static readonly byte[] Append = "a"u8.ToArray();
    public static readonly byte[] SetItem = "s"u8.ToArray();
    public static readonly byte[] Reduce = "R"u8.ToArray();
    public static readonly byte[] Build = "b"u8.ToArray();
    public static readonly byte[] PersistentId = "Q"u8.ToArray();
    public static readonly byte[] None = "N"u8.ToArray();

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

    /// <summary>A whole pickle.</summary>
    public static byte[] Of(params IEnumerable<byte[]> parts) => Join([[0x80, 2], .. parts, "."u8.ToArray()]);

    /// <summary>What torch.save wrote before PyTorch 1.6 around the pickle of an object.</summary>
    /// <param name="objectPickle">The object's pickle.</param>
    /// <param name="keys">The keys of the storages that follow.</param>
    /// <param name="storages">Each storage's length and bytes.</param>
    /// <param name="littleEndian">What it says of its byte order.</param>
    public static byte[] Legacy(byte[] objectPickle, string[] keys, byte[] storages, bool littleEndian = true) => Join(
        Of([0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]),
        Of(Integer(1001)),
        Of(Dictionary(("little_endian", [littleEndian ? (byte)0x88 : (byte)0x89]))),
        objectPickle,
        Of([EmptyList, .. keys.Select(key => Join(Text(key), Append))]),
        storages);

    /// <summary>A legacy file of one tensor "w" over a storage of four floats, 0 to 3.</summary>
    public static byte[] LegacyWithTensor(byte[] tensor) => Legacy(Of(Dictionary(("w", tensor))), ["0"], FourFloats);

    public static byte[] FourFloats { get; } = [4, 0, 0, 0, 0, 0, 0, 0, .. new[] { 0f, 1f, 2f, 3f }.SelectMany(BitConverter.GetBytes)];
}
