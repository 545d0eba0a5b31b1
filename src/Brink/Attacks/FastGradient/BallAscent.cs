using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>Gradient ascent of the objective within balls around the images, as in FGSM, iterative FGSM and PGD.</summary>
/// <remarks>
/// x′ ← clip(x + Π(x′ + ℓ d − x)) with the steepest direction d at x′ and the projection Π onto the ball (Madry et al. 2018, §2.1). The
/// steps of an image end when it is fooled, or at a point without a usable gradient.
/// </remarks>
internal sealed class BallAscent
{
    private readonly AttackRun _run;
    private readonly FastGradientOptions _options;
    private readonly AttackedImages _attacked;
    private readonly RandomStarts _starts;
    private readonly Tensor? _firstDirections;

    /// <summary>Initializes the ascent.</summary>
    /// <param name="run">The bookkeeping of the attack.</param>
    /// <param name="options">The settings of the attack.</param>
    /// <param name="start">The attacked images, with the linear model of the objective unless the starts are random.</param>
    public BallAscent(AttackRun run, FastGradientOptions options, LinearizedImages start)
    {
        (_run, _options, _attacked) = (run, options, start.Attacked);
        _starts = new(options.Norm, options.Seed);
        _firstDirections = start.Objective is { } model ? options.Norm.SteepestDirections(model.Gradients) : null;
    }

    /// <summary>Tries to fool images with perturbations of at most the given lengths.</summary>
    /// <param name="rows">The rows of the images in the batch.</param>
    /// <param name="positions">The positions of the images among the attacked images, int64, shape [rows].</param>
    /// <param name="radii">The radius ε of each ball, shape [rows].</param>
    public BallResult Run(ActiveRows rows, Tensor positions, Tensor radii)
    {
        var result = new BallResult([.. Enumerable.Repeat(AttackExit.IterationLimit, rows.Count)], new int[rows.Count], _attacked.Images.index_select(0, positions));
        for (var restart = 0; restart < _options.Restarts; restart++)
        {
            using var scope = NewDisposeScope();
            var entries = Enumerable.Range(0, rows.Count).Where(row => result.Exits[row] is AttackExit.IterationLimit or AttackExit.ZeroGradient).ToArray();
            if (entries.Length > 0)
            {
                Ascend(rows, positions, radii, entries, restart, result);
            }
        }

        return result;
    }

    /// <summary>Runs one start of the rows with the given entries in the result.</summary>
    private void Ascend(ActiveRows rows, Tensor positions, Tensor radii, int[] entries, int restart, BallResult result)
    {
        using var outer = NewDisposeScope();
        var active = new ActiveRows(entries.Select(entry => rows.Rows[entry]), positions.device);
        var tried = tensor(entries.Select(entry => (long)entry).ToArray(), device: positions.device);
        (positions, radii) = (positions.index_select(0, tried), radii.index_select(0, tried));
        Tensor points = Start(active, _attacked.Images.index_select(0, positions), radii, restart);
        for (var step = 0; active.Count > 0; step++)
        {
            using var scope = NewDisposeScope();
            var current = _attacked.Select(positions);
            var directions = step == 0 ? _firstDirections?.index_select(0, positions) : null;
            if (directions is null)
            {
                using var pass = _run.Forward(points, active, keepGraph: step < _options.MaxIterations);
                var stays = Record(pass, current, points, entries, step, restart, result);
                if (step == _options.MaxIterations)
                {
                    return;
                }

                // Computed even if all rows are finished: the counts of an image must not depend on the other images.
                directions = Directions(pass, current, active, out var slopes);
                RecordGradients(slopes, entries, step, restart, stays, result);
                var kept = active.Keep(stays);
                entries = [.. entries.Where((_, row) => stays[row])];
                (positions, radii) = (positions.index_select(0, kept).MoveToOtherDisposeScope(outer), radii.index_select(0, kept).MoveToOtherDisposeScope(outer));
                (current, directions) = (current.Select(kept), directions.index_select(0, kept));
                using var before = points;
                points = points.index_select(0, kept);
            }

            using var share = Scalars.Of(_options.RelativeStep);
            var steps = directions.mul(PerSample.Broadcast(radii.mul(share), directions));
            // Disposed at every step: the points of all steps together may not fit into memory.
            using var last = points;
            points = Within(current.Images, points.Plus(steps) - current.Images, radii).MoveToOtherDisposeScope(outer);
        }
    }

