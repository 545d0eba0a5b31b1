using System.IO.Compression;
using static TorchSharp.torch;

namespace Brink.Models.Tests.Checkpoints;

/// <summary>Malicious files: each must be refused with a message, after limited reading and with limited memory.</summary>
public sealed class HostileCheckpointTests
{
    private static byte[] Floats { get; } = Pickle.Storage("0", 4);

    [Fact]
    public void A_command_is_named_in_the_message_and_not_executed()
    {
        var exception = Assert.Throws<BadInputException>(() => PyTorchCheckpoint.Read(Fixture.PathOf("hostile_zip.pt")));
        Assert.Contains("refers to os.system, which weights do not need; Brink never executes the code in a pickle", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("os", "system")]
    [InlineData("builtins", "eval")]
    [InlineData("torch", "load")]
    [InlineData("torch.storage", "_load_from_bytes")]
    [InlineData("torch._utils", "_rebuild_tensor_v2.__globals__")]
    public void Names_are_refused_with_every_instruction_that_refers_to_one(string module, string name)
    {
        var refused = $"refers to {module}.{name}";
        AssertRefused(Pickle.Of(Pickle.Global(module, name), Pickle.EmptyTuple, Pickle.Reduce), refused);
        AssertRefused(Pickle.Of(Pickle.Text(module), Pickle.Text(name), [0x93], Pickle.EmptyTuple, Pickle.Reduce), refused);
        AssertRefused(Pickle.Of(Pickle.Mark, System.Text.Encoding.UTF8.GetBytes($"i{module}\n{name}\n")), refused);
    }

    [Fact]
    public void Control_characters_of_a_file_do_not_reach_the_terminal() =>
        Assert.DoesNotContain('\u001b', Refusal(Pickle.Of(Pickle.Global("os\u001b[2J", "system"))));

    [Theory]
    [Trait("speed", "slow")]
    [InlineData("(")]
    [InlineData("]")]
    [InlineData("}")]
    [InlineData("\u0029\u0085")]
    [InlineData("]]a")]
    public void Deep_nesting_is_refused(string part) =>
        AssertRefused(Pickle.Of(Pickle.Repeat([.. part.Select(character => (byte)character)], 1_000_000 / part.Length)), "");

    [Fact]
    [Trait("speed", "slow")]
    public void Nested_tuples_are_refused_as_no_dictionary() =>
        AssertRefused(Pickle.Of(Pickle.EmptyTuple, Pickle.Repeat([0x85], 1_000_000)), "must contain a dictionary");

    [Fact]
    public void Endless_instructions_are_refused() => AssertRefused(Pickle.Of(Pickle.Repeat("N0"u8.ToArray(), 1_500_000)), "steps");

    [Fact]
    public void A_checkpoint_without_tensors_is_refused()
    {
        AssertRefused(Pickle.Of(Pickle.EmptyDictionary), "the dictionary is empty");
        AssertRefused(Pickle.Of(Pickle.Dictionary(("epoch", Pickle.Integer(3)))), "has no tensors under its keys 'epoch'");
    }

    [Fact]
    public void An_encrypted_archive_is_refused()
    {
        var bytes = Fixture.Bytes("checkpoint_zip.pt");
        // Bit 0 of the flags in each entry of the central directory, whose signature is PK\1\2.
        for (var position = 0; position + 8 < bytes.Length; position++)
        {
            if (bytes.AsSpan(position).StartsWith("PK\u0001\u0002"u8))
            {
                bytes[position + 8] |= 1;
            }
        }

        AssertFileRefused(bytes, "is encrypted");
    }

    [Fact]
    public void A_dictionary_that_contains_itself_is_refused() =>
        AssertRefused(Pickle.Of(Pickle.EmptyDictionary, "q\0"u8.ToArray(), Pickle.Text("me"), "h\0s"u8.ToArray()), "has no tensors under its keys 'me'");

    [Fact]
    [Trait("speed", "slow")]
    public void Each_use_of_a_list_in_the_memo_counts_its_length()
    {
        var pair = Pickle.TupleOf(Pickle.Text("k"), Pickle.None);
        var list = Pickle.Join(Pickle.EmptyList, Pickle.Mark, Pickle.Repeat(pair, 10_000), "e"u8.ToArray(), [0x85], "q\0"u8.ToArray());
        var copy = Pickle.Join(Pickle.Global("collections", "OrderedDict"), "h\0R"u8.ToArray());
        AssertRefused(Pickle.Of(list, Pickle.Repeat(copy, 10_000)), "steps");
    }

    [Theory]
    [InlineData(new byte[] { (byte)'N', (byte)'r', 255, 255, 255, 255 }, "impossible memo index")]
    [InlineData(new byte[] { (byte)'N', (byte)'p', (byte)'-', (byte)'1', (byte)'\n' }, "impossible memo index")]
    [InlineData(new byte[] { (byte)'j', 255, 255, 255, 255 }, "never set")]
    [InlineData(new byte[] { 0x8b, 255, 255, 255, 127 }, "an integer in it may have")]
    [InlineData(new byte[] { 0x8b, 255, 255, 255, 255 }, "an integer in it may have")]
    [InlineData(new byte[] { (byte)'X', 255, 255, 255, 255 }, "ends in the middle")]
    [InlineData(new byte[] { 0x8d, 255, 255, 255, 255, 255, 255, 255, 255 }, "ends in the middle")]
    [InlineData(new byte[] { 0x8e, 0, 0, 0, 0, 0, 0, 0, 128 }, "ends in the middle")]
    [InlineData(new byte[] { (byte)'0' }, "empty stack")]
    [InlineData(new byte[] { (byte)'t' }, "empty stack")]
    [InlineData(new byte[] { (byte)'N', (byte)'(', (byte)'0' }, "empty stack")]
    [InlineData(new byte[] { (byte)'N', (byte)')', (byte)'R' }, "not a function")]
    [InlineData(new byte[] { (byte)']', (byte)'N', (byte)'b' }, "sets attributes")]
    [InlineData(new byte[] { (byte)')', (byte)'N', (byte)'a' }, "other than a list")]
    [InlineData(new byte[] { (byte)')', (byte)'N', (byte)'N', (byte)'s' }, "other than a dictionary")]
    [InlineData(new byte[] { (byte)'}', (byte)'(', (byte)'N', (byte)'u' }, "a key without a value")]
    [InlineData(new byte[] { (byte)'N', (byte)'Q' }, "storage must be given")]
    [InlineData(new byte[] { 0x82, 1 }, "instruction 0x82")]
    [InlineData(new byte[] { 0x80, 9 }, "protocol")]
    [InlineData(new byte[] { (byte)'U', 1, 0xff }, "UTF-8")]
    [InlineData(new byte[] { (byte)'I', (byte)'x', (byte)'\n' }, "should contain an integer")]
    public void An_invalid_instruction_is_refused(byte[] instructions, string reason) => AssertRefused(Pickle.Of(instructions), reason);

    [Fact]
    public void Setting_attributes_of_a_tensor_is_refused() =>
        AssertRefused(Pickle.Of(Pickle.Tensor(Floats, 0, Pickle.Integers(4), Pickle.Integers(1)), Pickle.EmptyDictionary, Pickle.Build), "sets attributes");

    [Fact]
    public void Arguments_of_the_wrong_kind_are_refused()
    {
        var rebuild = Pickle.Global("torch._utils", "_rebuild_tensor_v2");
        AssertRefused(Pickle.Of(rebuild, Pickle.EmptyTuple, Pickle.Reduce), "unexpected arguments");
        AssertRefused(Pickle.Of(rebuild, Pickle.None, Pickle.Reduce), "unexpected arguments");
        AssertRefused(Pickle.Of(rebuild, Pickle.TupleOf(Floats, Pickle.Text("0"), Pickle.Integers(4), Pickle.Integers(1), Pickle.None, Pickle.None), Pickle.Reduce), "unexpected arguments");
        AssertRefused(Pickle.Of(Pickle.Global("torch", "FloatStorage"), Pickle.EmptyTuple, Pickle.Reduce), "not a function");
        AssertRefused(Pickle.Of(Pickle.Global("torch._utils", "_rebuild_parameter"), Pickle.TupleOf(Pickle.None, Pickle.None, Pickle.None), Pickle.Reduce), "unexpected arguments");
    }

    [Theory]
    [InlineData(0, new long[] { 5 }, new long[] { 1 }, "does not lie within")]
    [InlineData(1, new long[] { 4 }, new long[] { 1 }, "does not lie within")]
    [InlineData(5, new long[] { 0 }, new long[] { 1 }, "does not lie within")]
    [InlineData(-1, new long[] { 1 }, new long[] { 1 }, "does not lie within")]
    [InlineData(3, new long[] { 4 }, new long[] { -1 }, "does not lie within")]
    [InlineData(0, new long[] { 2, 2 }, new long[] { 3, 1 }, "does not lie within")]
    [InlineData(0, new long[] { 3 }, new[] { long.MaxValue }, "does not lie within")]
    [InlineData(long.MaxValue, new long[] { 1 }, new long[] { 1 }, "does not lie within")]
    [InlineData(0, new[] { long.MaxValue, long.MaxValue }, new long[] { 0, 0 }, "impossible shape")]
    [InlineData(0, new[] { 0, long.MaxValue, long.MaxValue }, new long[] { 0, 0, 0 }, "impossible shape")]
    [InlineData(0, new long[] { -1 }, new long[] { 1 }, "impossible shape")]
    [InlineData(0, new[] { 1L << 40 }, new long[] { 0 }, "too large for a file of this size")]
    [InlineData(0, new long[] { 2, 2 }, new long[] { 1 }, "needs a stride")]
    public void A_view_outside_its_storage_is_refused(long offset, long[] shape, long[] strides, string reason) =>
        AssertFileRefused(Pickle.LegacyWithTensor(Pickle.Tensor(Floats, offset, Pickle.Integers(shape), Pickle.Integers(strides))), reason);

    [Fact]
    public void A_valid_file_of_these_helpers_is_read()
    {
        using var scope = NewDisposeScope();
        var file = Pickle.LegacyWithTensor(Pickle.Tensor(Floats, 1, Pickle.Integers(2), Pickle.Integers(2)));
        TensorAssert.Same(tensor(new[] { 1f, 3f }), PyTorchCheckpoint.Read(new MemoryStream(file), "sound.pt")["w"]);
    }

    [Theory]
    [InlineData(1L << 60)]
    [InlineData(1L << 62)]
    [InlineData(long.MaxValue)]
    [InlineData(1L << 34)]
    public void A_storage_longer_than_the_file_is_refused(long count)
    {
        var tensor = Pickle.Tensor(Pickle.Storage("0", count), 0, Pickle.Integers(4), Pickle.Integers(1));
        byte[] storages = [.. BitConverter.GetBytes(count), 0, 0, 0, 0];
        AssertFileRefused(Pickle.Legacy(Pickle.Of(Pickle.Dictionary(("w", tensor))), ["0"], storages), "should have");
        AssertFileRefused(Zip.Of(CompressionLevel.NoCompression, ("a/data.pkl", Pickle.Of(Pickle.Dictionary(("w", tensor)))), ("a/data/0", storages)), "");
    }

    [Fact]
    public void Storages_that_are_missing_doubled_or_contradictory_are_refused()
    {
        var tensor = Pickle.Tensor(Floats, 0, Pickle.Integers(4), Pickle.Integers(1));
        var other = Pickle.Tensor(Pickle.Storage("0", 2, "DoubleStorage"), 0, Pickle.Integers(2), Pickle.Integers(1));
        var good = Pickle.Of(Pickle.Dictionary(("w", tensor)));
        AssertFileRefused(Pickle.Legacy(good, [], []), "does not list them");
        AssertFileRefused(Pickle.Legacy(good, ["0", "0"], [.. Pickle.FourFloats, .. Pickle.FourFloats]), "twice");
        AssertFileRefused(Pickle.Legacy(good, ["1"], Pickle.FourFloats), "a storage that no tensor uses");
        AssertFileRefused(Pickle.Legacy(Pickle.Of(Pickle.Dictionary(("w", tensor), ("v", other))), ["0"], Pickle.FourFloats), "given two");
        AssertFileRefused(Zip.Of(CompressionLevel.NoCompression, ("a/data.pkl", good)), "the archive does not have it");
    }

    [Fact]
    public void Impossible_views_of_storages_are_refused()
    {
        byte[][] views = [Pickle.Integers(0, 3, 2), Pickle.Integers(0, -1, 2), Pickle.Integers(0, long.MaxValue, long.MaxValue), Pickle.Integers(1), Pickle.Text("x")];
        foreach (var view in views)
        {
            var storage = Pickle.Join(Pickle.TupleOf(Pickle.Text("storage"), Pickle.Global("torch", "FloatStorage"), Pickle.Text("0"), Pickle.Text("cpu"), Pickle.Integer(4), view), Pickle.PersistentId);
            AssertRefused(Pickle.Of(storage), "storage");
        }
    }

    [Fact]
    public void A_storage_view_of_early_PyTorch_is_read()
    {
        using var scope = NewDisposeScope();
        var storage = Pickle.Join(
            Pickle.TupleOf(Pickle.Text("storage"), Pickle.Global("torch", "FloatStorage"), Pickle.Text("0"), Pickle.Text("cpu"), Pickle.Integer(4), Pickle.TupleOf(Pickle.Text("v"), Pickle.Integer(1), Pickle.Integer(2))),
            Pickle.PersistentId);
        var file = Pickle.LegacyWithTensor(Pickle.Tensor(storage, 1, Pickle.Integers(1), Pickle.Integers(1)));
        TensorAssert.Same(tensor(new[] { 2f }), PyTorchCheckpoint.Read(new MemoryStream(file), "early.pt")["w"]);
    }

    [Fact]
    public void A_zip_bomb_is_refused()
    {
        const int count = 1 << 26;
        var tensor = Pickle.Tensor(Pickle.Storage("0", count, "ByteStorage"), 0, Pickle.Integers(1), Pickle.Integers(1));
        var file = Zip.Of(CompressionLevel.SmallestSize, ("a/data.pkl", Pickle.Of(Pickle.Dictionary(("w", tensor)))), ("a/data/0", new byte[count]));
        AssertFileRefused(file, "too large for a file of this size");
    }

    [Fact]
    public void Big_endian_files_are_refused()
    {
        AssertFileRefused(Pickle.Legacy(Pickle.Of(Pickle.EmptyDictionary), [], [], littleEndian: false), "big-endian");
        AssertFileRefused(Zip.Rewrite(Fixture.Bytes("checkpoint_zip.pt"), CompressionLevel.NoCompression, ("checkpoint_zip/byteorder", "big"u8.ToArray())), "its byte order is 'big'");
    }

    [Theory]
    [InlineData("two_networks_legacy.pt", "several, under the keys 'model', 'ema'")]
    [InlineData("two_networks_zip.pt", "several, under the keys 'model', 'ema'")]
    [InlineData("whole_module_zip.pt", "refers to torch.nn.modules.linear.Linear")]
    [InlineData("torchscript.pt", "is TorchScript")]
    public void Other_files_of_PyTorch_are_refused_with_a_description(string file, string reason) => AssertFileRefused(Fixture.Bytes(file), reason);

    private static string Refusal(byte[] pickle)
    {
        var legacy = AssertFileRefused(Pickle.Legacy(pickle, [], []), "");
        AssertFileRefused(Zip.Of(CompressionLevel.NoCompression, ("archive/data.pkl", pickle)), "");
        return legacy;
    }

    private static void AssertRefused(byte[] pickle, string reason) => Assert.Contains(reason, Refusal(pickle), StringComparison.Ordinal);

    private static string AssertFileRefused(byte[] file, string reason)
    {
        using var scope = NewDisposeScope();
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        // Limits of the work: a file is read at most twice, and the directory of an archive more often. The largest of these files need 104 MB.
        using var stream = new CountingStream(file);
        var exception = Assert.Throws<BadInputException>(() => PyTorchCheckpoint.Read(stream, "some.pt"));
        Assert.InRange(stream.BytesRead, 0, (2 * file.Length) + (1 << 16));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 1L << 27);
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", exception.Message, StringComparison.Ordinal);
        return exception.Message;
    }

    private sealed class CountingStream(byte[] content) : MemoryStream(content)
    {
        public long BytesRead { get; private set; }

        public override int Read(byte[] buffer, int offset, int count) => Count(base.Read(buffer, offset, count));

        public override int Read(Span<byte> buffer) => Count(base.Read(buffer));

        public override int ReadByte()
        {
            var value = base.ReadByte();
            Count(value < 0 ? 0 : 1);
            return value;
        }

        private int Count(int read)
        {
            BytesRead += read;
            return read;
        }
    }
}
