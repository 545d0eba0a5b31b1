using System.Text.RegularExpressions;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Brink.Models.Architectures;

/// <summary>DenseNet-121 (Huang et al. 2017) in torchvision's form. Input [batch, 3, 224, 224], output [batch, classes].</summary>
/// <remarks>
/// The names of the state dict are torchvision's: <c>features.conv0</c>, <c>features.denseblock1.denselayer1.norm1</c>,
/// <c>features.transition1.conv</c>, <c>features.norm5</c>, <c>classifier</c>. The published file has the older name <c>norm.1</c> for
/// <c>norm1</c>; <see cref="CurrentName"/> translates it.
/// </remarks>
internal sealed partial class DenseNet121 : Module<Tensor, Tensor>
{
    // Growth rate k and layers of each block (Huang et al. 2017, table 1).
    private const long Growth = 32;
    private static readonly int[] LayersOfBlocks = [6, 12, 24, 16];

    private readonly Sequential _features;
    private readonly ReLU _relu;
    private readonly Linear _classifier;

    /// <summary>Creates the network with random weights.</summary>
    /// <param name="classCount">The number of classes.</param>
    public DenseNet121(int classCount = 1000)
        : base(nameof(DenseNet121))
    {
        var parts = new List<(string, Module<Tensor, Tensor>)>
        {
            ("conv0", Conv2d(3, 64, 7, stride: 2, padding: 3, bias: false)),
            ("norm0", BatchNorm2d(64)),
            ("relu0", ReLU()),
            ("pool0", MaxPool2d(3, stride: 2, padding: 1)),
        };
        var channels = 64L;
        for (var block = 1; block <= LayersOfBlocks.Length; block++)
        {
            parts.Add((FormattableString.Invariant($"denseblock{block}"), new DenseBlock(LayersOfBlocks[block - 1], channels)));
            channels += LayersOfBlocks[block - 1] * Growth;
            if (block < LayersOfBlocks.Length)
            {
                parts.Add((FormattableString.Invariant($"transition{block}"), Transition(channels, channels / 2)));
                channels /= 2;
            }
        }

        parts.Add(("norm5", BatchNorm2d(channels)));
        register_module("features", _features = Sequential(parts));
        register_module("relu", _relu = ReLU());
        register_module("classifier", _classifier = Linear(channels, classCount));
    }

    /// <summary>Translates a tensor's name in checkpoints for torchvision before 0.2 to the current one: <c>denselayer1.norm.1.weight</c> becomes <c>denselayer1.norm1.weight</c>.</summary>
    /// <param name="name">The name, old or current.</param>
    /// <returns>The current name.</returns>
    public static string CurrentName(string name) => OldName().Replace(name, "${part}${number}");

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return _classifier.forward(_relu.forward(_features.forward(input)).mean([2, 3])).MoveToOuterDisposeScope();
    }

    [GeneratedRegex(@"(?<=\.denselayer[0-9]+\.)(?<part>norm|conv)\.(?<number>[12])(?=\.)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex OldName();

    private static Sequential Transition(long inputChannels, long channels) => Sequential(
        ("norm", BatchNorm2d(inputChannels)),
        ("relu", ReLU()),
        ("conv", Conv2d(inputChannels, channels, 1, bias: false)),
        ("pool", AvgPool2d(2, stride: 2)));

    /// <summary>A sequence of layers, each of which takes the input and the outputs of all previous layers.</summary>
    private sealed class DenseBlock : Module<Tensor, Tensor>
    {
        private readonly DenseLayer[] _layers;

        public DenseBlock(int layers, long inputChannels)
            : base(nameof(DenseBlock))
        {
            _layers = [.. Enumerable.Range(0, layers).Select(layer => new DenseLayer(inputChannels + (layer * Growth)))];
            for (var layer = 0; layer < layers; layer++)
            {
                register_module(FormattableString.Invariant($"denselayer{layer + 1}"), _layers[layer]);
            }
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            return _layers.Aggregate(input, (features, layer) => cat([features, layer.forward(features)], 1)).MoveToOuterDisposeScope();
        }
    }

    /// <summary>A 1×1 convolution to four times the growth rate and a 3×3 convolution to the growth rate, each after normalisation and ReLU.</summary>
    private sealed class DenseLayer : Module<Tensor, Tensor>
    {
        private readonly BatchNorm2d _norm1;
        private readonly Conv2d _conv1;
        private readonly BatchNorm2d _norm2;
        private readonly Conv2d _conv2;
        private readonly ReLU _relu;

        public DenseLayer(long inputChannels)
            : base(nameof(DenseLayer))
        {
            const long inner = 4 * Growth;
            register_module("norm1", _norm1 = BatchNorm2d(inputChannels));
            register_module("conv1", _conv1 = Conv2d(inputChannels, inner, 1, bias: false));
            register_module("norm2", _norm2 = BatchNorm2d(inner));
            register_module("conv2", _conv2 = Conv2d(inner, Growth, 3, padding: 1, bias: false));
            register_module("relu", _relu = ReLU());
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var inner = _conv1.forward(_relu.forward(_norm1.forward(input)));
            return _conv2.forward(_relu.forward(_norm2.forward(inner))).MoveToOuterDisposeScope();
        }
    }
}
