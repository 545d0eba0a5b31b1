using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Brink.Models.Architectures;

/// <summary>Two 3×3 convolutions and a shortcut around them (He et al. 2016, figure 5 left).</summary>
internal sealed class BasicBlock : Module<Tensor, Tensor>
{
    private readonly Conv2d _conv1;
    private readonly BatchNorm2d _bn1;
    private readonly Conv2d _conv2;
    private readonly BatchNorm2d _bn2;
    private readonly ReLU _relu;
    private readonly Sequential? _shortcut;

    /// <param name="inputChannels">Channels of the input.</param>
    /// <param name="channels">Channels of the output.</param>
    /// <param name="stride">By how much the plane shrinks.</param>
    /// <param name="shortcutName">What the state dict calls the 1×1 convolution of the shortcut, where there is one.</param>
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
