using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>Reads the format of torch.save before PyTorch 1.6: five pickles (magic number, protocol, system, object, storage keys), then the storages, each preceded by its length.</summary>
internal static class LegacyCheckpoint
{
    // Protocol and magic number of torch/serialization.py.
    private const long Protocol = 1001;

    private static BigInteger Magic { get; } = BigInteger.Parse("1950a86a20f9469cfc6c", NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    /// <summary>Reads the selected tensors.</summary>
    /// <returns>The tensors, in the caller's dispose scope.</returns>
    public static IReadOnlyDictionary<StoredTensor, Tensor> Read(Stream stream, CheckpointSource source, TensorSelection select)
    {
        using var scope = NewDisposeScope();
        CheckPreamble(stream, source);
        var unpickler = new RestrictedUnpickler(stream, source);
        var needed = PickledStateDict.From(unpickler.Load(), source, new ExpansionBudget(stream.Length), select);
        var keys = Unpickle(stream, source) as List<object?>
            ?? throw source.Refuse("a list of its storages must follow the object, but is missing");
        return needed.On(ReadStorages(stream, keys, unpickler.Storages, needed, source));
    }

    private static object? Unpickle(Stream stream, CheckpointSource source) => new RestrictedUnpickler(stream, source).Load();

    private static void CheckPreamble(Stream stream, CheckpointSource source)
    {
        if (Unpickle(stream, source) is not BigInteger magic || magic != Magic)
        {
            throw source.Refuse("it is a pickle, but not one that torch.save wrote");
        }

        if (Unpickle(stream, source) is not Protocol)
        {
            throw source.Refuse($"its protocol must be {Protocol}, but is different");
        }

        if (Unpickle(stream, source) is not PickledDictionary system
            || system.Entries.FindLast(entry => entry.Key is "little_endian").Value is not bool isLittleEndian)
        {
            throw source.Refuse("it must state its byte order, but does not");
        }

        if (!isLittleEndian)
        {
            throw source.Refuse("its numbers must be little-endian, but it was written on a big-endian machine");
        }
    }

    private static Dictionary<string, Tensor> ReadStorages(
        Stream stream, List<object?> keys, IReadOnlyDictionary<string, PickledStorage> named, PickledStateDict needed, CheckpointSource source)
    {
        var contents = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var key in keys)
        {
            if (key is not string name || !named.TryGetValue(name, out var storage))
            {
                throw source.Refuse("it lists a storage that no tensor uses");
            }

            var byteCount = CheckLength(stream, storage, source);
            if (!needed.Storages.ContainsKey(name))
            {
                // For example a storage of an optimiser.
                stream.Seek(byteCount, SeekOrigin.Current);
                continue;
            }

            var tensor = empty([storage.Count], storage.Type.Scalar, CPU);
            if (!contents.TryAdd(name, tensor))
            {
                throw source.Refuse($"it lists storage {Excerpt.Quote(name)} twice");
            }

            TensorBytes.Fill(tensor, stream, source);
        }

        return contents.Count == needed.Storages.Count
            ? contents
            : throw source.Refuse($"its tensors need the storages {Excerpt.List([.. needed.Storages.Keys.Except(contents.Keys, StringComparer.Ordinal)])}, but it does not list them");
    }

    // Reads the storage's length and compares it with the pickle and with the length of the file. Returns the number of bytes that follow.
    private static long CheckLength(Stream stream, PickledStorage storage, CheckpointSource source)
    {
        Span<byte> prefix = stackalloc byte[sizeof(long)];
        if (stream.Length - stream.Position < prefix.Length)
        {
            throw source.Refuse($"it ends before storage {Excerpt.Quote(storage.Key)}");
        }

        stream.ReadExactly(prefix);
        var count = BinaryPrimitives.ReadInt64LittleEndian(prefix);
        var left = stream.Length - stream.Position;
        return count == storage.Count && storage.ByteCount is { } byteCount && byteCount <= left
            ? byteCount
            : throw source.Refuse($"storage {Excerpt.Quote(storage.Key)} should have {storage.Count} elements, but the file states {count}, and {left} more bytes follow");
    }
}
