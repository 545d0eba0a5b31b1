using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Brink.Models.Architectures;

/// <summary>A multilayer perceptron: linear layers with an activation between them. Input [batch, …] with as many entries per image as the first width, output [batch, last width].</summary>
/// <remarks>
/// With <see cref="PaperWidths"/> and Swish it is the MLP of Yao et al. (2019), §4.5. The names of the state dict are <c>fc1</c>, <c>fc2</c>, and so on.
/// </remarks>
internal sealed class MultilayerPerceptron : Module<Tensor, Tensor>
{
    private readonly Module<Tensor, Tensor> _activation;
    private readonly Linear[] _layers;

    /// <summary>Creates the network with random weights.</summary>
    /// <param name="widths">The number of entries of the input, of the output of each hidden layer, and the number of classes: at least two numbers.</param>
    /// <param name="activation">The activation between the layers. The network owns it.</param>
    public MultilayerPerceptron(IReadOnlyList<long> widths, Module<Tensor, Tensor> activation)
        : base(nameof(MultilayerPerceptron))
    {
        ArgumentNullException.ThrowIfNull(widths);
        _layers = [.. widths.Skip(1).Select((width, layer) => Linear(widths[layer], width))];
        for (var layer = 0; layer < _layers.Length; layer++)
        {
            register_module(FormattableString.Invariant($"fc{layer + 1}"), _layers[layer]);
        }

        register_module("activation", _activation = activation);
    }

    /// <summary>The widths of the paper's network for CIFAR-10 (Yao et al. 2019, §4.5): 3072–1024–512–512–256–256–10.</summary>
    public static IReadOnlyList<long> PaperWidths { get; } = [3072, 1024, 512, 512, 256, 256, 10];

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var scope = NewDisposeScope();
        var features = _layers[0].forward(input.flatten(1));
        foreach (var layer in _layers.Skip(1))
        {
            features = layer.forward(_activation.call(features));
        }

        return features.MoveToOuterDisposeScope();
    }
}
