using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>An attack whose adversarial images are 8-bit images, as stored in a PNG file: rounds the perturbations that another attack finds.</summary>
/// <remarks>
/// Perturbations are often smaller than one level per entry and would round to zero. Therefore the perturbation is scaled up: the result is
/// x + round(s·(x′ − x)) with the smallest scale s at which it is fooled. The entries with the largest perturbation are the first to change, which is
/// the best choice in L2. Each scale takes one forward pass. See docs/eight-bit-images.md.
/// </remarks>
public sealed class QuantizedAttack : IAttack
{
    /// <summary>The first scale. A perturbation that ends just beyond the boundary is rarely adversarial at a smaller scale.</summary>
    private const double SmallestScale = 0.9;

    /// <summary>The factor by which the scale grows until the image is fooled. The interval of one factor is then halved <see cref="Halvings"/> times.</summary>
    private const double Growth = 1.1;

    /// <summary>The maximum number of growing scales; the last is 1.1²⁴, about ten, times the first.</summary>
    private const int Scales = 25;

    /// <summary>The number of halvings of the interval between the last scale that failed and the first that succeeded; five determine the scale to 0.3 %.</summary>
    private const int Halvings = 5;

    private readonly IAttack _inner;
    private readonly TargetSelection _target;

    /// <summary>Initializes the attack.</summary>
    /// <param name="inner">The attack whose perturbations are rounded; it must search for the smallest perturbation.</param>
    /// <param name="target">The target selection of <paramref name="inner"/>.</param>
    /// <exception cref="BadInputException">The attack is an <see cref="IBudgetedAttack"/>, whose largest length rounding could exceed.</exception>
    public QuantizedAttack(IAttack inner, TargetSelection target)
    {
        ArgumentNullException.ThrowIfNull(inner);
        _target = target;
        _inner = inner is IBudgetedAttack
            ? throw new BadInputException($"Rounding to 8 bits lengthens perturbations, so it needs an attack that searches for the smallest perturbation, but {inner.Name} with an epsilon was given; remove the epsilon.")
            : inner;
    }

    /// <inheritdoc/>
    public string Name => _inner.Name;

    /// <inheritdoc/>
    public Norm Norm => _inner.Norm;

    /// <inheritdoc/>
    public AttackResult Run(IClassifier classifier, Tensor images, Tensor labels, IReadOnlyList<long>? indices = null, IProgress<AttackProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        AttackInput.Check(classifier, images, labels, indices);
        using var inference = inference_mode(false);
        using var gradients = no_grad();
        using var evaluation = classifier.EnterEvaluation();
        using var scope = NewDisposeScope();
        var grid = new ByteGrid(classifier.Bounds, images);
        if (!grid.ContainsImages())
        {
            throw new BadInputException("A quantized attack needs 8-bit images, whose values are multiples of 1/255 between the bounds, but these images have other values; round them, or attack without quantization.");
        }

        using var found = _inner.Run(classifier, images, labels, indices, progress, cancellationToken);
        var adversarial = images.detach().clone();
        var results = found.Outcomes.ToArray();
        var rows = new ActiveRows(Enumerable.Range(0, results.Length).Where(row => results[row].Fooled), images.device);
        Round(classifier, grid, images.detach(), found.Adversarial, labels, adversarial, results, rows, cancellationToken);
        Confirm(classifier, images.detach(), labels, adversarial, results);
        return new(adversarial.DetachFromDisposeScope(), results);
    }

    /// <summary>Writes the adversarial 8-bit image with the smallest scale to each row of <paramref name="adversarial"/> and counts the passes. Rows without such an image get the exit reason <see cref="AttackExit.Rounded"/>.</summary>
    private void Round(IClassifier classifier, ByteGrid grid, Tensor images, Tensor found, Tensor labels, Tensor adversarial, Outcome[] results, ActiveRows rows, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        var levels = grid.Levels(found) - grid.Levels(images);
        using var half = Scalars.Of(0.5);
        using var smallest = Scalars.Of(SmallestScale);
        // If the largest entry is below half a level, smaller scales round to the original image.
        var first = levels.flatten(1).abs().amax([1]).reciprocal().mul(half).nan_to_num(1, 1).clamp_min(smallest).ToDoubles();
        var high = first.Select(scale => scale * (1 + 1e-6)).ToArray();
        var low = (double[])first.Clone();
        var all = rows.Rows.ToArray();
        for (var number = 0; number < Scales && rows.Count > 0; number++)
        {
            var fooled = Try(rows.Rows, high);
            foreach (var row in rows.Rows.Where((_, position) => !fooled[position]))
            {
                (low[row], high[row]) = (high[row], high[row] * Growth);
            }

            rows.Keep([.. fooled.Select(done => !done)]);
        }

        foreach (var row in rows.Rows)
        {
            results[row] = results[row] with { Exit = AttackExit.Rounded };
        }

        var refined = all.Where(row => results[row].Fooled && low[row] < high[row] * (1 - 1e-3)).ToArray();
        for (var halving = 0; halving < Halvings && refined.Length > 0; halving++)
        {
            var middle = low.Zip(high, (one, other) => Math.Sqrt(one * other)).ToArray();
            var fooled = Try(refined, middle);
            for (var position = 0; position < refined.Length; position++)
            {
                var row = refined[position];
                (fooled[position] ? ref high[row] : ref low[row]) = middle[row];
            }
        }

        // Rounds the given rows at their scales and keeps the images that are fooled.
        bool[] Try(IReadOnlyList<int> tried, double[] scales)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var some = new ActiveRows(tried, images.device);
            var moves = some.Select(levels);
            var factors = tensor(tried.Select(row => scales[row]).ToArray(), dtype: moves.dtype, device: moves.device);
            var points = grid.Move(some.Select(images), moves * PerSample.Broadcast(factors, moves));
            var predictions = ForwardPass.Predict(classifier, points);
            var fooled = Fooled(predictions, some.Select(labels), [.. tried.Select(row => results[row].Target)]);
            for (var position = 0; position < tried.Count; position++)
            {
                var row = tried[position];
                results[row] = results[row] with { Forwards = results[row].Forwards + 1 };
                if (fooled[position])
                {
                    adversarial[row] = points[position];
                }
            }

            return fooled;
        }
    }

    /// <summary>Classifies all 8-bit images in one fresh forward pass, which alone decides about success, and measures their perturbations.</summary>
    private void Confirm(IClassifier classifier, Tensor images, Tensor labels, Tensor adversarial, Outcome[] results)
    {
        var predictions = ForwardPass.Predict(classifier, adversarial);
        var fooled = Fooled(predictions, labels, [.. results.Select(result => result.Target)]);
        foreach (var row in Enumerable.Range(0, results.Length).Where(row => results[row].Fooled && !fooled[row]))
        {
            results[row] = results[row] with { Exit = AttackExit.Unconfirmed };
            adversarial[row] = images[row];
        }

        var after = predictions.ToLongs();
        var lengths = PerturbationLengths.Of(images, adversarial, Norm);
        for (var row = 0; row < results.Length; row++)
        {
            results[row] = results[row] with
            {
                PredictionAfter = results[row].Fooled ? after[row] : results[row].PredictionBefore,
                L2 = lengths.L2[row],
                LInf = lengths.LInf[row],
                Relative = lengths.Relative[row],
            };
        }
    }

    private bool[] Fooled(Tensor predictions, Tensor labels, long[] targets)
    {
        using var scope = NewDisposeScope();
        return _target.Fooled(predictions, labels, tensor(targets, device: labels.device)).ToBools();
    }
}
