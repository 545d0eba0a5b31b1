using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>An attack that ends on 8-bit images, as a camera or a PNG file would hold them, and that fool as such.</summary>
/// <remarks>
/// What rounds to nothing fools nobody, and perturbations are often shorter than a level an entry. So the perturbation found is rounded at
/// growing scales s: the smallest at which x + round(s·(x′ − x)) fools is the answer. The largest entries move first, which is what serves most in L2.
/// Each scale takes a forward pass.
/// </remarks>
public sealed class QuantizedAttack : IAttack
{
    /// <summary>Below this scale a perturbation that just reaches the boundary has nothing left that could fool.</summary>
    private const double SmallestScale = 0.9;

    /// <summary>By what factor the scale grows until a rounding fools.</summary>
    private const double Growth = 1.1;

    /// <summary>How many scales are tried at most; the last is ten times the first.</summary>
    private const int Scales = 25;

    /// <summary>How often what lies between the last scale that did not fool and the first that did is halved.</summary>
    private const int Halvings = 5;

    private readonly IAttack _inner;
    private readonly TargetSelection _target;

    /// <summary>Lets an attack end on 8-bit images.</summary>
    /// <param name="inner">The attack, one that searches the smallest perturbation.</param>
    /// <param name="target">Which class it goes for.</param>
    /// <exception cref="BadInputException">The attack has a largest length, which rounding would exceed.</exception>
    public QuantizedAttack(IAttack inner, TargetSelection target)
    {
        ArgumentNullException.ThrowIfNull(inner);
        _target = target;
        _inner = inner is IBudgetedAttack
            ? throw new BadInputException($"Rounding to 8 bits lengthens perturbations, so it needs an attack that searches the smallest, but {inner.Name} with a given epsilon was chosen; drop the epsilon.")
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
        if (!grid.Holds())
        {
            throw new BadInputException("An attack that ends on 8-bit images needs 8-bit images to start from, multiples of 1/255 between the bounds, but these are not; round them, or drop the quantisation.");
        }

        using var found = _inner.Run(classifier, images, labels, indices, progress, cancellationToken);
        var adversarial = images.detach().clone();
        var results = found.Outcomes.ToArray();
        var rows = new ActiveRows(Enumerable.Range(0, results.Length).Where(row => results[row].Fooled), images.device);
        Round(classifier, grid, images.detach(), found.Adversarial, labels, adversarial, results, rows, cancellationToken);
        Confirm(classifier, images.detach(), labels, adversarial, results);
        return new(adversarial.DetachFromDisposeScope(), results);
    }

    /// <summary>Moves rows of <paramref name="adversarial"/> to the smallest rounding that fools, and counts the passes. Rows for which there is none are no longer fooled.</summary>
    private void Round(IClassifier classifier, ByteGrid grid, Tensor images, Tensor found, Tensor labels, Tensor adversarial, Outcome[] results, ActiveRows rows, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        var levels = grid.Levels(found) - grid.Levels(images);
        using var half = Scalars.Of(0.5);
        using var smallest = Scalars.Of(SmallestScale);
        // Where the largest entry is below half a level, smaller scales round to the image itself.
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

        // Rounds the given rows at their scales and takes over what fools.
        bool[] Try(IReadOnlyList<int> tried, double[] scales)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var some = new ActiveRows(tried, images.device);
            var moves = some.Select(levels);
            var factors = tensor(tried.Select(row => scales[row]).ToArray(), dtype: moves.dtype, device: moves.device);
            var points = grid.Moved(some.Select(images), moves * PerSample.Broadcast(factors, moves));
            var predictions = ForwardPass.PredictionsOf(classifier.Logits(points));
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

    /// <summary>Runs all 8-bit images through the classifier once more, believes only that, and measures them.</summary>
    private void Confirm(IClassifier classifier, Tensor images, Tensor labels, Tensor adversarial, Outcome[] results)
    {
        var predictions = ForwardPass.PredictionsOf(classifier.Logits(adversarial));
        var fooled = Fooled(predictions, labels, [.. results.Select(result => result.Target)]);
        foreach (var row in Enumerable.Range(0, results.Length).Where(row => results[row].Fooled && !fooled[row]))
        {
            results[row] = results[row] with { Exit = AttackExit.Unconfirmed };
            adversarial[row] = images[row];
        }

        var after = predictions.ToLongs();
        var lengths = MeasuredLengths.Of(images, adversarial, Norm);
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
