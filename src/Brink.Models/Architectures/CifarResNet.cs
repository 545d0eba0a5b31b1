using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Brink.Models.Architectures;

/// <summary>The residual network for small images of He et al. (2016), §4.2, with 6n+2 layers. Input [batch, 3, height, width], output [batch, classes].</summary>
/// <remarks>
/// Three stages of n basic blocks with 16, 32 and 64 channels, then the mean over the image plane and one linear layer. Where a stage
/// halves height and width, the shortcut is a strided 1×1 convolution with batch normalisation ("option B" of He et al.).
/// The names of the state dict are those of the checkpoint of the trust-region paper's authors: <c>conv1</c>, <c>bn1</c>,
/// <c>layer1.0.conv1</c>, <c>layer2.0.downsample.0</c>, <c>fc</c>.
/// </remarks>
internal sealed class CifarResNet : Module<Tensor, Tensor>
{
    private readonly Conv2d _conv1;
    private readonly BatchNorm2d _bn1;
    private readonly ReLU _relu;
    private readonly Sequential _layer1;
    private readonly Sequential _layer2;
    private readonly Sequential _layer3;
    private readonly Linear _fc;

    /// <summary>Creates the network with random weights.</summary>
    /// <param name="depth">The number of weighted layers, 6n+2: 8, 14, 20, 32, 44, 56, 110.</param>
    /// <param name="classCount">The number of classes.</param>
    /// <exception cref="ArgumentOutOfRangeException">Thrown when the depth is not 6n+2 with n ≥ 1.</exception>
    public CifarResNet(int depth = 20, int classCount = 10)
        : base(nameof(CifarResNet))
    {
        if (depth < 8 || depth % 6 != 2)
        {
            throw new ArgumentOutOfRangeException(nameof(depth), depth, "The depth of a CIFAR ResNet is 6n+2 with n at least 1: 8, 14, 20, 32, 44, 56, …");
        }

        var blocks = (depth - 2) / 6;
        register_module("conv1", _conv1 = Conv2d(3, 16, 3, padding: 1, bias: false));
        register_module("bn1", _bn1 = BatchNorm2d(16));
        register_module("relu", _relu = ReLU());
        register_module("layer1", _layer1 = Stage(blocks, 16, 16, stride: 1));
        register_module("layer2", _layer2 = Stage(blocks, 16, 32, stride: 2));
        register_module("layer3", _layer3 = Stage(blocks, 32, 64, stride: 2));
        register_module("fc", _fc = Linear(64, classCount));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var features = _relu.forward(_bn1.forward(_conv1.forward(input)));
        features = _layer3.forward(_layer2.forward(_layer1.forward(features)));
        return _fc.forward(features.mean([2, 3])).MoveToOuterDisposeScope();
    }

    private static Sequential Stage(int blocks, int inputChannels, int channels, int stride) =>
        Sequential(Enumerable.Range(0, blocks).Select(block =>
            block == 0 ? new BasicBlock(inputChannels, channels, stride) : new BasicBlock(channels, channels, 1)));
}

/// <summary>ResNet-18 for images of 32×32 pixels: the network of He et al. (2016) for ImageNet without the strided first layers. Input [batch, 3, 32, 32], output [batch, classes].</summary>
/// <remarks>
/// The names of the state dict are those of github.com/kuangliu/pytorch-cifar, which most published ResNet-18 for CIFAR-10 use:
/// <c>conv1</c>, <c>bn1</c>, <c>layer1.0.conv1</c>, <c>layer2.0.shortcut.0</c>, <c>linear</c>.
/// </remarks>
internal sealed class CifarResNet18 : Module<Tensor, Tensor>
{
    private readonly Conv2d _conv1;
    private readonly BatchNorm2d _bn1;
    private readonly ReLU _relu;
    private readonly Sequential _layer1;
    private readonly Sequential _layer2;
    private readonly Sequential _layer3;
    private readonly Sequential _layer4;
    private readonly Linear _linear;

    /// <summary>Creates the network with random weights.</summary>
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
