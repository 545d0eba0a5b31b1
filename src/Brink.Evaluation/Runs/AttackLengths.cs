using Brink.Attacks;
using Brink.Data;
using Brink.Evaluation.Catalog;
using static TorchSharp.torch;

namespace Brink.Evaluation.Runs;

/// <summary>Compares the lengths that are asked of attacks with the width of the input space.</summary>
internal static class AttackLengths
{
    // Grey levels, in which the lengths of L∞ attacks are often stated, end at 255.
    private const double LargestGreyLevel = 255;

    // Above the rounding of the norm in double precision.
    private const double Tolerance = 1e-9;

    /// <summary>Checks that every length is below the width of the input space, the norm of the difference between its largest and its smallest values.</summary>
    /// <param name="model">The model in the input space of the attacks.</param>
    /// <param name="images">The images, at least one.</param>
    /// <param name="attacks">The attacks.</param>
    /// <param name="lengths">The lengths at which results are requested, in the norm of the attacks.</param>
    /// <exception cref="BadInputException">A length is at or beyond the width, so that every image is within it, or the preprocessing has another number of channels.</exception>
    public static void Check(OpenedModel model, ImageSet images, IEnumerable<ConfiguredAttack> attacks, IReadOnlyList<double> lengths)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(images);
        foreach (var attack in attacks.Select(configured => configured.Attack))
        {
            var width = Width(model, images, attack.Norm);
            if (attack is IBudgetedAttack { Epsilon: var epsilon } && epsilon >= width * (1 - Tolerance))
            {
                throw TooLong($"The epsilon of {attack.Name}", epsilon, width, attack.Norm, model.Space);
            }

            if (lengths.FirstOrDefault(length => length >= width * (1 - Tolerance), -1) is >= 0 and var found)
            {
                throw TooLong("A length of --at or --require", found, width, attack.Norm, model.Space);
            }
        }
    }

    private static double Width(OpenedModel model, ImageSet images, Norm norm)
    {
        using var scope = NewDisposeScope();
        // Refuses a preprocessing with another number of channels, whose bounds do not fit the images.
        var like = model.FromPixels(zeros([1, images.Channels, images.Height, images.Width], ScalarType.Float64));
        var bounds = model.Classifier.Bounds;
        return norm.Of(bounds.Upper(like).sub(bounds.Lower(like)).expand_as(like)).item<double>();
    }

    private static BadInputException TooLong(string what, double length, double width, Norm norm, InputSpace space) => new(FormattableString.Invariant(
        $"{what} must be below {width:G4}, the {norm.DisplayName} width of the {(space == InputSpace.Pixel ? "space of pixels from 0 to 1" : "normalised input space")}, within which every image lies, but {length} was given; {(length is >= 1 and <= LargestGreyLevel ? $"if grey levels were meant, write {length}/255" : "give a shorter length")}."));
}
