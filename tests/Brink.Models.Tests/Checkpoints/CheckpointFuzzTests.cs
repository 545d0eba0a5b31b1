using System.IO.Compression;
using CsCheck;
using static TorchSharp.torch;

namespace Brink.Models.Tests.Checkpoints;

/// <summary>Checks that readers refuse incomplete files, and return usable tensors or a message for random ones. <c>ReaderFuzzTests</c> of the command changes bytes.</summary>
[Trait("speed", "slow")]
public sealed class CheckpointFuzzTests
{
    private const long MaximumAllocation = 1 << 28;

    public static TheoryData<string> Files { get; } = new(
        "by_hand.safetensors", "assorted_legacy.pt", "assorted_zip.pt", "assorted_protocol4_legacy.pt", "checkpoint_legacy.pt", "checkpoint_zip.pt");

    [Theory, MemberData(nameof(Files))]
    public void A_truncated_file_is_refused(string file)
    {
        var bytes = Fixture.Bytes(file);
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.False(ReadsOrRefuses(bytes[..length]), $"the first {length} of {bytes.Length} bytes should be refused");
        }
    }

    [Fact]
    public void A_truncated_file_of_TorchSharp_is_refused()
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream))
        using (var layer = nn.Linear(2, 3))
        {
            layer.save(writer);
        }

        var bytes = stream.ToArray();
        Assert.All(Enumerable.Range(0, bytes.Length), length => Assert.False(ReadsOrRefuses(bytes[..length])));
    }

    [Fact]
    public void Random_bytes_give_tensors_or_a_message()
    {
        byte[][] beginnings = [[], [.. "PK\u0003\u0004"u8], [0x80, 2], [24, 0, 0, 0, 0, 0, 0, 0, (byte)'{'], [.. Pickle.Legacy([0x80, 2], [], [])[..^6]]];
        Gen.Select(Gen.OneOf(beginnings), Gen.Byte.Array[0, 100]).Sample(
            bytes =>
            {
                ReadsOrRefuses([.. bytes.Item1, .. bytes.Item2]);
            },
            iter: 5000,
            threads: 1);
    }

    [Fact]
    public void Random_instructions_give_tensors_or_a_message()
    {
        // Random sequences of these pieces are often valid for many instructions.
        byte[][] pieces =
        [
            "("u8.ToArray(), ")"u8.ToArray(), "]"u8.ToArray(), "}"u8.ToArray(), "t"u8.ToArray(), "l"u8.ToArray(), "d"u8.ToArray(), "a"u8.ToArray(), "e"u8.ToArray(),
            "s"u8.ToArray(), "u"u8.ToArray(), "R"u8.ToArray(), "b"u8.ToArray(), "Q"u8.ToArray(), "N"u8.ToArray(), "0"u8.ToArray(), "1"u8.ToArray(), "2"u8.ToArray(),
            "q\0"u8.ToArray(), "q\u0001"u8.ToArray(), "h\0"u8.ToArray(), "h\u0001"u8.ToArray(), "."u8.ToArray(), [0x85], [0x86], [0x87], [0x88], [0x94], [0x93],
            Pickle.Text("w"), Pickle.Text("0"), Pickle.Text("storage"), Pickle.Integer(0), Pickle.Integer(4), Pickle.Integer(-1), Pickle.Integer(long.MaxValue),
            Pickle.Global("collections", "OrderedDict"), Pickle.Global("torch", "Size"), Pickle.Global("torch", "FloatStorage"),
            Pickle.Global("torch._utils", "_rebuild_tensor"), Pickle.Global("torch._utils", "_rebuild_tensor_v2"), Pickle.Global("torch._utils", "_rebuild_parameter"),
            Pickle.Storage("0", 4), Pickle.Storage("0", 1L << 40), Pickle.Integers(2, 2), Pickle.Integers(1, 0), Pickle.Integers(),
            Pickle.Tensor(Pickle.Storage("0", 4), 0, Pickle.Integers(2, 2), Pickle.Integers(2, 1)),
        ];
        Gen.OneOf(pieces).Array[1, 40].Sample(
            instructions =>
            {
                var pickle = Pickle.Of(instructions);
                ReadsOrRefuses(Pickle.Legacy(pickle, ["0"], Pickle.FourFloats));
                ReadsOrRefuses(Zip.Of(CompressionLevel.NoCompression, ("a/data.pkl", pickle), ("a/data/0", Pickle.FourFloats[8..])));
            },
            iter: 5000,
            threads: 1);
    }

    // True if there were tensors. Each is read to its last element, where a wrong bound would be detected.
    private static bool ReadsOrRefuses(byte[] bytes)
    {
        using var scope = NewDisposeScope();
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            using var stream = new MemoryStream(bytes);
            var tensors = Checkpoint.Read(stream, "fuzz", stored => Checkpoint.OnlyDictionary(stored, "fuzz", key: null));
            foreach (var tensor in tensors.Values)
            {
                Assert.InRange(tensor.numel(), 0, MaximumAllocation);
                using var dense = tensor.contiguous();
                using var sum = dense.to(float64).sum();
            }

            return true;
        }
        catch (BadInputException exception)
        {
            Assert.StartsWith("fuzz ", exception.Message, StringComparison.Ordinal);
            Assert.EndsWith(".", exception.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(exception.Message, char.IsControl);
            return false;
        }
        finally
        {
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, MaximumAllocation);
        }
    }
}
