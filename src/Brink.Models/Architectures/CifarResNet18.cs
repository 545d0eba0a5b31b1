using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Brink.Models.Architectures;

/// <summary>ResNet-18 for images of 32×32 pixels: that of He et al. (2016) for ImageNet without the strided beginning. Input [batch, 3, 32, 32], output [batch, classes].</summary>
/// <remarks>
/// State-dict names are those of github.com/kuangliu/pytorch-cifar, on which most published ResNet-18 for CIFAR-10 rest: <c>conv1</c>,
/// <c>bn1</c>, <c>layer1.0.conv1</c>, <c>layer2.0.shortcut.0</c>, <c>linear</c>.
/// </remarks>
public sealed class CifarResNet18 : Module<Tensor, Tensor>
{
    private readonly Conv2d _conv1;
    private readonly BatchNorm2d _bn1;
    private readonly ReLU _relu;
    private readonly Sequential _layer1;
    private readonly Sequential _layer2;
    private readonly Sequential _layer3;
    private readonly Sequential _layer4;
    private readonly Linear _linear;

    /// <summary>Builds the network with random weights.</summary>
    /// <param name="classCount">The number of classes.</param>
    public CifarResNet18(int classCount = 10)
        : base(nameof(CifarResNet18))
    {
        register_module("conv1", _conv1 = Conv2d(3, 64, 3, padding: 1, bias: false));
        register_module("bn1", _bn1 = BatchNorm2d(64));
        register_module("relu", _relu = ReLU());
        register_module("layer1", _layer1 = Stage(64, 64, stride: 1));
        register_module("layer2", _layer2 = Stage(64, 128, stride: 2));
        register_module("layer3", _layer3 = Stage(128, 256, stride: 2));
        register_module("layer4", _layer4 = Stage(256, 512, stride: 2));
        register_module("linear", _linear = Linear(512, classCount));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var features = _relu.forward(_bn1.forward(_conv1.forward(input)));
        features = _layer4.forward(_layer3.forward(_layer2.forward(_layer1.forward(features))));
        return _linear.forward(features.mean([2, 3])).MoveToOuterDisposeScope();
    }

    private static Sequential Stage(long inputChannels, long channels, long stride) =>
        Sequential(new BasicBlock(inputChannels, channels, stride, "shortcut"), new BasicBlock(channels, channels, 1, "shortcut"));
}
