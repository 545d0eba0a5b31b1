using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Brink.Models.Architectures;

/// <summary>AlexNet in torchvision's form (Krizhevsky 2014, "One weird trick", figure 1 in one column). Input [batch, 3, 224, 224], output [batch, classes].</summary>
/// <remarks>The names of the state dict are torchvision's: <c>features.0</c> to <c>features.10</c>, <c>classifier.1</c>, <c>classifier.4</c>, <c>classifier.6</c>.</remarks>
internal sealed class AlexNet : Module<Tensor, Tensor>
{
    private readonly Sequential _features;
    private readonly AdaptiveAvgPool2d _avgpool;
    private readonly Sequential _classifier;

    /// <summary>Creates the network with random weights.</summary>
    /// <param name="activation">A factory of the activation after each layer except the last: ReLU, or Swish (SiLU) for AlexNet-Swish (Yao et al. 2019, §4).</param>
    /// <param name="classCount">The number of classes.</param>
    public AlexNet(Func<Module<Tensor, Tensor>> activation, int classCount = 1000)
        : base(nameof(AlexNet))
    {
        ArgumentNullException.ThrowIfNull(activation);
        register_module("features", _features = Sequential(
            Conv2d(3, 64, 11, stride: 4, padding: 2),
            activation(),
            MaxPool2d(3, stride: 2),
            Conv2d(64, 192, 5, padding: 2),
            activation(),
            MaxPool2d(3, stride: 2),
            Conv2d(192, 384, 3, padding: 1),
            activation(),
            Conv2d(384, 256, 3, padding: 1),
            activation(),
            Conv2d(256, 256, 3, padding: 1),
            activation(),
            MaxPool2d(3, stride: 2)));
        register_module("avgpool", _avgpool = AdaptiveAvgPool2d([6, 6]));
        register_module("classifier", _classifier = Sequential(
            Dropout(),
            Linear(256 * 6 * 6, 4096),
            activation(),
            Dropout(),
            Linear(4096, 4096),
            activation(),
            Linear(4096, classCount)));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return _classifier.forward(_avgpool.forward(_features.forward(input)).flatten(1)).MoveToOuterDisposeScope();
    }
}
