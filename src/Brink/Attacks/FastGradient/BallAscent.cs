using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>Steps up the objective within balls around the images: the one method behind FGSM, its iterative form and PGD.</summary>
/// <remarks>
/// x ← Π(x + α·d), d the steepest direction at x, Π the nearest point of the ball and then of the bounds (Madry et al. 2018, §2.1). An image
/// that is fooled stops there.
/// </remarks>
internal sealed class BallAscent
{
    private readonly AttackRun _run;
    private readonly FastGradientOptions _options;
    private readonly Subjects _subjects;
    private readonly RandomStarts _starts;
    private readonly Tensor? _firstDirections;

    /// <summary>For the given images.</summary>
    /// <param name="run">The books.</param>
    /// <param name="options">The settings.</param>
    /// <param name="start">The attacked images, with the gradients there unless starts are random.</param>
    public BallAscent(AttackRun run, FastGradientOptions options, AttackStart start)
    {
        (_run, _options, _subjects) = (run, options, start.Subjects);
        _starts = new(options.Norm, options.Seed);
        _firstDirections = start.Objective is { } model ? options.Norm.SteepestDirections(model.Gradients) : null;
    }

    /// <summary>Tries to fool within the given radii.</summary>
    /// <param name="rows">The images to try.</param>
    /// <param name="positions">Which of the attacked images they are, int64 [rows].</param>
    /// <param name="radii">ε, [rows].</param>
    public BallOutcome Run(ActiveRows rows, Tensor positions, Tensor radii)
    {
        var outcome = new BallOutcome(new bool[rows.Count], [.. Enumerable.Repeat(true, rows.Count)], new int[rows.Count], _subjects.Images.index_select(0, positions));
        for (var restart = 0; restart < _options.Restarts; restart++)
        {
            using var scope = NewDisposeScope();
            var places = Enumerable.Range(0, rows.Count).Where(row => !outcome.Fooled[row] && outcome.IsFinite[row]).ToArray();
            if (places.Length > 0)
            {
                Climb(rows, positions, radii, places, restart, outcome);
            }
        }

        return outcome;
    }

    /// <summary>One start of the rows at the given places.</summary>
    private void Climb(ActiveRows rows, Tensor positions, Tensor radii, int[] places, int restart, BallOutcome outcome)
    {
        using var outer = NewDisposeScope();
        var active = new ActiveRows(places.Select(place => rows.Rows[place]), positions.device);
        var tried = tensor(places.Select(place => (long)place).ToArray(), device: positions.device);
        (positions, radii) = (positions.index_select(0, tried), radii.index_select(0, tried));
        Tensor points = Start(active, _subjects.Images.index_select(0, positions), radii, restart);
        for (var step = 0; active.Count > 0; step++)
        {
            using var scope = NewDisposeScope();
            var current = _subjects.Select(positions);
            var directions = step == 0 ? _firstDirections?.index_select(0, positions) : null;
            if (directions is null)
            {
                using var pass = _run.Forward(points, active, keepGraph: step < _options.MaxIterations);
                var stays = Note(pass, current, points, places, step, outcome);
                if (step == _options.MaxIterations)
                {
                    return;
                }

                // Also where all have left: what an image costs is not to depend on the others.
                directions = Directions(pass, current, active);
                var kept = active.Keep(stays);
                places = [.. places.Where((_, row) => stays[row])];
                (positions, radii) = (positions.index_select(0, kept).MoveToOtherDisposeScope(outer), radii.index_select(0, kept).MoveToOtherDisposeScope(outer));
                (current, directions) = (current.Select(kept), directions.index_select(0, kept));
                using var before = points;
                points = points.index_select(0, kept);
            }

            using var share = Scalars.Of(_options.RelativeStep);
            var steps = directions.mul(PerSample.Broadcast(radii.mul(share), directions));
            // The last points go now: many steps on large images would not fit side by side.
            using var last = points;
            points = Within(current.Images, points.Plus(steps) - current.Images, radii).MoveToOtherDisposeScope(outer);
        }
    }

    /// <summary>Writes down what a pass found. Rows that are fooled, broken or at their last step leave.</summary>
    private bool[] Note(ForwardPass pass, Subjects current, Tensor points, int[] places, int step, BallOutcome outcome)
    {
        using var scope = NewDisposeScope();
        var predictions = pass.Predictions();
        var (classes, fooled) = (predictions.ToLongs(), _options.Target.Fooled(predictions, current.Labels, current.Targets).ToBools());
        var stays = new bool[places.Length];
        for (var row = 0; row < places.Length; row++)
        {
            var place = places[row];
            (outcome.Fooled[place], outcome.IsFinite[place]) = (fooled[row], classes[row] >= 0);
            stays[row] = !fooled[row] && classes[row] >= 0 && step < _options.MaxIterations;
            outcome.Steps[place] += stays[row] ? 0 : step;
            if (fooled[row])
            {
                outcome.Points[place] = points[row];
            }
        }

        return stays;
    }

    private Tensor Start(ActiveRows rows, Tensor images, Tensor radii, int restart)
    {
        if (!_options.RandomStart)
        {
            return images;
        }

        using var scope = NewDisposeScope();
        var draws = _starts.Draw(rows.Rows.Select(row => _run.Indices[row]), images, restart);
        return Within(images, draws.mul(PerSample.Broadcast(radii, draws)), radii).MoveToOuterDisposeScope();
    }

    /// <summary>The steepest directions at the points of a pass.</summary>
    private Tensor Directions(ForwardPass pass, Subjects current, ActiveRows rows)
    {
        using var scope = NewDisposeScope();
        var gradients = pass.Gradients(_options.Target.Values(_options.Objective, pass.Logits, current.Labels, current.Targets));
        _run.CountBackwards(rows);
        return _options.Norm.SteepestDirections(gradients).MoveToOuterDisposeScope();
    }

    private Tensor Within(Tensor images, Tensor perturbations, Tensor radii)
    {
        using var scope = NewDisposeScope();
        return _run.Classifier.Bounds.Clamp(images.Plus(_options.Norm.Project(perturbations, radii))).MoveToOuterDisposeScope();
    }
}
