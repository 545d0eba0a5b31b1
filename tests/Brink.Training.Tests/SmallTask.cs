using Brink.Data;
using Brink.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Training.Tests;

/// <summary>A task that is learnt in seconds, namely the brightest of three colours in 3×8×8 noise, with a network whose state is difficult to restore.</summary>
internal static class SmallTask
{
    private const int Side = 8;

    private static readonly string[] Colors = ["red", "green", "blue"];

    public static ImageSet Images(int count, int seed)
    {
        var random = new Random(seed);
        var pixels = new byte[count * 3 * Side * Side];
        random.NextBytes(pixels);
        var labels = Enumerable.Range(0, count).Select(_ => random.NextInt64(3)).ToArray();
        for (var index = 0; index < pixels.Length; index++)
        {
            var (image, channel) = (index / (3 * Side * Side), index / (Side * Side) % 3);
            pixels[index] = (byte)(labels[image] == channel ? 128 + (pixels[index] / 2) : pixels[index] / 2);
        }

        return new("colours", Colors, 3, Side, Side, pixels, labels);
    }

    public static (ImagePool Training, ImagePool HeldOut) Pools(int count = 96, int heldOut = 16) => new ImagePool(Images(count, seed: 1)).Split(seed: 0, heldOut);

    /// <summary>Creates a network with batch normalisation, which has buffers, and dropout, which draws random numbers.</summary>
    public static LoadedModel Network(long seed = 0)
    {
        using var random = new SeededTorch(seed);
        var module = nn.Sequential(
            ("conv", nn.Conv2d(3, 6, 3, padding: 1)),
            ("bn", nn.BatchNorm2d(6)),
            ("swish", nn.SiLU()),
            ("flatten", nn.Flatten()),
            ("dropout", nn.Dropout(0.2)),
            ("fc", nn.Linear(6 * Side * Side, 3)));
        return new("small", module, 3, new Normalization([0.5, 0.5, 0.5], [0.25, 0.25, 0.25]));
    }

    /// <summary>Creates a network without batch normalisation and dropout, in double precision, whose loss is a smooth function of its weights.</summary>
    public static LoadedModel SmoothNetwork(long seed = 0)
    {
        using var random = new SeededTorch(seed);
        var module = nn.Sequential(
            ("flatten", nn.Flatten()),
            ("fc1", nn.Linear(3 * Side * Side, 4)),
            ("swish", nn.SiLU()),
            ("fc2", nn.Linear(4, 3))).to(ScalarType.Float64);
        return new("smooth", module, 3, new Normalization([0.5, 0.5, 0.5], [0.25, 0.25, 0.25]));
    }

    public static NormalizedClassifier Classifier(LoadedModel model) => new(new ModuleClassifier(model.Module, model.ClassCount, model.Normalization.Bounds), model.Normalization);

    public static TrainingOptions Options { get; } = new() { Epochs = 3, BatchSize = 16, LearningRate = 0.05, Augmentation = new(1, Flip: true), LabelSmoothing = 0.1, Seed = 7 };

    /// <summary>Returns all parameters and buffers as bytes.</summary>
    public static Dictionary<string, byte[]> Weights(LoadedModel model)
    {
        using var scope = NewDisposeScope();
        return model.Module.state_dict().ToDictionary(tensor => tensor.Key, tensor => tensor.Value.detach().contiguous().bytes.ToArray(), StringComparer.Ordinal);
    }
}
