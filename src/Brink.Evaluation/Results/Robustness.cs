using Brink.Attacks;
using Brink.Evaluation.Catalog;

namespace Brink.Evaluation.Results;

/// <summary>The robustness that one or several attacks on the same images measured: for each image the shortest perturbation found by any of them.</summary>
/// <remarks>
/// All values are upper bounds, since another attack may find shorter perturbations. A budgeted attack tried perturbations up to its ε only, so it
/// counts for lengths of at least ε, and its perturbations count with the length ε.
/// </remarks>
internal sealed class Robustness
{
    private readonly LengthTolerance _tolerance;

    /// <summary>Combines attacks on the same images, in one norm and space.</summary>
    /// <param name="attacks">The attacks, at least one.</param>
    public Robustness(IReadOnlyList<ComparedRun> attacks)
    {
        ArgumentNullException.ThrowIfNull(attacks);
        (Attacks, _tolerance) = (attacks, attacks[0].Run.Tolerance);
    }

    /// <summary>The attacks.</summary>
    public IReadOnlyList<ComparedRun> Attacks { get; }

    /// <summary>The norm of the lengths: <c>l2</c>, <c>linf</c> or <c>l1</c>.</summary>
    public string Norm => Attacks[0].Run.Norm;

    /// <summary>The number of attacked images.</summary>
    public int Attacked => Rows.Count(IsAttacked);

    /// <summary>The accuracy before the attacks.</summary>
    public AccuracyInterval AccuracyBefore => new(Rows.Count(IsCorrect), Images);

    /// <summary>The accuracy after all attacks, whatever the length of their perturbations.</summary>
    public AccuracyInterval AccuracyAfter => new(Rows.Count(row => IsCorrect(row) && !Attacks.Any(attack => attack.Images[row].Fooled)), Images);

    /// <summary>The median of <see cref="SmallestLength"/> over the attacked images, those not fooled counted as infinite. It is NaN if no image was attacked.</summary>
    public double MedianLength => Rows.Where(IsAttacked).Select(SmallestLength).Order().ToArray() is { Length: > 0 } lengths ? Distribution.MedianOf(lengths) : double.NaN;

    private int Images => Attacks[0].Images.Count;

    private IEnumerable<int> Rows => Enumerable.Range(0, Images);

    /// <summary>Computes the robustness from the images of one run.</summary>
    /// <param name="run">The description of the run.</param>
    /// <param name="images">The images.</param>
    /// <returns>The robustness.</returns>
    public static Robustness Of(RunDescription run, IEnumerable<EvaluatedImage> images) =>
        new([new(run.Attack, Folder: "", run, [.. images.Select(image => ComparedImage.Of(image, run.Norm))], Seconds: 0)]);

    /// <summary>Returns the length of the shortest perturbation that fools an image; infinite if no attack fooled it.</summary>
    /// <param name="row">The row of the image.</param>
    public double SmallestLength(int row) => Attacks.Min(attack => attack.SmallestLength(row));

    /// <summary>Returns the attack that found the shortest perturbation of an image, the first of several.</summary>
    /// <param name="row">The row of the image.</param>
    public ComparedRun Nearest(int row) => Attacks.MinBy(attack => attack.SmallestLength(row))!;

    /// <summary>Computes the share of all images that are still classified correctly after every perturbation found up to a length.</summary>
    /// <param name="length">The length, in the norm and the space of the attacks.</param>
    /// <returns>The accuracy.</returns>
    public AccuracyInterval AccuracyAt(double length)
    {
        var counting = Counting(length).ToArray();
        return new(Rows.Count(row => IsCorrect(row) && !Array.Exists(counting, attack => attack.Images[row].Fooled && _tolerance.IsAtMost(attack.SmallestLength(row), length))), Images);
    }

    /// <summary>Computes the accuracies at several lengths. Lengths that no attack covers are left out.</summary>
    /// <param name="lengths">The lengths, in any order.</param>
    /// <returns>One accuracy per distinct length, the shortest first.</returns>
    public IReadOnlyList<RobustAccuracy> AccuraciesAt(IEnumerable<double> lengths) =>
        [.. lengths.Distinct().Order().Where(length => Counting(length).Any()).Select(length => (length, accuracy: AccuracyAt(length)))
            .Select(entry => new RobustAccuracy(entry.length, entry.accuracy.Share, entry.accuracy))];

