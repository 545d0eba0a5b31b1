using Brink.Models.Architectures;
using static TorchSharp.torch;

namespace Brink.Models.Tests.Checkpoints;

public sealed class TorchSharpCheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_network_saved_by_TorchSharp_is_read_and_read_back_by_TorchSharp()
    {
        using var scope = NewDisposeScope();
        using var network = new CifarResNet(8);
        var path = _folder["weights.bin"];
        network.save(path);
        using var second = new CifarResNet(8);
        Assert.Empty(StateDict.Load(second, path));
        AssertSame(network, second);

        second.save(path);
        using var third = new CifarResNet(8);
        third.load(path);
        AssertSame(network, third);
    }

    [Fact]
    public void Each_element_type_and_shape_is_read()
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal)
        {
            ["double"] = arange(6, dtype: float64).reshape(2, 3),
            ["half"] = arange(200, dtype: float16),
            ["brain"] = arange(3, dtype: bfloat16),
            ["byte"] = arange(3, dtype: uint8),
            ["bool"] = arange(2) == 1,
            ["scalar"] = tensor(3.5f),
            ["empty"] = zeros(0, 3),
        };
        using (var writer = new BinaryWriter(File.Create(_folder["weights"])))
        {
            nn.Module.save_state_dict(writer, tensors);
        }

        var read = StateDict.Read(_folder["weights"]);
        Assert.Equal(tensors.Count, read.Count);
        Assert.All(tensors, named => TensorAssert.Same(named.Value, read[named.Key]));
    }

    // The count of 256 tensors is written as the bytes that begin a pickle of protocol 2.
    [Fact]
    public void A_file_of_256_tensors_is_not_taken_for_a_pickle()
    {
        using var scope = NewDisposeScope();
        using (var writer = new BinaryWriter(File.Create(_folder["weights"])))
        {
            nn.Module.save_state_dict(writer, Enumerable.Range(0, 256).ToDictionary(index => $"layer{index}.bias", index => full(2, (float)index), StringComparer.Ordinal));
        }

        Assert.Equal([0x80, 2], File.ReadAllBytes(_folder["weights"])[..2]);
        TensorAssert.Same(full(2, 255f), StateDict.Read(_folder["weights"])["layer255.bias"]);
    }

    // The header of each: the count, the length of the name, the name, type 6 (float32), the number of dimensions, the sizes.
    [Theory]
    [InlineData(new byte[] { 1, 1, (byte)'w', 6, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f }, "bytes, but only 0 follow")]
    [InlineData(new byte[] { 1, 1, (byte)'w', 6, 1, 2, 0, 0, 0, 0, 0, 0 }, "needs 8 bytes, but only 6 follow")]
    [InlineData(new byte[] { 1, 1, (byte)'w', 6, 1, 1, 0, 0, 0, 0, 7 }, "1 bytes follow its last tensor")]
    [InlineData(new byte[] { 0xff, 0x7f, 1, (byte)'w', 6, 1, 0 }, "tensor 2 of 16383 are damaged or missing")]
    [InlineData(new byte[] { 2, 1, (byte)'w', 6, 1, 0, 1, (byte)'w', 6, 1, 0 }, "has 'w' twice")]
    [InlineData(new byte[] { 2, 1, (byte)'w', 6, 1, 0, 1, (byte)'v', 99, 1, 0 }, "tensor 2 of 2 are damaged")]
    [InlineData(new byte[] { 2, 1, (byte)'w', 6, 1, 0, 1, (byte)'v', 6, 65, 0 }, "tensor 2 of 2 are damaged")]
    [InlineData(new byte[] { 2, 1, (byte)'w', 6, 1, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, (byte)'v' }, "tensor 2 of 2 are damaged")]
    public void A_damaged_file_is_refused_without_a_large_allocation(byte[] content, string reason)
    {
        File.WriteAllBytes(_folder["weights"], content);
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var exception = Assert.Throws<BadInputException>(() => StateDict.Read(_folder["weights"]));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 1 << 20);
        Assert.Contains("cannot be read as a file of TorchSharp's module.save: ", exception.Message, StringComparison.Ordinal);
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
    }

    private static void AssertSame(nn.Module expected, nn.Module actual)
    {
        var slots = actual.state_dict();
        Assert.All(expected.state_dict(), named => TensorAssert.Same(named.Value, slots[named.Key]));
    }
}
