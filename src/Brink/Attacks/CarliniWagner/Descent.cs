using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>Descends by Adam on ‖x′ − x‖₂² + c·max(κ − f(x′), 0), with one constant c an image (Carlini and Wagner 2017, §VI.A).</summary>
/// <remarks>
/// The search for c wants to know whether the minimum fools. Adam's first steps are longer than many images are far from their boundary, so
/// that any c fools on the way there; only what fools in the last tenth of a descent counts for the search. The authors' program counts all.
/// </remarks>
/// <param name="run">The books.</param>
/// <param name="options">The settings.</param>
/// <param name="subjects">All attacked images.</param>
/// <param name="best">Learns every point that fools.</param>
internal sealed class Descent(AttackRun run, CarliniWagnerOptions options, Subjects subjects, BestPoints best)
{
    private const double LeastProgress = 1e-4;
    private const int Windows = 10;

    private readonly TanhSpace _space = new(run.Classifier.Bounds, subjects.Images);

    /// <summary>Descends from the images until the iterations end or every image has left.</summary>
    /// <param name="rows">All attacked images; those that are done leave.</param>
    /// <param name="tradeOffs">c of each.</param>
    /// <returns>One outcome an image.</returns>
    public DescentOutcome[] Run(ActiveRows rows, double[] tradeOffs)
    {
        using var outer = NewDisposeScope();
        using var adam = new Adam(_space.FromPoints(subjects.Images), options.LearningRate);
        var allConstants = tensor(tradeOffs, dtype: subjects.Images.dtype, device: subjects.Images.device);
        var positions = PerSample.Positions(rows.Count, subjects.Images.device);
        var window = new DescentWindow(allConstants);
        var (steps, lowest) = (new int[rows.Count], Enumerable.Repeat(double.PositiveInfinity, rows.Count).ToArray());
        var windowLength = Math.Max(1, options.MaxIterations / Windows);
        for (var iteration = 1; iteration <= options.MaxIterations && rows.Count > 0; iteration++)
        {
            using var scope = NewDisposeScope();
            var (current, constants) = (subjects.Select(positions), allConstants.index_select(0, positions));
            var (points, slopes) = _space.ToPoints(adam.Variables);
            using var pass = run.Forward(points, rows);
            var shortfalls = Shortfalls(pass, current);
            var gradients = pass.Gradients(shortfalls);
            run.CountBackwards(rows);

            var differences = points - current.Images;
            var squares = PerSample.Dot(differences, differences);
            var fooled = Fooled(pass, current);
            best.Improve(positions, points, squares, fooled);
            window.Note(positions, squares.Plus(constants * shortfalls.detach()), fooled);

            adam.Step(differences.Plus(differences).Plus(gradients * PerSample.Broadcast(constants, gradients)) * slopes);
            // What is left over at the end belongs to the last window.
            if (iteration % windowLength == 0 && iteration + windowLength <= options.MaxIterations)
            {
                var kept = rows.Keep(Descending(positions.ToLongs(), window.LowestLosses(positions), lowest, steps, iteration));
                positions = positions.index_select(0, kept).MoveToOtherDisposeScope(outer);
                adam.Keep(kept);
                window.Clear(positions);
            }
        }

        foreach (var (position, loss) in positions.ToLongs().Zip(window.LowestLosses(positions)))
        {
            steps[position] = options.MaxIterations;
            lowest[position] = double.IsFinite(loss) ? loss : double.NaN;
        }

        return [.. window.Fooled().Select((fooled, row) => new DescentOutcome(fooled, steps[row], !double.IsNaN(lowest[row])))];
    }

    /// <summary>max(κ − f, 0), [active], attached to the graph.</summary>
    private Tensor Shortfalls(ForwardPass pass, Subjects current)
    {
        using var scope = NewDisposeScope();
        using var confidence = Scalars.Of(options.Confidence);
        var gaps = options.Target.Values(LogitGap.Instance, pass.Logits, current.Labels, current.Targets);
        return gaps.neg().Plus(confidence).relu().MoveToOuterDisposeScope();
    }

    /// <summary>Whether the points fool by at least κ, bool [active]: also into another class than the one that is gone for, where any other will do.</summary>
    private Tensor Fooled(ForwardPass pass, Subjects current)
    {
        using var scope = NewDisposeScope();
        using var confidence = Scalars.Of(options.Confidence);
        var margins = options.Target.Margins(pass.Logits.detach(), current.Labels, current.Targets);
        return options.Target.Fooled(pass.Predictions(), current.Labels, current.Targets).logical_and(margins.ge(confidence)).MoveToOuterDisposeScope();
    }

    /// <summary>Which rows go on: those whose loss is a number and, with early abort, came lower than in the window before.</summary>
    private bool[] Descending(long[] positions, double[] windowLowest, double[] lowest, int[] steps, int iteration)
    {
        var stays = new bool[positions.Length];
        for (var row = 0; row < positions.Length; row++)
        {
            var (position, loss) = (positions[row], windowLowest[row]);
            stays[row] = double.IsFinite(loss) && (!options.AbortEarly || loss <= lowest[position] * (1 - LeastProgress));
            lowest[position] = double.IsFinite(loss) ? loss : double.NaN;
            steps[position] = iteration;
        }

        return stays;
    }
}
