using static TorchSharp.torch;

namespace Brink;

/// <summary>The normalisation of pixels in [0, 1]: (pixel − mean) / standard deviation, per channel.</summary>
public sealed class Normalization
{
    /// <summary>Initializes a normalisation with the given constants.</summary>
    /// <param name="mean">The mean of each channel.</param>
    /// <param name="standardDeviation">The standard deviation of each channel, positive.</param>
    /// <exception cref="ArgumentException">The lengths differ, or a value is not finite or not positive.</exception>
    public Normalization(IReadOnlyList<double> mean, IReadOnlyList<double> standardDeviation)
    {
        ArgumentNullException.ThrowIfNull(mean);
        ArgumentNullException.ThrowIfNull(standardDeviation);
        if (mean.Count == 0 || mean.Count != standardDeviation.Count || !mean.All(double.IsFinite) || !standardDeviation.All(value => double.IsFinite(value) && value > 0))
        {
            throw new ArgumentException("A normalisation needs one finite mean and one positive standard deviation per channel.", nameof(mean));
        }

        (Mean, StandardDeviation) = ([.. mean], [.. standardDeviation]);
    }

    /// <summary>The constants of most CIFAR-10 networks, including those of Yao et al. (2019).</summary>
    public static Normalization Cifar10 { get; } = new([0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.2010]);

    /// <summary>The constants of torchvision's networks for ImageNet.</summary>
    public static Normalization ImageNet { get; } = new([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

    /// <summary>The mean of each channel.</summary>
    public IReadOnlyList<double> Mean { get; }

    /// <summary>The standard deviation of each channel.</summary>
    public IReadOnlyList<double> StandardDeviation { get; }

    /// <summary>The bounds of normalised pixels: (0 − mean) / standard deviation and (1 − mean) / standard deviation of each channel.</summary>
    public Bounds Bounds => Bounds.PerChannel(
        [.. Mean.Zip(StandardDeviation, (mean, deviation) => -mean / deviation)],
        [.. Mean.Zip(StandardDeviation, (mean, deviation) => (1 - mean) / deviation)]);

    /// <summary>Normalises pixels.</summary>
    /// <param name="pixels">The pixels in [0, 1], shape [batch, channels, height, width].</param>
    /// <returns>The normalised images, shape [batch, channels, height, width].</returns>
    public Tensor Apply(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        return pixels.sub(PerChannel(Mean, pixels)).div(PerChannel(StandardDeviation, pixels)).MoveToOuterDisposeScope();
    }

    /// <summary>Converts normalised images back to pixels.</summary>
    /// <param name="images">The normalised images, shape [batch, channels, height, width].</param>
    /// <returns>The pixels, shape [batch, channels, height, width].</returns>
    public Tensor Revert(Tensor images)
    {
        using var scope = NewDisposeScope();
        return images.mul(PerChannel(StandardDeviation, images)).Plus(PerChannel(Mean, images)).MoveToOuterDisposeScope();
    }

    private static Tensor PerChannel(IReadOnlyList<double> values, Tensor like) =>
        tensor(values.ToArray(), dtype: like.dtype, device: like.device).reshape(values.Count, 1, 1);
}