    /// <summary>Returns the attacks that cover perturbations up to a length: all but the budgeted ones with a larger ε.</summary>
    /// <param name="length">The length.</param>
    public IEnumerable<ComparedRun> Counting(double length) => Attacks.Where(attack => attack.Run.Covers(length));

    /// <summary>Counts the attacked images on which no attack that covers a length could work.</summary>
    /// <remarks>
    /// An image that withstands a budgeted attack was tried up to its ε only. Beside minimal attacks, which should have found any length, it counts as
    /// tried at that length alone; budgeted attacks by themselves are judged by what they tried.
    /// </remarks>
    /// <param name="length">The length, or null for the minimal attacks, whatever their lengths.</param>
    /// <returns>The counts by exit reason, that of the first attack.</returns>
    public UnattackedImages UnattackedAt(double? length)
    {
        var minimal = Attacks.Where(attack => attack.Run.Epsilon is null).ToArray();
        var budgeted = Attacks.Where(attack => attack.Run.Epsilon is not null && (minimal.Length == 0 || (length is { } most && attack.Run.Covers(most))));
        ComparedRun[] counting = [.. minimal, .. budgeted];
        bool CouldWork(ComparedRun attack, int row) => !attack.CouldNotWork(row)
            && (minimal.Length == 0 || attack.Run.Epsilon is not { } epsilon || attack.Images[row].Exit != AttackExit.IterationLimit || _tolerance.IsAtMost(length!.Value, epsilon));
        bool IsUnattacked(int row) => IsAttacked(row)
            && !(length is null && double.IsFinite(SmallestLength(row)))
            && !Array.Exists(counting, attack => CouldWork(attack, row));

        var exits = Rows.Where(IsUnattacked).CountBy(row => counting[0].Images[row].Exit).ToDictionary();
        return new(exits.GetValueOrDefault(AttackExit.ZeroGradient), exits.GetValueOrDefault(AttackExit.NotFinite), exits.GetValueOrDefault(AttackExit.IterationLimit), exits.GetValueOrDefault(AttackExit.PassLimit));
    }

    /// <summary>Compares a length with a threshold, with the tolerance of lengths.</summary>
    /// <param name="length">The length.</param>
    /// <param name="least">The threshold.</param>
    /// <param name="orEqual">True if a length equal to the threshold reaches it.</param>
    public bool Reaches(double length, double least, bool orEqual) => orEqual ? _tolerance.IsAtMost(least, length) : !_tolerance.IsAtMost(length, least);

    private bool IsCorrect(int row) => Attacks.All(attack => attack.Images[row].Exit != AttackExit.Misclassified);

    private bool IsAttacked(int row) => Attacks.All(attack => attack.Images[row].Attacked);
}

/// <summary>Compares lengths of perturbations with a tolerance: the entries of adversarial images are rounded to float32, and so are their lengths.</summary>
/// <param name="largest">The largest absolute value of an entry of an image, in the space of the lengths.</param>
internal sealed class LengthTolerance(double largest)
{
    // Many times the relative rounding error of a sum in float32, and far below any difference that matters.
    private const double Relative = 1e-5;

    // One unit in the last place: the error of the difference of two rounded entries.
    private readonly double _absolute = MathF.BitIncrement((float)largest) - (float)largest;

    /// <summary>Creates the tolerance of a space.</summary>
    /// <param name="space">The space: <c>pixel</c> or <c>normalized</c>.</param>
    /// <param name="options">The settings of the run, with <c>mean</c> and <c>std</c>, which determine the bounds of the normalised space.</param>
    /// <returns>The tolerance.</returns>
    public static LengthTolerance Of(string space, IReadOnlyDictionary<string, object> options) => new(
        space == "normalized" && AttackSettings.Numbers(options, "mean") is { Length: > 0 } mean && AttackSettings.Numbers(options, "std") is { } deviation && deviation.Length == mean.Length
            ? mean.Zip(deviation, (middle, spread) => Math.Max(Math.Abs(middle), Math.Abs(1 - middle)) / spread).Max()
            : 1);

    /// <summary>Determines whether a length is at most another, up to rounding.</summary>
    /// <param name="length">The length.</param>
    /// <param name="most">The length that it is compared with.</param>
    /// <returns>True if the length is at most the other or equal to it up to rounding.</returns>
    public bool IsAtMost(double length, double most) => length <= (most * (1 + Relative)) + _absolute;
}

