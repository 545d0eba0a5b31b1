using System.IO.Compression;
using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>Reads the format of torch.save since PyTorch 1.6: a zip archive with one pickle, and one entry for each storage.</summary>
internal static class ZipCheckpoint
{
    private const string PickleName = "/data.pkl";

    // Far above the pickles of real checkpoints: a thousand tensors take about 100 kB.
    private const int MaximumPickleBytes = 1 << 28;

    /// <summary>Reads the selected tensors.</summary>
    /// <returns>The tensors, in the caller's dispose scope.</returns>
    public static IReadOnlyDictionary<StoredTensor, Tensor> Read(Stream stream, CheckpointSource source, TensorSelection select)
    {
        try
        {
            using var archive = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
            return Read(archive, new ExpansionBudget(stream.Length), source, select);
        }
        catch (Exception exception) when (exception is InvalidDataException or EndOfStreamException or NotSupportedException)
        {
            throw source.Refuse($"its zip archive is damaged ({Excerpt.Reason(exception)})", exception);
        }
    }

    private static IReadOnlyDictionary<StoredTensor, Tensor> Read(ZipArchive archive, ExpansionBudget budget, CheckpointSource source, TensorSelection select)
    {
        var entries = Entries(archive, source);
        var root = Root(entries.Keys, source);
        CheckByteOrder(entries, root, source);
        using var scope = NewDisposeScope();
        using var pickle = new MemoryStream(Unpack(entries[root + PickleName], budget, source));
        var needed = PickledStateDict.From(new RestrictedUnpickler(pickle, source).Load(), source, budget, select);
        var contents = needed.Storages.Values.ToDictionary(
            storage => storage.Key,
            storage => ReadStorage(entries.GetValueOrDefault($"{root}/data/{storage.Key}"), storage, budget, source),
            StringComparer.Ordinal);
        return needed.On(contents);
    }

    private static Dictionary<string, ZipArchiveEntry> Entries(ZipArchive archive, CheckpointSource source)
    {
        var entries = new Dictionary<string, ZipArchiveEntry>(StringComparer.Ordinal);
        foreach (var entry in archive.Entries)
        {
            if (!entries.TryAdd(entry.FullName, entry))
            {
                throw source.Refuse($"the names in a zip archive must differ, but {Excerpt.Quote(entry.FullName)} occurs twice");
            }
        }

        return entries;
    }

    private static string Root(ICollection<string> names, CheckpointSource source)
    {
        var pickles = names.Where(name => name.EndsWith(PickleName, StringComparison.Ordinal)).ToList();
        if (pickles.Count != 1)
        {
            var found = names.Count == 0 ? "none" : Excerpt.List([.. names]);
            throw source.Refuse($"a zip archive of torch.save has one data.pkl in a folder, but this one has {pickles.Count}, and its entries are {found}");
        }

        var root = pickles[0][..^PickleName.Length];
        if (names.Contains(root + "/constants.pkl") || names.Any(name => name.StartsWith(root + "/code/", StringComparison.Ordinal)))
        {
            throw new BadInputException(
                $"{source.Name} is TorchScript, a network with its code, but weights are needed; "
                + "save only the weights, with torch.save(model.state_dict(), …).");
        }

        return root;
    }

    private static void CheckByteOrder(Dictionary<string, ZipArchiveEntry> entries, string root, CheckpointSource source)
    {
        // Missing before PyTorch 2.1, which wrote little-endian on all platforms that Brink supports.
        if (!entries.TryGetValue(root + "/byteorder", out var entry))
        {
            return;
        }

        Span<byte> text = stackalloc byte[16];
        using var stream = entry.Open();
        var order = System.Text.Encoding.Latin1.GetString(text[..stream.ReadAtLeast(text, text.Length, throwOnEndOfStream: false)]);
        if (!string.Equals(order, "little", StringComparison.Ordinal))
        {
            throw source.Refuse($"its numbers must be little-endian, but its byte order is {Excerpt.Quote(order)}");
        }
    }

    private static byte[] Unpack(ZipArchiveEntry entry, ExpansionBudget budget, CheckpointSource source)
    {
        CheckLength(entry, entry.Length, budget, source);
        if (entry.Length > MaximumPickleBytes)
        {
            throw source.Refuse($"its pickle may have at most {MaximumPickleBytes} bytes, but has {entry.Length}");
        }

        var bytes = new byte[entry.Length];
        using var stream = entry.Open();
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static Tensor ReadStorage(ZipArchiveEntry? entry, PickledStorage storage, ExpansionBudget budget, CheckpointSource source)
    {
        if (entry is null)
        {
            throw source.Refuse($"its tensors need storage {Excerpt.Quote(storage.Key)}, but the archive does not have it");
        }

        if (storage.ByteCount is not { } byteCount)
        {
            throw source.Refuse($"storage {Excerpt.Quote(storage.Key)} has the impossible length {storage.Count}");
        }

        CheckLength(entry, byteCount, budget, source);
        var tensor = empty([storage.Count], storage.Type.Scalar, CPU);
        using var stream = entry.Open();
        TensorBytes.Fill(tensor, stream, source);
        return tensor;
    }

    private static void CheckLength(ZipArchiveEntry entry, long needed, ExpansionBudget budget, CheckpointSource source)
    {
        // ZipArchive returns encrypted bytes as if they were the content.
        if (entry.IsEncrypted)
        {
            throw source.Refuse($"{Excerpt.Quote(entry.FullName)} is encrypted");
        }

        if (entry.Length != needed)
        {
            throw source.Refuse($"{Excerpt.Quote(entry.FullName)} should have {needed} bytes, but has {entry.Length}");
        }

        if (!budget.TrySpend(needed))
        {
            throw source.Refuse($"{Excerpt.Quote(entry.FullName)} unpacks to {needed} bytes, which is too large for a file of this size");
        }
    }
}
