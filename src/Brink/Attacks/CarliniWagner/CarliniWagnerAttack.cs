using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The L2 attack of Carlini and Wagner (2017), §VI.A: minimises ‖x′ − x‖₂² + c·max(κ − f(x′), 0) with Adam and searches for c.</summary>
/// <remarks>
/// f is the margin of the criterion, positive if the image is fooled. A tanh substitution keeps x′ within the bounds. The result for each image is the
/// nearest adversarial point of all constants and iterations. Formulas: docs/attacks/carlini-wagner.md.
/// </remarks>
public sealed class CarliniWagnerAttack : Attack, IMinimalAttack
{
    /// <summary>The smallest and largest range of logits that the constants of the search suit.</summary>
    private const double SmallestRange = 1e-4;
    private const double LargestRange = 1e4;

    private readonly CarliniWagnerOptions _options;

    /// <summary>Initializes the attack.</summary>
    /// <param name="options">The settings; null for the defaults.</param>
    /// <exception cref="BadInputException">A setting is outside its range.</exception>
    public CarliniWagnerAttack(CarliniWagnerOptions? options = null)
    {
        _options = options ?? new();
        _options.Check();
    }

    /// <inheritdoc/>
    public override string Name => "cw";

    /// <inheritdoc/>
    public override Norm Norm => _options.Norm;

    /// <inheritdoc/>
    public override TargetSelection Target => _options.Target;

    /// <inheritdoc/>
    protected override void Perturb(AttackedBatch batch)
    {
        using var scope = NewDisposeScope();
        var scales = Scales(batch);
        var kept = batch.Keep(batch.Start(Norm, _options.Candidates), iteration: 0, maxIterations: int.MaxValue);
        batch.EndPass();
        if (batch.Count == 0)
        {
            return;
        }

        var images = batch.Images;
        var nearest = new NearestAdversarialPoints(images);
        var descent = new Descent(_options, batch, images, scales.index_select(0, kept), nearest);
        var search = new ConstantSearch(batch.Count, _options.InitialConstant);
        var (iterations, isFinite) = (new int[batch.Count], Enumerable.Repeat(true, batch.Count).ToArray());
        for (var round = 0; round < _options.BinarySearchSteps && !batch.IsOutOfPasses; round++)
        {
            var results = descent.Run(search.Constants);
            for (var position = 0; position < results.Length; position++)
            {
                search.Update(position, results[position].Fooled);
                iterations[position] += results[position].Steps;
                isFinite[position] &= results[position].IsFinite;
            }

            batch.Report(iterations.Max());
        }

        var found = nearest.Found();
        AttackExit?[] exits = [.. found.Zip(isFinite, (isFound, finite) => isFound ? AttackExit.Fooled : finite ? AttackExit.IterationLimit : (AttackExit?)AttackExit.NotFinite)];
        batch.Finish(exits, position => iterations[position], nearest.Points);
    }

    /// <summary>Returns the number by which the margins of each image are divided, shape [active]: the range of its logits if no c of the search would suit it, otherwise 1.</summary>
    private static Tensor Scales(AttackedBatch batch) => Scoped(() =>
    {
        using Scalar smallest = Scalars.Of(SmallestRange), largest = Scalars.Of(LargestRange);
        var ranges = batch.OfActive(batch.Pass, batch.Pass.Ranges());
        var isUsual = ranges.ge(smallest).logical_and(ranges.le(largest)).logical_or(ranges.le(Scalars.Zero)).logical_or(ranges.isfinite().logical_not());
        return ranges.masked_fill(isUsual, Scalars.One);
    });
}

/// <summary>The search for the trade-off constant c of each image: the smallest c whose minimum is fooled.</summary>
/// <remarks>Carlini and Wagner (2017), §V.A. As in the authors' program, c is multiplied by ten until the image is fooled; then the interval is halved.</remarks>
internal sealed class ConstantSearch
{
    // The authors' program.
    private const double Growth = 10;

    private readonly double[] _lower;
    private readonly double[] _upper;

    /// <summary>Initializes the search.</summary>
    /// <param name="count">The number of images.</param>
    /// <param name="initial">The first constant.</param>
    public ConstantSearch(int count, double initial)
    {
        Constants = [.. Enumerable.Repeat(initial, count)];
        _lower = new double[count];
        _upper = [.. Enumerable.Repeat(double.PositiveInfinity, count)];
    }

    /// <summary>The next constant c to try for each image.</summary>
    public double[] Constants { get; }

    /// <summary>Narrows the interval of an image and chooses its next constant.</summary>
    /// <param name="position">The position of the image.</param>
    /// <param name="fooled">True if the image was fooled with its current constant.</param>
    public void Update(int position, bool fooled)
    {
        var tried = Constants[position];
        if (fooled)
        {
            _upper[position] = Math.Min(_upper[position], tried);
        }
        else
        {
            _lower[position] = Math.Max(_lower[position], tried);
        }

        Constants[position] = double.IsFinite(_upper[position]) ? (_lower[position] + _upper[position]) / 2 : tried * Growth;
    }
}
