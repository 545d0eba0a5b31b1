using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Brink.Models.Architectures;

/// <summary>The wide residual network for small images (Zagoruyko and Komodakis 2016) with 6n+4 layers. Input [batch, 3, height, width], output [batch, classes].</summary>
/// <remarks>
/// Three stages of n blocks with 16, 32 and 64 times the width in channels; normalisation and ReLU before each convolution; no
/// dropout. The names of the state dict are those of github.com/xternalz/WideResNet-pytorch: <c>conv1</c>, <c>block1.layer.0.bn1</c>,
/// <c>block1.layer.0.convShortcut</c>, <c>bn1</c>, <c>fc</c>.
/// </remarks>
internal sealed class WideResNet : Module<Tensor, Tensor>
{
    private readonly Conv2d _conv1;
    private readonly Sequential[] _stages;
    private readonly BatchNorm2d _bn1;
    private readonly ReLU _relu;
    private readonly Linear _fc;

    /// <summary>Creates the network with random weights.</summary>
    /// <param name="depth">The number of weighted layers, 6n+4: 10, 16, 22, 28, 40.</param>
    /// <param name="width">The factor of the number of channels.</param>
    /// <param name="classCount">The number of classes.</param>
    /// <exception cref="ArgumentOutOfRangeException">Thrown when the depth is not 6n+4 with n ≥ 1, or the width is not positive.</exception>
    public WideResNet(int depth, int width, int classCount = 10)
        : base(nameof(WideResNet))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        if (depth < 10 || depth % 6 != 4)
        {
            throw new ArgumentOutOfRangeException(nameof(depth), depth, "The depth of a wide ResNet is 6n+4 with n at least 1: 10, 16, 22, 28, 40, …");
        }

        var blocks = (depth - 4) / 6;
        long[] channels = [16, 16L * width, 32L * width, 64L * width];
        register_module("conv1", _conv1 = Conv2d(3, channels[0], 3, padding: 1, bias: false));
        _stages = [.. Enumerable.Range(1, 3).Select(number => Stage(blocks, channels[number - 1], channels[number], stride: number == 1 ? 1 : 2))];
        for (var number = 1; number <= _stages.Length; number++)
        {
            register_module(FormattableString.Invariant($"block{number}"), _stages[number - 1]);
        }

        register_module("bn1", _bn1 = BatchNorm2d(channels[3]));
        register_module("relu", _relu = ReLU());
        register_module("fc", _fc = Linear(channels[3], classCount));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var features = _stages.Aggregate(_conv1.forward(input), (current, stage) => stage.forward(current));
        return _fc.forward(_relu.forward(_bn1.forward(features)).mean([2, 3])).MoveToOuterDisposeScope();
    }

    /// <summary>Creates n blocks, the first of which changes the number of channels and the size of the image plane.</summary>
    private static Sequential Stage(int blocks, long inputChannels, long channels, long stride) =>
        Sequential(("layer", Sequential(Enumerable.Range(0, blocks).Select(block =>
            block == 0 ? new Block(inputChannels, channels, stride) : new Block(channels, channels, 1)))));

    /// <summary>A residual block of two 3×3 convolutions with normalisation and ReLU before each of them.</summary>
    private sealed class Block : Module<Tensor, Tensor>
    {
        private readonly BatchNorm2d _bn1;
        private readonly Conv2d _conv1;
        private readonly BatchNorm2d _bn2;
        private readonly Conv2d _conv2;
        private readonly ReLU _relu;
        private readonly Conv2d? _shortcut;

        public Block(long inputChannels, long channels, long stride)
            : base(nameof(Block))
        {
            register_module("bn1", _bn1 = BatchNorm2d(inputChannels));
            register_module("conv1", _conv1 = Conv2d(inputChannels, channels, 3, stride, padding: 1, bias: false));
            register_module("bn2", _bn2 = BatchNorm2d(channels));
            register_module("conv2", _conv2 = Conv2d(channels, channels, 3, padding: 1, bias: false));
            register_module("relu", _relu = ReLU());
            if (inputChannels != channels)
            {
                register_module("convShortcut", _shortcut = Conv2d(inputChannels, channels, 1, stride, bias: false));
            }
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var activated = _relu.forward(_bn1.forward(input));
            // A shortcut with a convolution takes the activated input; the identity takes the input itself.
            var shortcut = _shortcut is null ? input : _shortcut.forward(activated);
            var residual = _conv2.forward(_relu.forward(_bn2.forward(_conv1.forward(activated))));
            return shortcut.Plus(residual).MoveToOuterDisposeScope();
        }
    }
}
