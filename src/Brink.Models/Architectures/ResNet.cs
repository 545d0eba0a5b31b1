using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Brink.Models.Architectures;

/// <summary>The residual network for ImageNet (He et al. 2016) with 18 or 50 layers, in torchvision's form. Input [batch, 3, 224, 224], output [batch, classes].</summary>
/// <remarks>The names of the state dict are torchvision's: <c>conv1</c>, <c>bn1</c>, <c>layer1.0.conv1</c>, <c>layer2.0.downsample.0</c>, <c>fc</c>.</remarks>
internal sealed class ResNet : Module<Tensor, Tensor>
{
    private readonly Conv2d _conv1;
    private readonly BatchNorm2d _bn1;
    private readonly ReLU _relu;
    private readonly MaxPool2d _maxpool;
    private readonly Sequential[] _stages;
    private readonly Linear _fc;

    private ResNet(string name, IReadOnlyList<int> blocks, Func<long, long, long, Module<Tensor, Tensor>> block, long expansion, int classCount)
        : base(name)
    {
        register_module("conv1", _conv1 = Conv2d(3, 64, 7, stride: 2, padding: 3, bias: false));
        register_module("bn1", _bn1 = BatchNorm2d(64));
        register_module("relu", _relu = ReLU());
        register_module("maxpool", _maxpool = MaxPool2d(3, stride: 2, padding: 1));
        _stages = new Sequential[blocks.Count];
        var inputChannels = 64L;
        for (var stage = 0; stage < blocks.Count; stage++)
        {
            var channels = 64L << stage;
            var first = block(inputChannels, channels, stage == 0 ? 1 : 2);
            inputChannels = channels * expansion;
            _stages[stage] = Sequential(Enumerable.Range(1, blocks[stage] - 1).Select(_ => block(inputChannels, channels, 1)).Prepend(first));
            register_module(FormattableString.Invariant($"layer{stage + 1}"), _stages[stage]);
        }

        register_module("fc", _fc = Linear(inputChannels, classCount));
    }

    /// <summary>Creates ResNet-18 with random weights.</summary>
    /// <param name="classCount">The number of classes.</param>
    /// <returns>The network, in training mode.</returns>
    public static ResNet WithLayers18(int classCount = 1000) =>
        new("ResNet18", [2, 2, 2, 2], (inputChannels, channels, stride) => new BasicBlock(inputChannels, channels, stride), expansion: 1, classCount);

    /// <summary>Creates ResNet-50 with random weights.</summary>
    /// <param name="classCount">The number of classes.</param>
    /// <returns>The network, in training mode.</returns>
    public static ResNet WithLayers50(int classCount = 1000) =>
        new("ResNet50", [3, 4, 6, 3], (inputChannels, channels, stride) => new Bottleneck(inputChannels, channels, stride), Bottleneck.Expansion, classCount);

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var features = _maxpool.forward(_relu.forward(_bn1.forward(_conv1.forward(input))));
        features = _stages.Aggregate(features, (current, stage) => stage.forward(current));
        return _fc.forward(features.mean([2, 3])).MoveToOuterDisposeScope();
    }
}
