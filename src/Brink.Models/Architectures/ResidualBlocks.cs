using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Brink.Models.Architectures;

/// <summary>The basic residual block: two 3×3 convolutions and a shortcut around them (He et al. 2016, figure 5 left).</summary>
internal sealed class BasicBlock : Module<Tensor, Tensor>
{
    private readonly Conv2d _conv1;
    private readonly BatchNorm2d _bn1;
    private readonly Conv2d _conv2;
    private readonly BatchNorm2d _bn2;
    private readonly ReLU _relu;
    private readonly Sequential? _shortcut;

    /// <summary>Creates the block with random weights.</summary>
    /// <param name="inputChannels">The number of channels of the input.</param>
    /// <param name="channels">The number of channels of the output.</param>
    /// <param name="stride">The factor by which height and width are reduced.</param>
    /// <param name="shortcutName">The name of the shortcut's 1×1 convolution in the state dict; not used if the shortcut is the identity.</param>
    public BasicBlock(long inputChannels, long channels, long stride, string shortcutName = "downsample")
        : base(nameof(BasicBlock))
    {
        register_module("conv1", _conv1 = Conv2d(inputChannels, channels, 3, stride, padding: 1, bias: false));
        register_module("bn1", _bn1 = BatchNorm2d(channels));
        register_module("conv2", _conv2 = Conv2d(channels, channels, 3, padding: 1, bias: false));
        register_module("bn2", _bn2 = BatchNorm2d(channels));
        register_module("relu", _relu = ReLU());
        if (stride != 1 || inputChannels != channels)
        {
            register_module(shortcutName, _shortcut = Sequential(Conv2d(inputChannels, channels, 1, stride, bias: false), BatchNorm2d(channels)));
        }
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var shortcut = _shortcut is null ? input : _shortcut.forward(input);
        var residual = _relu.forward(_bn1.forward(_conv1.forward(input)));
        residual = _bn2.forward(_conv2.forward(residual));
        return _relu.forward(residual.Plus(shortcut)).MoveToOuterDisposeScope();
    }
}

/// <summary>The bottleneck block: a 3×3 convolution between two 1×1 convolutions, and a shortcut around them (He et al. 2016, figure 5 right).</summary>
/// <remarks>The stride is in the 3×3 convolution, as in torchvision; in the paper it is in the first convolution.</remarks>
internal sealed class Bottleneck : Module<Tensor, Tensor>
{
    /// <summary>The number of output channels per inner channel (He et al. 2016, table 1).</summary>
    public const long Expansion = 4;

    private readonly Conv2d _conv1;
    private readonly BatchNorm2d _bn1;
    private readonly Conv2d _conv2;
    private readonly BatchNorm2d _bn2;
    private readonly Conv2d _conv3;
    private readonly BatchNorm2d _bn3;
    private readonly ReLU _relu;
    private readonly Sequential? _downsample;

    /// <summary>Creates the block with random weights.</summary>
    /// <param name="inputChannels">The number of channels of the input.</param>
    /// <param name="channels">The number of inner channels.</param>
    /// <param name="stride">The factor by which height and width are reduced.</param>
    public Bottleneck(long inputChannels, long channels, long stride)
        : base(nameof(Bottleneck))
    {
        var outputChannels = channels * Expansion;
        register_module("conv1", _conv1 = Conv2d(inputChannels, channels, 1, bias: false));
        register_module("bn1", _bn1 = BatchNorm2d(channels));
        register_module("conv2", _conv2 = Conv2d(channels, channels, 3, stride, padding: 1, bias: false));
        register_module("bn2", _bn2 = BatchNorm2d(channels));
        register_module("conv3", _conv3 = Conv2d(channels, outputChannels, 1, bias: false));
        register_module("bn3", _bn3 = BatchNorm2d(outputChannels));
        register_module("relu", _relu = ReLU());
        if (stride != 1 || inputChannels != outputChannels)
        {
            register_module("downsample", _downsample = Sequential(Conv2d(inputChannels, outputChannels, 1, stride, bias: false), BatchNorm2d(outputChannels)));
        }
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var shortcut = _downsample is null ? input : _downsample.forward(input);
        var residual = _relu.forward(_bn1.forward(_conv1.forward(input)));
        residual = _relu.forward(_bn2.forward(_conv2.forward(residual)));
        residual = _bn3.forward(_conv3.forward(residual));
        return _relu.forward(residual.Plus(shortcut)).MoveToOuterDisposeScope();
    }
}

/// <summary>The addition of a shortcut to its block.</summary>
internal static class ShortcutSum
{
#pragma warning disable RS0030 // This class keeps the scalar alive while libtorch reads it.
    private static readonly Scalar One = 1;
#pragma warning restore RS0030

    /// <summary>Adds two tensors. TorchSharp's operator + creates a scalar that can be freed during the call.</summary>
    /// <param name="first">The first summand.</param>
    /// <param name="second">The second summand, of the same shape.</param>
    /// <returns>The sum.</returns>
    public static Tensor Plus(this Tensor first, Tensor second) => first.add(second, One);
}
