using System.Buffers.Binary;
using System.Text;
using CsCheck;
using static TorchSharp.torch;

namespace Brink.Models.Tests.Checkpoints;

public sealed class SafetensorsTests
{
    private static ScalarType[] Types { get; } =
    [
        ScalarType.Float64, ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16, ScalarType.Int64,
        ScalarType.Int32, ScalarType.Int16, ScalarType.Int8, ScalarType.Byte, ScalarType.Bool,
    ];

    private static Gen<(ScalarType Type, long[] Shape, int Seed)> GenTensor { get; } =
        Gen.Select(Gen.OneOf(Types), Gen.Long[0, 4].Array[0, 4], Gen.Int[0, 200]);

    [Fact]
    public void Tensors_are_read_back_as_written() =>
        Gen.Dictionary(Gen.String[0, 12].Where(IsWellFormed), GenTensor)[0, 6].Sample(
            described =>
            {
                using var scope = NewDisposeScope();
                var tensors = described.ToDictionary(named => named.Key, named => Make(named.Value), StringComparer.Ordinal);
                var read = RoundTrip(tensors);
                Assert.Equal(tensors.Count, read.Count);
                foreach (var (name, tensor) in tensors)
                {
                    TensorAssert.Same(tensor, read[name]);
                }
            },
            iter: 300,
            threads: 1);

    [Fact]
    public void Strided_tensors_are_written_row_by_row()
    {
        using var scope = NewDisposeScope();
        var matrix = arange(6, dtype: float32).reshape(2, 3);
        TensorAssert.Same(matrix.t().contiguous(), RoundTrip(new Dictionary<string, Tensor>(StringComparer.Ordinal) { ["m"] = matrix.t() })["m"]);
    }

    [Fact]
    public void Parameters_can_be_written()
    {
        using var scope = NewDisposeScope();
        var parameter = nn.Parameter(arange(3, dtype: float32));
        Assert.False(RoundTrip(new Dictionary<string, Tensor>(StringComparer.Ordinal) { ["p"] = parameter })["p"].requires_grad);
    }

    [Fact]
    public void A_file_written_from_the_specification_of_the_format_is_read()
    {
        using var scope = NewDisposeScope();
        var tensors = Safetensors.Read(Fixture.PathOf("by_hand.safetensors"));
        Assert.Equal("a, b", string.Join(", ", tensors.Keys));
        TensorAssert.Same(arange(4, dtype: float32).reshape(2, 2), tensors["a"]);
        TensorAssert.Same(arange(3, dtype: int16), tensors["b"]);
    }

