using Brink.Models.Architectures;
using static TorchSharp.torch;

namespace Brink.Models.Tests.Checkpoints;

public sealed class StateDictLoadTests
{
    [Fact]
    public void Every_parameter_and_buffer_is_loaded()
    {
        using var scope = NewDisposeScope();
        using var network = new CifarResNet(8);
        var tensors = Weights(7);
        StateDict.LoadInto(network, tensors, "weights.pt");
        Assert.Equal(tensors.Count, network.state_dict().Count);
        foreach (var (name, slot) in network.state_dict())
        {
            TensorAssert.Same(tensors[name], slot);
        }
    }

    [Fact]
    public void Parameters_still_require_gradients_and_have_no_history()
    {
        using var scope = NewDisposeScope();
        using var network = new CifarResNet(8);
        StateDict.LoadInto(network, Weights(7), "weights.pt");
        Assert.All(network.parameters(), parameter => Assert.True(parameter.requires_grad && parameter.is_leaf));
        Assert.True(is_grad_enabled());
    }

    [Fact]
    public void Half_precision_is_converted_to_the_precision_of_the_network()
    {
        using var scope = NewDisposeScope();
        using var network = new CifarResNet(8);
        var halves = Weights(7).ToDictionary(named => named.Key, named => named.Value.is_floating_point() ? named.Value.half() : named.Value, StringComparer.Ordinal);
        StateDict.LoadInto(network, halves, "weights.pt");
        TensorAssert.Same(halves["fc.weight"].to(float32), network.state_dict()["fc.weight"]);
    }

    [Fact]
    public void A_missing_count_of_batches_is_tolerated()
    {
        using var scope = NewDisposeScope();
        using var network = new CifarResNet(8);
        var tensors = Weights(7).Where(named => !named.Key.EndsWith("num_batches_tracked", StringComparison.Ordinal)).ToDictionary(StringComparer.Ordinal);
        StateDict.LoadInto(network, tensors, "weights.pt");
        TensorAssert.Same(tensors["bn1.running_var"], network.state_dict()["bn1.running_var"]);
    }

    [Fact]
    public void Missing_and_unexpected_names_are_listed() => AssertRefused(
        tensors =>
        {
            tensors.Remove("conv1.weight", out var moved);
            tensors["stem.weight"] = moved!;
        },
        "it lacks 'conv1.weight' and the network has no 'stem.weight'");

    // ResNet-8 has 9 convolutions, 9 normalisations with four required tensors each, and a linear layer with two: 47.
    [Fact]
    public void The_first_of_many_missing_names_are_listed() => AssertRefused(
        tensors => tensors.Clear(), "it lacks 'conv1.weight', 'bn1.weight', 'bn1.bias', 'layer1.0.conv1.weight' and 43 more");

    [Fact]
    public void A_wrong_shape_is_named_with_both_shapes() => AssertRefused(
        tensors => tensors["fc.weight"] = zeros(100, 64), "'fc.weight' has the shape [100, 64] where the network needs [10, 64]");

    [Fact]
    public void A_shape_that_could_be_broadcast_is_refused() => AssertRefused(
        tensors => tensors["fc.weight"] = zeros(1), "'fc.weight' has the shape [1]");

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(1e300)]
    public void A_weight_that_is_not_finite_is_named(double value) => AssertRefused(
        tensors => tensors["fc.bias"] = full(10, value, dtype: float64), "'fc.bias' has a value that is not a finite number");

    [Fact]
    public void Integers_are_refused_as_weights() => AssertRefused(
        tensors => tensors["fc.bias"] = zeros(10, dtype: int64), "'fc.bias' is of type Int64 where the network needs Float32");

    [Fact]
    public void Loading_leaves_no_tensors()
    {
        using var scope = NewDisposeScope();
        using var network = new CifarResNet(8);
        var tensors = Weights(7).ToDictionary(named => named.Key, named => named.Value.to(named.Value.is_floating_point() ? float64 : int64), StringComparer.Ordinal);
        TensorAssert.LeavesNone(() => StateDict.LoadInto(network, tensors, "weights.pt"));
        tensors["fc.bias"] = full(10, double.NaN);
        TensorAssert.LeavesNone(() => Assert.Throws<BadInputException>(() => StateDict.LoadInto(network, tensors, "weights.pt")));
    }

    // Also checks that the network is unchanged.
    private static void AssertRefused(Action<Dictionary<string, Tensor>> spoil, string reason)
    {
        using var scope = NewDisposeScope();
        using var network = new CifarResNet(8);
        var before = network.state_dict().ToDictionary(named => named.Key, named => named.Value.clone(), StringComparer.Ordinal);
        var tensors = Weights(7);
        spoil(tensors);
        var exception = Assert.Throws<BadInputException>(() => StateDict.LoadInto(network, tensors, "weights.pt"));
        Assert.StartsWith("The weights in weights.pt do not fit CifarResNet: ", exception.Message, StringComparison.Ordinal);
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
        foreach (var (name, slot) in network.state_dict())
        {
            TensorAssert.Same(before[name], slot);
        }
    }

    // Weights of a ResNet-8 with values that no initialisation produces.
    private static Dictionary<string, Tensor> Weights(int start)
    {
        using var network = new CifarResNet(8);
        var tensors = new OrderedDictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (name, slot) in network.state_dict())
        {
            tensors[name] = arange(start, start + slot.numel(), dtype: slot.dtype).reshape(slot.shape) / (slot.is_floating_point() ? 1024 : 1);
            tensors[name] = tensors[name].to(slot.dtype);
        }

        return tensors.ToDictionary(StringComparer.Ordinal);
    }
}
