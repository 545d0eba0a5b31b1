using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>An attack whose adversarial images are 8-bit images, as stored in a PNG file: rounds the perturbations that another attack finds.</summary>
/// <remarks>
/// Perturbations are often smaller than one level per entry and would round to zero. Therefore the perturbation is scaled up: the result is
/// x + round(s·(x′ − x)) with the smallest scale s at which it is fooled. The entries with the largest perturbation are the first to change, which is
/// the best choice in L2. Each scale takes one forward pass. See docs/eight-bit-images.md.
/// </remarks>
public sealed class QuantizedAttack : IAttack, IStartsFromImages
{
    /// <summary>The number of passes that are kept for the rounding if the passes of an image are limited, at most half of them. Without any, the passes of the attack would be of no use.</summary>
    /// <remarks>On the embedded signs the rounding takes 8.3 passes per image in L2 and 5.7 in L∞ (docs/eight-bit-images.md).</remarks>
    private const int RoundingPasses = 10;

    /// <summary>Initializes the attack.</summary>
    /// <param name="inner">The attack whose perturbations are rounded; it must search for the smallest perturbation.</param>
    /// <exception cref="BadInputException">The attack is an <see cref="IBudgetedAttack"/>, whose largest length rounding could exceed.</exception>
    public QuantizedAttack(IAttack inner)
    {
        ArgumentNullException.ThrowIfNull(inner);
        Inner = inner is IBudgetedAttack
            ? throw new BadInputException($"Rounding to 8 bits lengthens perturbations, so it needs an attack that searches for the smallest perturbation, but {inner.Name} with an epsilon was given; remove the epsilon.")
            : inner;
    }

    /// <summary>The attack whose perturbations are rounded.</summary>
    internal IAttack Inner { get; }

    /// <inheritdoc/>
    public string Name => Inner.Name;

    /// <inheritdoc/>
    public Norm Norm => Inner.Norm;

    /// <inheritdoc/>
    bool IStartsFromImages.NeedsImages => Inner is IStartsFromImages { NeedsImages: true };

    /// <inheritdoc/>
    IAttack IStartsFromImages.StartingFrom(StartingImages images) => new QuantizedAttack(((IStartsFromImages)Inner).StartingFrom(images));

    /// <inheritdoc/>
    public AttackResult Run(IClassifier classifier, Tensor images, Tensor labels, Criterion? criterion = null, IReadOnlyList<long>? indices = null, int? maxPasses = null, IProgress<AttackProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        criterion ??= Criterion.Misclassification;
        AttackInput.Check(classifier, images, labels, indices, maxPasses);
        indices ??= [.. Enumerable.Range(0, (int)images.shape[0]).Select(row => (long)row)];
        using var inference = inference_mode(false);
        using var gradients = no_grad();
        using var evaluation = classifier.EnterEvaluation();
        using var scope = NewDisposeScope();
        var grid = new ByteGrid(classifier.Bounds, images);
        if (!grid.ContainsImages())
        {
            throw new BadInputException("A quantized attack needs 8-bit images, whose values are multiples of 1/255 between the bounds, but these images have other values; round them, or attack without quantization.");
        }

        var innerPasses = maxPasses is { } most ? most - Math.Min(most / 2, RoundingPasses) : maxPasses;
        using var found = Inner.Run(classifier, images, labels, criterion, indices, innerPasses, progress, cancellationToken);
        var ending = new QuantizedEnding(classifier, criterion, grid, images.detach(), labels, tensor(indices.ToArray(), device: labels.device), [.. found.Outcomes]);
        ending.Round(found.Adversarial, maxPasses, cancellationToken);
        ending.Confirm(Norm);
        return new(ending.Adversarial.DetachFromDisposeScope(), ending.Outcomes);
    }
}

/// <summary>The rounding of adversarial images to 8-bit images.</summary>
/// <param name="classifier">The classifier.</param>
/// <param name="criterion">The criterion of success.</param>
/// <param name="grid">The values of 8-bit images.</param>
/// <param name="images">The images x, shape [batch, …].</param>
/// <param name="labels">The labels y, int64, shape [batch].</param>
/// <param name="indices">The index of each image in its data set, int64, shape [batch].</param>
/// <param name="outcomes">The outcomes before rounding; they are replaced by those after it.</param>
internal sealed class QuantizedEnding(IClassifier classifier, Criterion criterion, ByteGrid grid, Tensor images, Tensor labels, Tensor indices, Outcome[] outcomes)
{
    /// <summary>The first scale. A perturbation that ends just beyond the boundary is rarely adversarial at a smaller scale.</summary>
    private const double SmallestScale = 0.9;

    /// <summary>The factor by which the scale grows until the image is fooled. The interval of one factor is then halved <see cref="Halvings"/> times.</summary>
    private const double Growth = 1.1;

    /// <summary>The maximum number of growing scales; the last is 1.1²⁴, about ten, times the first.</summary>
    private const int Scales = 25;

    /// <summary>The number of halvings of the interval between the last scale that failed and the first that succeeded; five determine the scale to 0.3 %.</summary>
    private const int Halvings = 5;

