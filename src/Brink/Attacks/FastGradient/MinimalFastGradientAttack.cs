using Brink.Optimization;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The smallest ε with which FGSM, iterative FGSM or PGD fools each image.</summary>
/// <remarks>
/// The first ε is the linearised distance. It doubles until the image is fooled; then the interval between the largest ε that failed and the
/// shortest perturbation that fooled is halved until it is narrow enough. An image that is decided costs nothing more. Whether a larger ε fools
/// wherever a smaller one does is not certain, so this is the smallest ε that the search saw. docs/attacks/fast-gradient.md has the formulas.
/// </remarks>
public sealed class MinimalFastGradientAttack : Attack, IMinimalAttack
{
    /// <summary>0.001 (ours: a thousandth of the answer).</summary>
    public const double DefaultTolerance = 1e-3;

    private readonly FastGradientOptions _options;
    private readonly double _tolerance;

    /// <summary>The attack with the given settings.</summary>
    /// <param name="options">The settings of the attack within one ball; null for iterative FGSM.</param>
    /// <param name="tolerance">How narrow the interval around the smallest ε becomes, as a share of it; positive.</param>
    /// <exception cref="BadInputException">A setting is out of its range; the message names it.</exception>
    public MinimalFastGradientAttack(FastGradientOptions? options = null, double tolerance = DefaultTolerance)
    {
        SettingCheck.Positive("tolerance", tolerance);
        (_options, _tolerance) = (options ?? FastGradientOptions.Iterative, tolerance);
        _options.Check();
    }

    /// <inheritdoc/>
    public override string Name => _options.Name;

    /// <inheritdoc/>
    public override Norm Norm => _options.Norm;

    /// <inheritdoc/>
    public override TargetSelection Target => _options.Target;

    private protected override void Perturb(AttackRun run, ForwardPass first, ActiveRows all, ActiveRows rows)
    {
        using var scope = NewDisposeScope();
        var start = Start(run, first, all, rows, _options.Candidates, _options.FirstObjective, needsGap: true);
        first.Dispose();
        var attacked = rows.Count;
        var images = start.Subjects.Images;
        var ascent = new BallAscent(run, _options, start);
        var searches = Searches(run.Classifier.Bounds, images, start.Gap!);
        var nearest = images.clone();
        for (var trial = 1; rows.Count > 0; trial++)
        {
            using var trialScope = NewDisposeScope();
            var open = Enumerable.Range(0, attacked).Where(position => searches[position].Exit is null).ToArray();
            var positions = tensor(open.Select(position => (long)position).ToArray(), device: images.device);
            var radii = tensor(open.Select(position => searches[position].Radius).ToArray(), dtype: images.dtype, device: images.device);
            var outcome = ascent.Run(rows, positions, radii);
            var lengths = Norm.Of(outcome.Points - images.index_select(0, positions)).ToDoubles();
            for (var row = 0; row < open.Length; row++)
            {
                var search = searches[open[row]];
                search.Note(outcome.Fooled[row], lengths[row], outcome.IsFinite[row], outcome.Steps[row]);
                if (search.IsNearest)
                {
                    nearest[open[row]] = outcome.Points[row];
                }

                if (search.Exit is { } exit)
                {
                    run.Finish(rows.Rows[row], exit, search.Steps, nearest[open[row]]);
                }
            }

            rows.Keep([.. open.Select(position => searches[position].Exit is null)]);
            run.Report(trial, attacked, rows.Count);
        }
    }

    /// <summary>One search an image, from the linearised distance, up to the width of the bounds.</summary>
    private EpsilonSearch[] Searches(Bounds bounds, Tensor images, LinearModel model)
    {
        using var scope = NewDisposeScope();
        var widths = Norm.Of((bounds.Upper(images) - bounds.Lower(images)).expand_as(images)).ToDoubles();
        var distances = model.Values.neg().div(Norm.Dual.Of(model.Gradients)).ToDoubles();
        return [.. distances.Zip(widths, (distance, width) => new EpsilonSearch(distance, width, _tolerance))];
    }
}
