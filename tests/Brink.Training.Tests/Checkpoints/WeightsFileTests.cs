using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Training.Tests.Checkpoints;

public sealed class WeightsFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Weights_are_read_back_bit_for_bit()
    {
        using var model = SmallTask.Network();
        WeightsFile.Write(_folder["weights"], model.Module);
        using var other = SmallTask.Network(seed: 9);
        Load(other.Module);
        Assert.Equal(SmallTask.Weights(model), SmallTask.Weights(other));
    }

    [Fact]
    public void Weights_in_float16_take_half_the_space_and_are_read_back_rounded_in_the_type_of_the_network()
    {
        using var scope = NewDisposeScope();
        using var model = SmallTask.Network();
        WeightsFile.Write(_folder["whole"], model.Module);
        WeightsFile.Write(_folder["weights"], model.Module, half: true);
        Assert.InRange(new FileInfo(_folder["weights"]).Length, 1, 0.75 * new FileInfo(_folder["whole"]).Length);
        using var other = SmallTask.Network(seed: 9);
        Load(other.Module);
        foreach (var (name, weight) in model.Module.named_parameters())
        {
            var read = other.Module.get_parameter(name)!;
            Assert.Equal(ScalarType.Float32, read.dtype);
            // float16 has 11 significant bits, and a spacing of 2⁻²⁴ near zero.
            Assert.True((read - weight).abs().le((weight.abs() * (1 / 2048.0)) + (1 / 16777216.0)).all().item<bool>());
        }
    }

    [Fact]
    public void A_weight_too_large_for_float16_is_rejected_with_its_name()
    {
        using var model = SmallTask.Network();
        using (no_grad())
        {
            model.Module.get_parameter("fc.bias")!.fill_(1e5);
        }

        Assert.Contains("'fc.bias'", Assert.Throws<BadInputException>(() => WeightsFile.Write(_folder["weights"], model.Module, half: true)).Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["weights"]));
    }

    private void Load(nn.Module module)
    {
        using var scope = NewDisposeScope();
        StateDict.LoadInto(module, StateDict.Read(_folder["weights"]), "weights");
    }
}
