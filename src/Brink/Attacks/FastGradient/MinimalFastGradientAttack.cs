using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The fast-gradient attacks FGSM, iterative FGSM and PGD, with a search for the smallest ε that fools each image.</summary>
/// <remarks>
/// The first ε is the linearised distance. It is doubled until the image is fooled. Then the interval between the largest ε that failed and
/// the shortest perturbation that succeeded is halved until it is narrow enough. Success at one ε does not guarantee success at a larger one, so
/// the result is the shortest perturbation that the search found. Formulas: docs/attacks/fast-gradient.md.
/// </remarks>
internal sealed class MinimalFastGradientAttack : Attack, IMinimalAttack
{
    private readonly FastGradientOptions _options;

    /// <summary>Initializes the attack.</summary>
    /// <param name="options">The settings.</param>
    /// <exception cref="BadInputException">A setting is outside its range.</exception>
    public MinimalFastGradientAttack(FastGradientOptions options)
    {
        _options = options;
        _options.Check();
    }

    /// <inheritdoc/>
    public override string Name => _options.Name;

    /// <inheritdoc/>
    public override Norm Norm => _options.Norm;

    /// <inheritdoc/>
    public override Objective Objective => _options.Objective;

    /// <inheritdoc/>
    public override TargetSelection Target => _options.Target;

    /// <inheritdoc/>
    protected override void Perturb(AttackedBatch batch)
    {
        var rows = batch.Rows;
        Search(batch, _options);

        // The whole box is within the largest ε, but the ascent may have ended in a corner of it: another class may still be reached.
        using var stuck = batch.OfRows([.. rows.Where(row => batch.Entry(row).Exit == AttackExit.IterationLimit)]);
        if (Target == TargetSelection.Untargeted && batch.Criterion.ComparesClasses && stuck.Count > 0)
        {
            Search(stuck, _options with { Target = TargetSelection.Best, Objective = Objective.Gap });
        }
    }

    private static void Search(AttackedBatch batch, FastGradientOptions options)
    {
        using var scope = NewDisposeScope();
        var ascent = new BallAscent(batch, options, needsGap: true);
        var images = ascent.Images;
        // From the linearised distance up to the width of the bounds.
        var columns = TensorValues.ToColumns(ascent.Gap!.Distances(), batch.Bounds.Widths(options.Norm, images));
        EpsilonSearch[] searches = [.. columns[0].Zip(columns[1], (distance, width) => new EpsilonSearch(distance, width, options.Tolerance))];
        var nearest = images.clone();
        int[] open = [.. Enumerable.Range(0, batch.Count)];
        for (var trial = 1; open.Length > 0; trial++)
        {
            using var trialScope = NewDisposeScope();
            var result = ascent.Run(open, [.. open.Select(position => searches[position].Radius)]);
            var positions = PerSample.Positions(open, images.device);
            var lengths = options.Norm.Of(result.Points - images.index_select(0, positions)).ToDoubles();
            var (nearer, exits) = (new List<int>(), new AttackExit?[batch.Count]);
            foreach (var (entry, position) in open.Index())
            {
                var search = searches[position];
                search.Record(result.Exits[entry] == AttackExit.Fooled, lengths[entry], result.Exits[entry] != AttackExit.NotFinite, result.Steps[entry]);
                if (search.IsNearest)
                {
                    nearer.Add(entry);
                }

                if (search.Exit is { } exit)
                {
                    // At the largest ε, a zero gradient is the reason.
                    exits[position] = exit == AttackExit.IterationLimit ? result.Exits[entry] : exit;
                }
            }

            nearest.index_copy_(0, PerSample.Positions(nearer.Select(entry => open[entry]), images.device), result.Points.index_select(0, PerSample.Positions(nearer, images.device)));
            batch.Finish(exits, position => searches[position].Steps, nearest);
            open = [.. open.Where(position => searches[position].Exit is null)];
            batch.Report(trial, open.Length);
        }
    }
}