    /// <summary>Records the result of a pass.</summary>
    /// <returns>The flags of the rows that take another step: not fooled, finite and below the iteration limit.</returns>
    private bool[] Record(ForwardPass pass, AttackedImages current, Tensor points, int[] entries, int step, int restart, BallResult result)
    {
        using var scope = NewDisposeScope();
        var predictions = pass.Predictions();
        var (classes, fooled) = (predictions.ToLongs(), _options.Target.Fooled(predictions, current.Labels, current.Targets).ToBools());
        var stays = new bool[entries.Length];
        for (var row = 0; row < entries.Length; row++)
        {
            var entry = entries[row];
            var exit = fooled[row] ? AttackExit.Fooled : classes[row] < 0 ? AttackExit.NotFinite : AttackExit.IterationLimit;
            stays[row] = exit == AttackExit.IterationLimit && step < _options.MaxIterations;
            if (!stays[row])
            {
                result.Finish(entry, exit, step, restart);
            }

            if (fooled[row])
            {
                result.Points[entry] = points[row];
            }
        }

        return stays;
    }

    /// <summary>Ends the rows whose gradient is zero or not finite.</summary>
    /// <param name="slopes">The lengths of the gradients in the dual norm.</param>
    /// <param name="entries">The entries of the rows in the result.</param>
    /// <param name="step">The number of completed steps of this start.</param>
    /// <param name="restart">The number of the start, from 0.</param>
    /// <param name="stays">The flags of the rows that take another step; cleared for these rows.</param>
    /// <param name="result">The result.</param>
    private static void RecordGradients(double[] slopes, int[] entries, int step, int restart, bool[] stays, BallResult result)
    {
        for (var row = 0; row < entries.Length; row++)
        {
            if (stays[row] && (slopes[row] == 0 || !double.IsFinite(slopes[row])))
            {
                stays[row] = false;
                result.Finish(entries[row], slopes[row] == 0 ? AttackExit.ZeroGradient : AttackExit.NotFinite, step, restart);
            }
        }
    }

    /// <summary>Returns the first points: the images, or random points of the balls.</summary>
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

    /// <summary>Computes the steepest directions at the points of a pass, and the slopes along them.</summary>
    private Tensor Directions(ForwardPass pass, AttackedImages current, ActiveRows rows, out double[] slopes)
    {
        using var scope = NewDisposeScope();
        var gradients = pass.Gradients(_run.Objective(_options.Objective, _options.Target, pass, rows, current.Labels, current.Targets));
        _run.CountBackwards(rows);
        slopes = _options.Norm.Dual.Of(gradients).ToDoubles();
        return _options.Norm.SteepestDirections(gradients).MoveToOuterDisposeScope();
    }

    /// <summary>Projects perturbations onto their balls, adds them to the images and clips to the bounds.</summary>
    private Tensor Within(Tensor images, Tensor perturbations, Tensor radii)
    {
        using var scope = NewDisposeScope();
        return _run.Classifier.Bounds.Clamp(images.Plus(_options.Norm.Project(perturbations, radii))).MoveToOuterDisposeScope();
    }
}

/// <summary>The result of an ascent within balls, one entry per row.</summary>
/// <param name="Exits">The exit reason of each image: fooled at a point of its ball; not finite logits or a gradient that is not finite at a point of any start; a zero gradient at the last point of every start; otherwise the iteration limit.</param>
/// <param name="Steps">The number of steps of each image, over all starts.</param>
/// <param name="Points">The adversarial points, shape [rows, …]; the original image where none was found.</param>
internal sealed record BallResult(AttackExit[] Exits, int[] Steps, Tensor Points)
{
    /// <summary>Records the end of one start of an image.</summary>
    /// <param name="entry">The entry of the image.</param>
    /// <param name="exit">The exit reason of the start.</param>
    /// <param name="steps">The number of steps of the start.</param>
    /// <param name="restart">The number of the start, from 0.</param>
    public void Finish(int entry, AttackExit exit, int steps, int restart)
    {
        Exits[entry] = exit == AttackExit.ZeroGradient && restart > 0 ? Exits[entry] : exit;
        Steps[entry] += steps;
    }
}

/// <summary>Random points of the unit ball, determined by the seed, the image's index in the data set and the number of the start.</summary>
/// <param name="norm">The norm of the ball.</param>
/// <param name="seed">The seed.</param>
internal sealed class RandomStarts(Norm norm, long seed)
{
    /// <summary>Draws one point per image, uniformly from the unit ball.</summary>
    /// <param name="indices">The indices of the images in the data set.</param>
    /// <param name="images">The images, shape [rows, …]; the draws have their shape, type and device.</param>
    /// <param name="restart">The number of the start, from 0.</param>
    public Tensor Draw(IEnumerable<long> indices, Tensor images, int restart)
    {
        using var scope = NewDisposeScope();
        long[] shape = [1, .. images.shape[1..]];
        var draws = indices.Select(index =>
        {
            // Drawn on the CPU on every device, so that a GPU starts from the same points.
            using var generator = new Generator(RandomSeed.Of(seed, index, restart), CPU);
            return norm.UniformInUnitBall(shape, generator);
        });
        return cat([.. draws], 0).to(images.dtype).to(images.device).MoveToOuterDisposeScope();
    }
}