/// <summary>The counts of an accuracy and its 95 % interval.</summary>
/// <remarks>Wilson (1927), "Probable inference, the law of succession, and statistical inference": the interval of the accuracy on all images of which these are a random sample.</remarks>
/// <param name="Correct">The number of images that are classified correctly.</param>
/// <param name="Images">The number of images.</param>
public sealed record AccuracyInterval(int Correct, int Images)
{
    // The 97.5 % quantile of the normal distribution, so that 2.5 % lie on each side of the interval.
    private const double Quantile = 1.959963984540054;

    /// <summary>The lower end of the interval, between 0 and 1; 0 without images.</summary>
    public double Lower => Correct == 0 ? 0 : Middle - HalfWidth;

    /// <summary>The upper end of the interval, between 0 and 1; 1 without images.</summary>
    public double Upper => Correct == Images ? 1 : Middle + HalfWidth;

    /// <summary>The share of the images that are classified correctly; 0 without images.</summary>
    internal double Share => Images == 0 ? 0 : (double)Correct / Images;

    private double Middle => (Correct + (Quantile * Quantile / 2)) / (Images + (Quantile * Quantile));

    private double HalfWidth => Quantile * Math.Sqrt((Share * (1 - Share) * Images) + (Quantile * Quantile / 4)) / (Images + (Quantile * Quantile));

    /// <summary>Restores the counts of an accuracy.</summary>
    /// <param name="accuracy">The accuracy, between 0 and 1.</param>
    /// <param name="images">The number of images.</param>
    /// <returns>The counts.</returns>
    internal static AccuracyInterval Of(double accuracy, int images) => new((int)Math.Round(accuracy * images), images);
}

/// <summary>The numbers of attacked images on which the attack could not work, by exit reason. Nothing is known about their robustness.</summary>
/// <param name="ZeroGradient">The number of images with the exit <see cref="AttackExit.ZeroGradient"/>.</param>
/// <param name="NotFinite">The number of images with the exit <see cref="AttackExit.NotFinite"/>.</param>
/// <param name="IterationLimit">The number of images with the exit <see cref="AttackExit.IterationLimit"/>; 0 for a budgeted attack, which such images withstood.</param>
/// <param name="PassLimit">The number of images with the exit <see cref="AttackExit.PassLimit"/>.</param>
public sealed record UnattackedImages(int ZeroGradient, int NotFinite, int IterationLimit, int PassLimit = 0)
{
    // Of the attacked images. A larger share of unattacked images changes an accuracy by more than most comparisons of models.
    private const double Most = 0.05;

    /// <summary>The number of images on which the attack could not work.</summary>
    public int Total => ZeroGradient + NotFinite + IterationLimit + PassLimit;

    /// <summary>The counts by exit reason as text: "14 zero-gradient, 2 not-finite".</summary>
    internal string Counts => string.Join(", ", Reasons.Select(reason => FormattableString.Invariant($"{reason.Count} {reason.Name}")));

    /// <summary>The advice for the exit reasons that occur.</summary>
    internal string Advice => string.Join("; ", Reasons.Select(reason => reason.Advice));

    private IEnumerable<(int Count, string Name, string Advice)> Reasons => new[]
    {
        (ZeroGradient, "zero-gradient", "where the gradient is zero, return logits instead of saturated or rounded outputs, or attack a smooth substitute and use brink transfer"),
        (NotFinite, "not-finite", "where a logit or a gradient is not finite, correct the operation in the model that overflows or has no derivative"),
        (IterationLimit, "iteration-limit", "at the iteration limit, allow more iterations"),
        (PassLimit, "pass-limit", "at the limit of passes, allow more passes"),
    }.Where(reason => reason.Item1 > 0);

    /// <summary>Determines whether there are so many that an accuracy is not to be trusted.</summary>
    /// <param name="attacked">The number of attacked images.</param>
    internal bool AreTooMany(int attacked) => Total > Most * attacked;
}

/// <summary>An upper bound of the accuracy under perturbations up to a length. A better attack can only lower it.</summary>
/// <param name="Epsilon">The length, in the norm and the space of the attack.</param>
/// <param name="Accuracy">The share of all images that no perturbation up to that length fooled and that were classified correctly before.</param>
/// <param name="Interval">The counts and the 95 % interval of the accuracy; null in runs of older versions.</param>
public sealed record RobustAccuracy(double Epsilon, double Accuracy, AccuracyInterval? Interval = null);
