using System.IO.Compression;
using static TorchSharp.torch;

namespace Brink.Models.Tests.Checkpoints;

public sealed class PyTorchCheckpointTests
{
    public static TheoryData<string> AssortedFiles { get; } = new(
        "assorted_legacy.pt", "assorted_zip.pt", "assorted_protocol4_legacy.pt", "assorted_protocol4_zip.pt");

    [Theory, MemberData(nameof(AssortedFiles))]
    public void Each_element_type_is_preserved(string file)
    {
        using var scope = NewDisposeScope();
        var tensors = PyTorchCheckpoint.Read(Fixture.PathOf(file));
        var numbers = arange(6, dtype: float32).reshape(2, 3);
        foreach (var (name, type) in new[]
                 {
                     ("float64", float64), ("float32", float32), ("float16", float16), ("bfloat16", bfloat16), ("int64", int64),
                     ("int32", int32), ("int16", int16), ("int8", int8), ("uint8", uint8),
                 })
        {
            TensorAssert.Same(numbers.to(type), tensors[name]);
        }

        TensorAssert.Same((numbers.to(int64) % 2).to(ScalarType.Bool), tensors["bool"]);
    }

    [Theory, MemberData(nameof(AssortedFiles))]
    public void Each_kind_of_view_is_read(string file)
    {
        using var scope = NewDisposeScope();
        var tensors = PyTorchCheckpoint.Read(Fixture.PathOf(file));
        TensorAssert.Same(arange(6, dtype: float32).reshape(2, 3).t(), tensors["transposed"]);
        TensorAssert.Same(arange(5, 15, 2, dtype: float32), tensors["every_second"]);
        TensorAssert.Same(7 + (2 * arange(3, dtype: float32).unsqueeze(1)) + arange(4, dtype: float32), tensors["window"]);
        TensorAssert.Same(full([3, 4], 7f), tensors["expanded"]);
        TensorAssert.Same(tensor(3.5f), tensors["scalar"]);
        TensorAssert.Same(zeros(0, 3), tensors["empty"]);
        TensorAssert.Same(arange(4, dtype: float32), tensors["parameter"]);
    }

    [Theory, MemberData(nameof(AssortedFiles))]
    public void Names_are_in_the_order_of_the_file(string file)
    {
        using var scope = NewDisposeScope();
        const string names = "float64, float32, float16, bfloat16, int64, int32, int16, int8, uint8, bool, transposed, base, every_second, window, expanded, scalar, empty, parameter";
        Assert.Equal(names, string.Join(", ", PyTorchCheckpoint.Read(Fixture.PathOf(file)).Keys));
    }

    [Theory, MemberData(nameof(AssortedFiles))]
    public void Views_of_one_storage_share_memory(string file)
    {
        using var scope = NewDisposeScope();
        var tensors = PyTorchCheckpoint.Read(Fixture.PathOf(file));
        tensors["base"].zero_();
        Assert.Equal(0f, tensors["window"].sum().item<float>());
    }

    [Theory]
    [InlineData("checkpoint_legacy.pt")]
    [InlineData("checkpoint_zip.pt")]
    public void The_weights_in_a_training_checkpoint_are_found(string file)
    {
        using var scope = NewDisposeScope();
        var tensors = PyTorchCheckpoint.Read(Fixture.PathOf(file));
        Assert.Equal("module.weight, module.bias", string.Join(", ", tensors.Keys));
        TensorAssert.Same(arange(6, dtype: float32).reshape(2, 3), tensors["module.weight"]);
        TensorAssert.Same(-arange(2, dtype: float32), tensors["module.bias"]);
    }

    [Fact]
    public void A_deflated_archive_is_read()
    {
        using var scope = NewDisposeScope();
        var tensors = PyTorchCheckpoint.Read(new MemoryStream(Zip.Rewrite(Fixture.Bytes("checkpoint_zip.pt"), CompressionLevel.SmallestSize)), "deflated.pt");
        TensorAssert.Same(arange(6, dtype: float32).reshape(2, 3), tensors["module.weight"]);
    }

    [Fact]
    public void Entries_that_later_versions_of_PyTorch_add_are_ignored()
    {
        using var scope = NewDisposeScope();
        (string, byte[])[] additions =
        [
            ("checkpoint_zip/byteorder", "little"u8.ToArray()),
            ("checkpoint_zip/.format_version", "1"u8.ToArray()),
            ("checkpoint_zip/.storage_alignment", "64"u8.ToArray()),
            ("checkpoint_zip/.data/serialization_id", "0123456789"u8.ToArray()),
        ];
        var file = Zip.Rewrite(Fixture.Bytes("checkpoint_zip.pt"), CompressionLevel.NoCompression, additions);
        TensorAssert.Same(-arange(2, dtype: float32), PyTorchCheckpoint.Read(new MemoryStream(file), "later.pt")["module.bias"]);
    }

    [Theory]
    [InlineData("checkpoint_legacy.pt")]
    [InlineData("checkpoint_zip.pt")]
    [InlineData("assorted_zip.pt")]
    [InlineData("assorted_legacy.pt")]
    public void Reading_leaves_no_tensors_except_the_results(string file) => TensorAssert.LeavesNone(() =>
    {
        foreach (var tensor in PyTorchCheckpoint.Read(Fixture.PathOf(file)).Values)
        {
            tensor.Dispose();
        }
    });

    [Fact]
    public void A_refused_file_leaves_no_tensors() => TensorAssert.LeavesNone(() =>
    {
        var truncated = Fixture.Bytes("assorted_legacy.pt")[..^3];
        Assert.Throws<BadInputException>(() => PyTorchCheckpoint.Read(new MemoryStream(truncated), "truncated.pt"));
    });

    [Fact]
    public void The_weights_of_the_papers_authors_are_read()
    {
        using var scope = NewDisposeScope();
        var tensors = PyTorchCheckpoint.Read(SharedFiles.DataFile("weights", "resnet20_cifar10_authors.pkl"));
        // ResNet-20 with shortcuts of option B (He et al. 2016) has 272,474 parameters, without the buffers of batch normalisation.
        Assert.Equal(272_474, tensors.Where(named => named.Key.EndsWith("weight", StringComparison.Ordinal) || named.Key.EndsWith("bias", StringComparison.Ordinal)).Sum(named => named.Value.numel()));
        Assert.Equal([10L, 64L], tensors["module.fc.weight"].shape);
    }
}
