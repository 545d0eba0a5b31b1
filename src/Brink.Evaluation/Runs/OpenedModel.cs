using Brink.Models;
using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Evaluation.Runs;

/// <summary>A model opened in an input space, with conversions from pixels to that space and from there to the normalised space.</summary>
public sealed class OpenedModel
{
    private readonly Normalization _normalization;

    /// <summary>Opens a model in an input space.</summary>
    /// <param name="model">The model, which the caller still owns.</param>
    /// <param name="space">The space of the attack.</param>
    public OpenedModel(LoadedModel model, InputSpace space)
    {
        ArgumentNullException.ThrowIfNull(model);
        _normalization = model.Normalization;
        Space = space;
        var inner = new ModuleClassifier(model.Module, model.ClassCount, model.Normalization.Bounds, model.Name);
        Classifier = space == InputSpace.Normalized ? inner : new NormalizedClassifier(inner, model.Normalization);
    }

    /// <summary>The classifier that is attacked. Its input is in <see cref="Space"/>.</summary>
    public IClassifier Classifier { get; }

    /// <summary>The input space of <see cref="Classifier"/>.</summary>
    public InputSpace Space { get; }

    /// <summary>Converts pixels to the input of <see cref="Classifier"/>.</summary>
    /// <param name="pixels">Pixels in [0, 1], shape [batch, channels, height, width].</param>
    /// <returns>The images in <see cref="Space"/>, of the same shape and type.</returns>
    /// <exception cref="BadInputException">The preprocessing of the model has another number of channels.</exception>
    public Tensor FromPixels(Tensor pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        var (given, needed) = (pixels.shape[1], _normalization.Mean.Count);
        if (needed != 1 && needed != given)
        {
            throw new BadInputException($"The preprocessing of {Classifier.Name} has {needed} means and standard deviations, but the images have {given} channels; give one mean and one standard deviation per channel, or images of other channels (--channels).");
        }

        return Space == InputSpace.Normalized ? _normalization.Apply(pixels) : pixels.alias();
    }

    /// <summary>Classifies images.</summary>
    /// <param name="images">Images in <see cref="Space"/>.</param>
    /// <param name="device">The device of the model, or null for the CPU.</param>
    /// <returns>The predicted class of each image; −1 where there is no prediction, because a logit is NaN or positive infinity.</returns>
    /// <exception cref="BadInputException">The model cannot process these images.</exception>
    internal long[] Predict(Tensor images, Device? device = null)
    {
        using var scope = NewDisposeScope();
        return ForwardPass.Predict(Classifier, device is null ? images : images.to(device)).ToLongs();
    }

    /// <summary>Computes the logits of images, without a graph.</summary>
    /// <param name="images">Images in <see cref="Space"/>.</param>
    /// <param name="device">The device of the model, or null for the CPU.</param>
    /// <returns>The logits, shape [batch, classes].</returns>
    /// <exception cref="BadInputException">The model cannot process these images.</exception>
    internal Tensor Logits(Tensor images, Device? device = null) => Scoping.Scoped(() =>
    {
        using var pass = ForwardPass.At(Classifier, device is null ? images : images.to(device), keepGraph: false);
        return pass.Logits.alias();
    });

    /// <summary>Converts the input of <see cref="Classifier"/> to the normalised input of the model, in double precision.</summary>
    /// <param name="images">Images in <see cref="Space"/>.</param>
    /// <returns>The normalised images, float64, of the same shape.</returns>
    public Tensor ToNormalized(Tensor images)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var doubles = images.to(ScalarType.Float64);
        return Space == InputSpace.Normalized ? doubles.alias() : _normalization.Apply(doubles);
    }
}

/// <summary>The space in which an attack moves and clips images and measures lengths.</summary>
public enum InputSpace
{
    /// <summary>The space of pixels in [0, 1].</summary>
    Pixel,

    /// <summary>The normalised input of the model, in which the CIFAR-10 results of Yao et al. (CVPR 2019) are measured.</summary>
    Normalized,
}
