using static TorchSharp.torch;

namespace Brink;

/// <summary>The usual preprocessing: (pixel − mean) / standard deviation, channel by channel, of pixels in [0, 1].</summary>
public sealed class Normalization
{
    /// <summary>The normalisation with the given constants.</summary>
    /// <param name="mean">The mean of each channel.</param>
    /// <param name="standardDeviation">The standard deviation of each channel, all positive.</param>
    /// <exception cref="ArgumentException">The lengths differ, or a value is not finite or not positive.</exception>
    public Normalization(IReadOnlyList<double> mean, IReadOnlyList<double> standardDeviation)
    {
        ArgumentNullException.ThrowIfNull(mean);
        ArgumentNullException.ThrowIfNull(standardDeviation);
        if (mean.Count == 0 || mean.Count != standardDeviation.Count || !mean.All(double.IsFinite) || !standardDeviation.All(value => double.IsFinite(value) && value > 0))
        {
            throw new ArgumentException("A normalisation needs one finite mean and one positive standard deviation a channel.", nameof(mean));
        }

        (Mean, StandardDeviation) = ([.. mean], [.. standardDeviation]);
    }

    /// <summary>The constants most CIFAR-10 networks were trained with, the trust-region paper's authors' among them.</summary>
    public static Normalization Cifar10 { get; } = new([0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.2010]);

    /// <summary>The constants of torchvision's networks for ImageNet.</summary>
    public static Normalization ImageNet { get; } = new([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

    /// <summary>The mean of each channel.</summary>
    public IReadOnlyList<double> Mean { get; }

    /// <summary>The standard deviation of each channel.</summary>
    public IReadOnlyList<double> StandardDeviation { get; }

    /// <summary>Where pixels in [0, 1] end up: (0 − mean)/std to (1 − mean)/std, channel by channel.</summary>
    public Bounds Bounds => Bounds.PerChannel(
        [.. Mean.Zip(StandardDeviation, (mean, deviation) => -mean / deviation)],
        [.. Mean.Zip(StandardDeviation, (mean, deviation) => (1 - mean) / deviation)]);

    /// <summary>Normalises pixels [batch, channels, height, width].</summary>
    public Tensor Apply(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        return pixels.sub(PerChannel(Mean, pixels)).div(PerChannel(StandardDeviation, pixels)).MoveToOuterDisposeScope();
    }

    /// <summary>Brings normalised images [batch, channels, height, width] back to pixels.</summary>
    public Tensor Revert(Tensor images)
    {
        using var scope = NewDisposeScope();
        return images.mul(PerChannel(StandardDeviation, images)).Plus(PerChannel(Mean, images)).MoveToOuterDisposeScope();
    }

    private static Tensor PerChannel(IReadOnlyList<double> values, Tensor like) =>
        tensor(values.ToArray(), dtype: like.dtype, device: like.device).reshape(values.Count, 1, 1);
}
