namespace Brink.Evaluation.Results;

/// <summary>The worst case over the attacks of a comparison: an image counts as fooled up to a length if any attack fooled it within that length.</summary>
/// <remarks>It is the one result of a comparison to report as robustness, and still an upper bound: another attack can only lower it.</remarks>
internal sealed record WorstCase
{
    /// <summary>The share of the images that are classified correctly before the attacks.</summary>
    public required double AccuracyBefore { get; init; }

    /// <summary>The counts and the 95 % interval of <see cref="AccuracyBefore"/>.</summary>
    public required AccuracyInterval AccuracyBeforeInterval { get; init; }

    /// <summary>The share of the images that are classified correctly after every attack, whatever the length of the perturbation.</summary>
    public required double AccuracyAfter { get; init; }

    /// <summary>The counts and the 95 % interval of <see cref="AccuracyAfter"/>.</summary>
    public required AccuracyInterval AccuracyAfterInterval { get; init; }

    /// <summary>The median of the smallest lengths over the attacked images, those not fooled counted as infinite.</summary>
    /// <value>null if it is infinite, if no image was attacked, or if all attacks are budgeted.</value>
    public required double? MedianLength { get; init; }

    /// <summary>The attacked images on which no minimal attack could work, or no attack if all are budgeted, and which no attack fooled.</summary>
    public required UnattackedImages Unattacked { get; init; }

    /// <summary>Upper bounds of the accuracy at the requested lengths, as far as an attack covers them.</summary>
    public required IReadOnlyList<WorstAccuracy> RobustAccuracy { get; init; }

    /// <summary>The result for each image, in the order of the data set.</summary>
    public required IReadOnlyList<WorstImage> ImageResults { get; init; }

    /// <summary>Computes the worst case.</summary>
    /// <param name="robustness">The attacks.</param>
    /// <param name="lengths">The lengths at which the accuracy is computed.</param>
    public static WorstCase Of(Robustness robustness, IEnumerable<double> lengths)
    {
        var runs = robustness.Attacks;
        var (before, after, median) = (robustness.AccuracyBefore, robustness.AccuracyAfter, robustness.MedianLength);
        return new()
        {
            AccuracyBefore = before.Share,
            AccuracyBeforeInterval = before,
            AccuracyAfter = after.Share,
            AccuracyAfterInterval = after,
            MedianLength = double.IsFinite(median) && runs.Any(run => run.Run.Epsilon is null) ? median : null,
            Unattacked = robustness.UnattackedAt(length: null),
            RobustAccuracy = [.. robustness.AccuraciesAt(lengths).Select(entry => new WorstAccuracy(entry.Epsilon, entry.Accuracy, entry.Interval!, [.. robustness.Counting(entry.Epsilon).Select(attack => attack.Attack)]))],
            ImageResults = [.. runs[0].Images.Select((image, row) => Image(image.Index, row))],
        };

        WorstImage Image(long index, int row)
        {
            var length = robustness.SmallestLength(row);
            return double.IsFinite(length)
                ? new(index, runs[0].Images[row].Attacked, length, robustness.Nearest(row).Attack)
                : new(index, runs[0].Images[row].Attacked, Length: null, Attack: null);
        }
    }
}

/// <summary>The accuracy of the worst case under perturbations up to a length.</summary>
/// <param name="Epsilon">The length, in the norm and the space of the attacks.</param>
/// <param name="Accuracy">The share of all images that no attack fooled within that length and that were classified correctly before.</param>
/// <param name="Interval">The counts and the 95 % interval of the accuracy.</param>
/// <param name="Attacks">The attacks that count at that length: all but budgeted ones with a larger ε.</param>
internal sealed record WorstAccuracy(double Epsilon, double Accuracy, AccuracyInterval Interval, IReadOnlyList<string> Attacks);

/// <summary>The worst case for one image.</summary>
/// <param name="Index">The index of the image in the data set.</param>
/// <param name="Attacked">A value that indicates whether the image was attacked.</param>
/// <param name="Length">The smallest length that fools the image, that of a budgeted attack being its ε, or null if no attack fooled it.</param>
/// <param name="Attack">The attack that found it, or null.</param>
internal sealed record WorstImage(long Index, bool Attacked, double? Length, string? Attack);
