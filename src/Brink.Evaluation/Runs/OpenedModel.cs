using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Evaluation.Runs;

/// <summary>A network opened in one input space, and the ways between that space and the others.</summary>
public sealed class OpenedModel
{
    private readonly Normalization _normalization;

    /// <summary>Opens a network.</summary>
    /// <param name="model">The network; stays the caller's.</param>
    /// <param name="space">The space in which it is attacked.</param>
    public OpenedModel(LoadedModel model, InputSpace space)
    {
        ArgumentNullException.ThrowIfNull(model);
        _normalization = model.Normalization;
        Space = space;
        var inner = new ModuleClassifier(model.Module, model.ClassCount, model.Normalization.Bounds, model.Name);
        Classifier = space == InputSpace.Normalized ? inner : new NormalizedClassifier(inner, model.Normalization);
    }

    /// <summary>The classifier that attacks see.</summary>
    public IClassifier Classifier { get; }

    /// <summary>The space of its input.</summary>
    public InputSpace Space { get; }

    /// <summary>Pixels in [0, 1] as input of <see cref="Classifier"/>.</summary>
    /// <exception cref="BadInputException">The network's preprocessing is for another number of channels.</exception>
    public Tensor FromPixels(Tensor pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        var (given, needed) = (pixels.shape[1], _normalization.Mean.Count);
        if (needed != 1 && needed != given)
        {
            throw new BadInputException($"The preprocessing of {Classifier.Name} has {needed} means and standard deviations, but the images have {given} channels; give one of each a channel.");
        }

        return Space == InputSpace.Normalized ? _normalization.Apply(pixels) : pixels.alias();
    }

    /// <summary>Input of <see cref="Classifier"/> after the network's normalisation, in double precision.</summary>
    public Tensor ToNormalized(Tensor images)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var doubles = images.to(ScalarType.Float64);
        return Space == InputSpace.Normalized ? doubles.alias() : _normalization.Apply(doubles);
    }
}
