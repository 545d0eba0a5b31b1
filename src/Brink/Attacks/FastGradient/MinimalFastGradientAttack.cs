using Brink.Optimization;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The fast-gradient attacks FGSM, iterative FGSM and PGD, with a search for the smallest ε that fools each image.</summary>
/// <remarks>
/// The first ε is the linearised distance. It is doubled until the image is fooled. Then the interval between the largest ε that failed and
/// the shortest perturbation that succeeded is halved until it is narrow enough. Success at one ε does not guarantee success at a larger one, so
/// the result is the shortest perturbation that the search found. Formulas: docs/attacks/fast-gradient.md.
/// </remarks>
public sealed class MinimalFastGradientAttack : Attack, IMinimalAttack
{
    /// <summary>The default width of the interval at which the search ends, as a share of ε: 0.001 (ours), so lengths are accurate to 0.1 %.</summary>
    public const double DefaultTolerance = 1e-3;

    private readonly FastGradientOptions _options;
    private readonly double _tolerance;

    /// <summary>Initializes the attack.</summary>
    /// <param name="options">The settings of the ascent within one ball; null for iterative FGSM.</param>
    /// <param name="tolerance">The width of the interval at which the search ends, as a share of ε; positive.</param>
    /// <exception cref="BadInputException">A setting is outside its range.</exception>
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
        var start = Linearize(run, first, all, rows, _options.Candidates, _options.FirstObjective, needsGap: true);
        first.Dispose();
        var (attacked, attackedRows) = (rows.Count, rows.Rows);
        var images = start.Attacked.Images;
        var ascent = new BallAscent(run, _options, start);
        var searches = Searches(run.Classifier.Bounds, images, start.Gap!);
        var nearest = images.clone();
        for (var trial = 1; rows.Count > 0; trial++)
        {
            using var trialScope = NewDisposeScope();
            var open = Enumerable.Range(0, attacked).Where(position => searches[position].Exit is null).ToArray();
            var positions = tensor(open.Select(position => (long)position).ToArray(), device: images.device);
            var radii = tensor(open.Select(position => searches[position].Radius).ToArray(), dtype: images.dtype, device: images.device);
            var result = ascent.Run(rows, positions, radii);
            var lengths = Norm.Of(result.Points - images.index_select(0, positions)).ToDoubles();
            for (var row = 0; row < open.Length; row++)
            {
                var search = searches[open[row]];
                search.Record(result.Exits[row] == AttackExit.Fooled, lengths[row], result.Exits[row] != AttackExit.NotFinite, result.Steps[row]);
                if (search.IsNearest)
                {
                    nearest[open[row]] = result.Points[row];
                }

                if (search.Exit is { } exit)
                {
                    // At the largest ε, a zero gradient is the reason.
                    run.Finish(rows.Rows[row], exit == AttackExit.IterationLimit ? result.Exits[row] : exit, search.Steps, nearest[open[row]]);
                }
            }

            rows.Keep([.. open.Select(position => searches[position].Exit is null)]);
            run.Report(trial, attacked, rows.Count);
        }

        // The whole box is within the largest ε, but the ascent may have ended in a corner of it: another class may still be reached.
        var stuck = attackedRows.Where(row => run[row].Exit == AttackExit.IterationLimit).ToArray();
        if (Target == TargetSelection.Untargeted && stuck.Length > 0)
        {
            new MinimalFastGradientAttack(_options with { Target = TargetSelection.Best, Objective = LogitGap.Instance }, _tolerance).Perturb(run, first, all, new ActiveRows(stuck, images.device));
        }
    }

    /// <summary>Creates one search per image, from the linearised distance up to the width of the bounds.</summary>
    private EpsilonSearch[] Searches(Bounds bounds, Tensor images, LinearModel model)
    {
        using var scope = NewDisposeScope();
        var widths = Norm.Of((bounds.Upper(images) - bounds.Lower(images)).expand_as(images)).ToDoubles();
        var distances = model.Values.neg().div(Norm.Dual.Of(model.Gradients)).ToDoubles();
        return [.. distances.Zip(widths, (distance, width) => new EpsilonSearch(distance, width, _tolerance))];
    }
}