    /// <summary>The 8-bit images, shape [batch, …]; the original image where none is fooled.</summary>
    public Tensor Adversarial { get; } = images.clone();

    /// <summary>The outcome of each image.</summary>
    public IReadOnlyList<Outcome> Outcomes => outcomes;

    /// <summary>Finds the adversarial 8-bit image with the smallest scale of each fooled image and counts the passes. Images without one get the exit reason <see cref="AttackExit.Rounded"/>, or <see cref="AttackExit.PassLimit"/> if their passes were too few.</summary>
    /// <param name="found">The adversarial images x′ before rounding, shape [batch, …].</param>
    /// <param name="maxPasses">The maximum number of passes per image, those of the attack included; null for no limit.</param>
    /// <param name="cancellationToken">A token that stops before the next pass.</param>
    public void Round(Tensor found, int? maxPasses, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        var levels = grid.Levels(found) - grid.Levels(images);
        using var smallest = Scalars.Of(SmallestScale);
        // If the largest entry is below half a level, smaller scales round to the original image.
        var first = levels.flatten(1).abs().amax([1]).reciprocal().Times(0.5).nan_to_num(1, 1).clamp_min(smallest).ToDoubles();
        var high = first.Select(scale => scale * (1 + 1e-6)).ToArray();
        var low = (double[])first.Clone();
        int[] all = [.. Enumerable.Range(0, outcomes.Length).Where(row => outcomes[row].Fooled)];
        var open = all;
        for (var number = 0; number < Scales && open.Length > 0; number++)
        {
            foreach (var row in open.Where(row => !HasPass(row)))
            {
                outcomes[row] = outcomes[row] with { Exit = AttackExit.PassLimit };
            }

            open = [.. open.Where(HasPass)];
            var fooled = Try(open, high);
            open = [.. open.Where((_, position) => !fooled[position])];
            foreach (var row in open)
            {
                (low[row], high[row]) = (high[row], high[row] * Growth);
            }
        }

        foreach (var row in open)
        {
            outcomes[row] = outcomes[row] with { Exit = AttackExit.Rounded };
        }

        int[] refined = [.. all.Where(row => outcomes[row].Fooled && low[row] < high[row] * (1 - 1e-3))];
        for (var halving = 0; halving < Halvings && refined.Length > 0; halving++)
        {
            refined = [.. refined.Where(HasPass)];
            var middle = low.Zip(high, (one, other) => Math.Sqrt(one * other)).ToArray();
            var fooled = Try(refined, middle);
            for (var position = 0; position < refined.Length; position++)
            {
                var row = refined[position];
                (fooled[position] ? ref high[row] : ref low[row]) = middle[row];
            }
        }

        bool HasPass(int row) => maxPasses is not { } most || outcomes[row].Forwards + outcomes[row].Backwards < most;

        // Rounds the given rows at their scales and keeps the images that are fooled.
        bool[] Try(int[] tried, double[] scales)
        {
            if (tried.Length == 0)
            {
                return [];
            }

            cancellationToken.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var rows = tensor(Array.ConvertAll(tried, row => (long)row), device: images.device);
            var factors = tensor(Array.ConvertAll(tried, row => scales[row]), dtype: levels.dtype, device: levels.device);
            var points = grid.Move(images.index_select(0, rows), levels.index_select(0, rows).Times(factors));
            using var pass = ForwardPass.At(classifier, points, keepGraph: false);
            var fooled = criterion.IsMet(pass.Logits, labels.index_select(0, rows), indices.index_select(0, rows)).ToBools();
            for (var position = 0; position < tried.Length; position++)
            {
                var row = tried[position];
                outcomes[row] = outcomes[row] with { Forwards = outcomes[row].Forwards + 1 };
                if (fooled[position])
                {
                    Adversarial[row] = points[position];
                }
            }

            return fooled;
        }
    }

    /// <summary>Classifies all 8-bit images in one fresh forward pass, which alone decides about success, and measures their perturbations.</summary>
    /// <param name="norm">The norm of the attack.</param>
    public void Confirm(Norm norm)
    {
        using var scope = NewDisposeScope();
        using var pass = ForwardPass.At(classifier, Adversarial, keepGraph: false);
        var (fooled, predictions) = (criterion.IsMet(pass.Logits, labels, indices).ToBools(), pass.Predictions().ToLongs());
        foreach (var row in Enumerable.Range(0, outcomes.Length).Where(row => outcomes[row].Fooled && !fooled[row]))
        {
            outcomes[row] = outcomes[row] with { Exit = AttackExit.Unconfirmed };
            Adversarial[row] = images[row];
        }

        var lengths = PerturbationLengths.Of(images, Adversarial, norm);
        for (var row = 0; row < outcomes.Length; row++)
        {
            outcomes[row] = outcomes[row] with
            {
                PredictionAfter = outcomes[row].Fooled ? predictions[row] : outcomes[row].PredictionBefore,
                L2 = lengths.L2[row],
                LInf = lengths.LInf[row],
                L1 = lengths.L1[row],
                Relative = lengths.Relative[row],
            };
        }
    }
}