    [Fact]
    public void The_layout_equals_that_of_the_reference_implementation()
    {
        using var scope = NewDisposeScope();
        using var stream = new MemoryStream();
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal)
        {
            ["b"] = zeros(2, dtype: float32),
            ["a"] = ones(1, dtype: float32),
            ["i"] = ones(1, dtype: int64),
            ["u"] = zeros(0, 3, dtype: uint8),
        };
        Safetensors.Write(stream, tensors, new Dictionary<string, string>(StringComparer.Ordinal) { ["format"] = "pt" });
        var bytes = stream.ToArray();
        const string header = """
            {"__metadata__":{"format":"pt"},"i":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]},"u":{"dtype":"U8","shape":[0,3],"data_offsets":[20,20]}}
            """;
        var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        Assert.Equal(0, length % 8);
        Assert.Equal(header, Encoding.UTF8.GetString(bytes, 8, length).TrimEnd(' '));
        Assert.Equal(8 + length + 20, bytes.Length);
        Assert.Equal(1, BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(8 + length)));
    }

    [Fact]
    public void Reading_and_writing_leave_no_tensors() => TensorAssert.LeavesNone(() =>
    {
        using var tensor = ones(3);
        var read = RoundTrip(new Dictionary<string, Tensor>(StringComparer.Ordinal) { ["t"] = tensor });
        read["t"].Dispose();
        var truncated = new MemoryStream(Fixture.Bytes("by_hand.safetensors"));
        truncated.SetLength(truncated.Length - 1);
        Assert.Throws<BadInputException>(() => Safetensors.Read(truncated, "truncated"));
    });

    [Fact]
    public void Types_and_names_that_the_format_does_not_support_are_refused()
    {
        using var tensor = zeros(2, dtype: complex64);
        using var real = zeros(2);
        Assert.Throws<ArgumentException>(() => Safetensors.Write(Stream.Null, new Dictionary<string, Tensor>(StringComparer.Ordinal) { ["c"] = tensor }));
        Assert.Throws<ArgumentException>(() => Safetensors.Write(Stream.Null, new Dictionary<string, Tensor>(StringComparer.Ordinal) { ["__metadata__"] = real }));
    }

    [Theory]
    [InlineData("""{"t":{"dtype":"U8","shape":[2],"data_offsets":[0,3]}}""", "does not agree")]
    [InlineData("""{"t":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}""", "must begin where the previous tensor ends")]
    [InlineData("""{"t":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", "accounts for 2 bytes")]
    [InlineData("""{"t":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"u":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}""", "must begin where")]
    [InlineData("""{"t":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"t":{"dtype":"U8","shape":[0],"data_offsets":[3,3]}}""", "twice")]
    [InlineData("""{"t":{"dtype":"U8","shape":[3],"data_offsets":[3,0]}}""", "must begin where")]
    [InlineData("""{"t":{"dtype":"F4","shape":[3],"data_offsets":[0,3]}}""", "'F4'")]
    [InlineData("""{"t":{"dtype":"U8","shape":[-3],"data_offsets":[0,3]}}""", "lacks one")]
    [InlineData("""{"t":{"dtype":"U8","shape":[3.0],"data_offsets":[0,3]}}""", "lacks one")]
    [InlineData("""{"t":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,3]}}""", "does not agree")]
    [InlineData("""{"t":{"dtype":"U8","shape":[0,4294967296,4294967296],"data_offsets":[0,0]}}""", "does not agree")]
    [InlineData("""{"t":{"dtype":"U8","shape":[3]}}""", "lacks one")]
    [InlineData("""{"__metadata__":{"a":1},"t":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}""", "map names to strings")]
    [InlineData("""{"\ud800":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}""", "valid JSON")]
    [InlineData("""{"t":""", "valid JSON")]
    [InlineData("""[]""", "JSON object")]
    public void A_wrong_header_is_refused(string header, string reason) => AssertRefused(File(header, [1, 2, 3]), reason);

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(1UL << 63)]
    [InlineData(100_000_001UL)]
    [InlineData(3UL)]
    public void A_header_longer_than_the_file_is_refused(ulong length)
    {
        var bytes = new byte[10];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        AssertRefused(bytes, "its header claims");
    }

    [Fact]
    public void A_boolean_other_than_0_and_1_is_refused() =>
        AssertRefused(File("""{"t":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]}}""", [0, 1, 2]), "byte 0 or 1");

    [Fact]
    public void Deep_nesting_is_refused() => AssertRefused(File(new string('[', 1_000_000), []), "valid JSON");

    [Fact]
    public void Too_many_dimensions_are_refused() =>
        AssertRefused(File($$"""{"t":{"dtype":"U8","shape":[{{string.Join(',', Enumerable.Repeat(1, 65))}}],"data_offsets":[0,1]} }""", [1]), "64 dimensions");

    private static void AssertRefused(byte[] bytes, string reason)
    {
        var exception = Assert.Throws<BadInputException>(() => Safetensors.Read(new MemoryStream(bytes), "some.safetensors"));
        Assert.StartsWith("some.safetensors cannot be read as a safetensors file: ", exception.Message, StringComparison.Ordinal);
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
    }

    private static byte[] File(string header, byte[] data)
    {
        var text = Encoding.UTF8.GetBytes(header);
        var prefix = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)text.Length);
        return [.. prefix, .. text, .. data];
    }

    private static IReadOnlyDictionary<string, Tensor> RoundTrip(IReadOnlyDictionary<string, Tensor> tensors)
    {
        using var stream = new MemoryStream();
        Safetensors.Write(stream, tensors);
        stream.Position = 0;
        return Safetensors.Read(stream, "round trip");
    }

    private static Tensor Make((ScalarType Type, long[] Shape, int Seed) description)
    {
        var count = description.Shape.Aggregate(1L, (product, size) => product * size);
        return arange(description.Seed, description.Seed + count, dtype: float64).reshape(description.Shape).to(description.Type);
    }

    private static bool IsWellFormed(string name) => string.Equals(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(name)), name, StringComparison.Ordinal);
}
