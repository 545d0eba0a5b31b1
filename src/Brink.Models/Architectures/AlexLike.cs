using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Brink.Models.Architectures;

/// <summary>AlexLike, or AlexLike-S with Swish: the small convolutional network for CIFAR-10 of the paper's authors (Yao et al. 2019). Input [batch, 3, 32, 32], output [batch, classes].</summary>
/// <remarks>
/// Two blocks of a 5×5 convolution, activation, batch normalisation and max-pooling (32 → 16 → 8 pixels), then three linear layers. The names
/// of the state dict are those of the authors' program: <c>conv1</c>, <c>bn1</c>, <c>conv2</c>, <c>bn2</c>, <c>fc1</c>, <c>fc2</c>, <c>fc3</c>.
/// </remarks>
internal sealed class AlexLike : Module<Tensor, Tensor>
{
    private readonly Conv2d _conv1;
    private readonly BatchNorm2d _bn1;
    private readonly Conv2d _conv2;
    private readonly BatchNorm2d _bn2;
    private readonly MaxPool2d _pool;
    private readonly Linear _fc1;
    private readonly Linear _fc2;
    private readonly Linear _fc3;
    private readonly Module<Tensor, Tensor> _activation;

    /// <summary>Creates the network with random weights.</summary>
    /// <param name="activation">The activation: ReLU for AlexLike, Swish (SiLU) for AlexLike-S. The network owns it.</param>
    /// <param name="classCount">The number of classes.</param>
    public AlexLike(Module<Tensor, Tensor> activation, int classCount = 10)
        : base(nameof(AlexLike))
    {
        register_module("conv1", _conv1 = Conv2d(3, 64, 5, padding: 2));
        register_module("bn1", _bn1 = BatchNorm2d(64));
        register_module("conv2", _conv2 = Conv2d(64, 64, 5, padding: 2));
        register_module("bn2", _bn2 = BatchNorm2d(64));
        register_module("pool", _pool = MaxPool2d(3, stride: 2, padding: 1));
        register_module("fc1", _fc1 = Linear(64 * 8 * 8, 384));
        register_module("fc2", _fc2 = Linear(384, 192));
        register_module("fc3", _fc3 = Linear(192, classCount));
        register_module("activation", _activation = activation);
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var features = _pool.forward(_bn1.forward(_activation.call(_conv1.forward(input))));
        features = _pool.forward(_bn2.forward(_activation.call(_conv2.forward(features))));
        features = _activation.call(_fc1.forward(features.flatten(1)));
        features = _activation.call(_fc2.forward(features));
        return _fc3.forward(features).MoveToOuterDisposeScope();
    }
}
