using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>Checks of the images and labels that are given to an attack.</summary>
internal static class AttackInput
{
    /// <summary>Checks the shapes, types and values of a batch.</summary>
    /// <param name="classifier">The classifier to attack.</param>
    /// <param name="images">The images.</param>
    /// <param name="labels">The labels.</param>
    /// <param name="indices">The index of each image in its data set; null for none.</param>
    /// <param name="maxPasses">The maximum number of passes per image; null for no limit.</param>
    /// <exception cref="BadInputException">The batch cannot be attacked.</exception>
    public static void Check(IClassifier classifier, Tensor images, Tensor labels, IReadOnlyList<long>? indices, int? maxPasses)
    {
        ArgumentNullException.ThrowIfNull(classifier);
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(labels);
        using var scope = NewDisposeScope();
        SettingCheck.AtLeastOne("passes per image", maxPasses ?? 1);
        if (images.dtype is not (ScalarType.Float32 or ScalarType.Float64) || images.dim() < 2)
        {
            throw new BadInputException($"Images must be float32 or float64 of shape [batch, …], but these are {images.dtype} of shape [{string.Join(", ", images.shape)}].");
        }

        if (labels.dtype != ScalarType.Int64 || labels.dim() != 1 || labels.shape[0] != images.shape[0])
        {
            throw new BadInputException($"Labels must be int64 of shape [{images.shape[0]}], one per image, but these are {labels.dtype} of shape [{string.Join(", ", labels.shape)}].");
        }

        if (images.numel() == 0)
        {
            throw new BadInputException($"An attack needs at least one image, but the images have shape [{string.Join(", ", images.shape)}].");
        }

        if (!classifier.Bounds.Fit(images.shape))
        {
            throw new BadInputException($"The bounds of {classifier.Name}, {classifier.Bounds}, do not fit images of shape [{string.Join(", ", images.shape)}].");
        }

        if (indices is not null && indices.Count != images.shape[0])
        {
            throw new BadInputException($"There must be one index per image, {images.shape[0]} in total, but {indices.Count} were given.");
        }

        var finite = PerSample.IsFinite(images);
        if (!finite.AreAllSet())
        {
            throw new BadInputException($"Images must contain finite numbers only, but image {FirstFalse(finite)} of the batch contains NaN or infinity.");
        }

        // Images that were normalised in another precision than the bounds may differ from them in the last digit.
        var inside = classifier.Bounds.Contain(images, slack: 1e-5);
        if (!inside.AreAllSet())
        {
            throw new BadInputException(FormattableString.Invariant($"Images must lie within the bounds of {classifier.Name}, {classifier.Bounds}, but image {FirstFalse(inside)} of the batch does not (the values of the batch lie between {images.min().ToNumber():G4} and {images.max().ToNumber():G4}); {(LookLikeBytes(classifier, images) ? "these look like bytes: divide them by 255" : "scale the images, or give the classifier the bounds of its input")}."));
        }

        using var classCount = Scalars.Of(classifier.ClassCount);
        var known = labels.ge(Scalars.Zero).logical_and(labels.lt(classCount));
        if (!known.AreAllSet())
        {
            var image = FirstFalse(known);
            throw new BadInputException($"Labels must be classes of {classifier.Name}, 0 to {classifier.ClassCount - 1}, but image {image} of the batch has label {labels.ToLongs()[image]}.");
        }
    }

    /// <summary>Determines whether the values of the images look like bytes, 0 to 255, although the bounds end at 1.</summary>
    private static bool LookLikeBytes(IClassifier classifier, Tensor images)
    {
        using var scope = NewDisposeScope();
        using var largestByte = Scalars.Of(255);
        return classifier.Bounds.Upper(images).max().ToNumber() <= 1 && images.ge(Scalars.Zero).logical_and(images.le(largestByte)).AreAllSet() && images.max().ToNumber() > 16;
    }

    private static long FirstFalse(Tensor flags) => Array.IndexOf(flags.ToBools(), false);
}
