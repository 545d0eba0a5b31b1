using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Brink.Models.Architectures;

/// <summary>A 3×3 convolution between two of 1×1, with four times as many channels outside as inside, and a shortcut around them (He et al. 2016, figure 5 right).</summary>
/// <remarks>The plane shrinks in the 3×3 convolution, as in torchvision (the paper: in the first).</remarks>
internal sealed class Bottleneck : Module<Tensor, Tensor>
{
    /// <summary>Channels of the output for one inside.</summary>
    public const long Expansion = 4;

    private readonly Conv2d _conv1;
    private readonly BatchNorm2d _bn1;
    private readonly Conv2d _conv2;
    private readonly BatchNorm2d _bn2;
    private readonly Conv2d _conv3;
    private readonly BatchNorm2d _bn3;
    private readonly ReLU _relu;
    private readonly Sequential? _downsample;

    /// <param name="inputChannels">Channels of the input.</param>
    /// <param name="channels">Channels inside.</param>
    /// <param name="stride">By how much the plane shrinks.</param>
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
