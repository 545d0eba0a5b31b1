using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Brink.Models.Architectures;

/// <summary>VGG-16 (Simonyan and Zisserman 2015, configuration D) in torchvision's form. Input [batch, 3, 224, 224], output [batch, classes].</summary>
/// <remarks>
/// The names of the state dict are torchvision's: <c>features.0</c> to <c>features.28</c>, with batch normalisation to <c>features.41</c>;
/// <c>classifier.0</c>, <c>classifier.3</c>, <c>classifier.6</c>.
/// </remarks>
internal sealed class Vgg16 : Module<Tensor, Tensor>
{
    // The channels of the 3×3 convolutions between two max-poolings (Simonyan and Zisserman 2015, table 1, column D).
    private static readonly long[][] Stages = [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]];

    private readonly Sequential _features;
    private readonly AdaptiveAvgPool2d _avgpool;
    private readonly Sequential _classifier;

    /// <summary>Creates the network with random weights.</summary>
    /// <param name="batchNormalization">Whether to add batch normalisation (Ioffe and Szegedy 2015) after each convolution, as in torchvision's <c>vgg16_bn</c>.</param>
    /// <param name="classCount">The number of classes.</param>
    public Vgg16(bool batchNormalization = false, int classCount = 1000)
        : base(nameof(Vgg16))
    {
        register_module("features", _features = Sequential(Layers(batchNormalization)));
        register_module("avgpool", _avgpool = AdaptiveAvgPool2d([7, 7]));
        register_module("classifier", _classifier = Sequential(
            Linear(512 * 7 * 7, 4096),
            ReLU(),
            Dropout(),
            Linear(4096, 4096),
            ReLU(),
            Dropout(),
            Linear(4096, classCount)));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return _classifier.forward(_avgpool.forward(_features.forward(input)).flatten(1)).MoveToOuterDisposeScope();
    }

    private static IEnumerable<Module<Tensor, Tensor>> Layers(bool batchNormalization)
    {
        var inputChannels = 3L;
        foreach (var stage in Stages)
        {
            foreach (var channels in stage)
            {
                yield return Conv2d(inputChannels, channels, 3, padding: 1);
                if (batchNormalization)
                {
                    yield return BatchNorm2d(channels);
                }

                yield return ReLU();
                inputChannels = channels;
            }

            yield return MaxPool2d(2, stride: 2);
        }
    }
}
