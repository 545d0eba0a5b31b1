using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>Gradient ascent of the objective within balls around the images, as in FGSM, iterative FGSM and PGD.</summary>
/// <remarks>
/// x′ ← clip(x + Π(x′ + ℓ d − x)) with the steepest direction d at x′ and the projection Π onto the ball (Madry et al. 2018, §2.1). The
/// steps of an image end when it is fooled, or at a point without a usable gradient.
/// </remarks>
internal sealed class BallAscent
{
    private readonly AttackedBatch _batch;
    private readonly FastGradientOptions _options;
    private readonly RandomStarts _starts;
    private readonly Tensor? _firstDirections;

    /// <summary>Chooses the classes, linearises the objective at the images unless the starts are random, and finishes the images without a usable gradient there.</summary>
    /// <param name="batch">The images to attack.</param>
    /// <param name="options">The settings of the attack.</param>
    /// <param name="needsGap">Whether to linearise the margin at the images as well.</param>
    public BallAscent(AttackedBatch batch, FastGradientOptions options, bool needsGap)
    {
        (_batch, _options, _starts) = (batch, options, new(options.Norm, options.Seed));
        var (gap, objective) = batch.Start(options.Target, options.Norm, options.Candidates, options.FirstObjective, needsGap);
        var kept = objective is null ? PerSample.Positions(batch.Count, batch.Labels.device) : batch.Keep(objective, iteration: 0, maxIterations: int.MaxValue);
        batch.EndPass();
        Images = batch.Images;
        Gap = gap?.Select(kept);
        _firstDirections = objective?.Select(kept).Directions();
    }

    /// <summary>The images x, shape [attacked, …].</summary>
    public Tensor Images { get; }

    /// <summary>The linear model of the margin at the images; null if not requested.</summary>
    public LinearModel? Gap { get; }

    /// <summary>Tries to fool images with perturbations of at most the given lengths.</summary>
    /// <param name="positions">The positions of the images in the batch, ascending.</param>
    /// <param name="epsilons">The radius ε of the ball of each of these images.</param>
    public BallResult Run(int[] positions, double[] epsilons)
    {
        var result = new BallResult([.. Enumerable.Repeat(AttackExit.IterationLimit, positions.Length)], new int[positions.Length], Images.index_select(0, Tensor(positions)));
        for (var restart = 0; restart < _options.Restarts; restart++)
        {
            int[] entries = [.. Enumerable.Range(0, positions.Length).Where(entry => result.Exits[entry] is AttackExit.IterationLimit or AttackExit.ZeroGradient)];
            if (entries.Length == 0)
            {
                break;
            }

            Ascend([.. entries.Select(entry => positions[entry])], [.. entries.Select(entry => epsilons[entry])], entries, restart, result);
        }

        return result;
    }

    /// <summary>Runs one start of the images with the given entries in the result.</summary>
    private void Ascend(int[] positions, double[] epsilons, int[] entries, int restart, BallResult result)
    {
        using var outer = NewDisposeScope();
        using var active = _batch.Part(positions);
        var state = Scoped(() =>
        {
            var (images, radii) = (Images.index_select(0, Tensor(positions)), tensor(epsilons, dtype: Images.dtype, device: Images.device));
            return new State(_options.RandomStart ? RandomPoints(active, images, radii, restart) : images.alias(), images, radii);
        });
        var directions = _firstDirections?.index_select(0, Tensor(positions));
        for (var step = 0; active.Count > 0; step++)
        {
            using var scope = NewDisposeScope();
            if (directions is null)
            {
                var isLast = step == _options.MaxIterations;
                active.Forward(state.Points, keepGraph: !isLast);
                // The search for the smallest ε ends next to the boundary, where rounding would decide. A given ε rarely does.
                var fooled = Gap is null ? active.IsFooled() : active.IsPositive(active.Margins());
                // Computed even if all images are finished: the counts of an image must not depend on the other images.
                var model = isLast ? null : active.Linearize(_options.Norm, _options.Objective);
                var hasPrediction = ForwardPass.HasPrediction(active.Pass.Logits);
                var columns = TensorValues.ToColumns(fooled, hasPrediction, model?.Slopes ?? hasPrediction);
                var stays = Record(columns[0], columns[1], state.Points, entries, step, restart, result);
                if (model is null)
                {
                    return;
                }

                RecordGradients(columns[2], entries, step, restart, stays, result);
                var kept = active.Keep(stays);
                entries = [.. entries.Where((_, row) => stays[row])];
                state = state.ReplacedBy(state.Select(kept), outer);
                directions = model.Directions().Rows(kept);
            }

            var steps = directions.Times(state.Radii.Times(_options.RelativeStep));
            state = state.ReplacedBy(state.Map(tensor => tensor.alias()) with { Points = Within(state.Images, state.Points.Plus(steps) - state.Images, state.Radii) }, outer);
            directions = null;
        }
    }

    /// <summary>Records the result of a pass.</summary>
    /// <returns>The flags of the images that take another step: not fooled, finite and below the iteration limit.</returns>
    private bool[] Record(double[] fooled, double[] hasPrediction, Tensor points, int[] entries, int step, int restart, BallResult result)
    {
        var stays = new bool[entries.Length];
        var rows = new List<int>();
        for (var row = 0; row < entries.Length; row++)
        {
            var entry = entries[row];
            var exit = fooled[row] > 0 ? AttackExit.Fooled : hasPrediction[row] == 0 ? AttackExit.NotFinite : AttackExit.IterationLimit;
            stays[row] = exit == AttackExit.IterationLimit && step < _options.MaxIterations;
            if (!stays[row])
            {
                result.Finish(entry, exit, step, restart);
            }

            if (fooled[row] > 0)
            {
                rows.Add(row);
            }
        }

        if (rows.Count > 0)
        {
            using var scope = NewDisposeScope();
            result.Points.index_copy_(0, Tensor([.. rows.Select(row => entries[row])]), points.Rows(Tensor([.. rows])));
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

    /// <summary>Draws a point of each ball.</summary>
    private Tensor RandomPoints(AttackedBatch active, Tensor images, Tensor radii, int restart) =>
        Within(images, _starts.Draw(active.Indices, images, restart).Times(radii), radii);

    /// <summary>Projects perturbations onto their balls, adds them to the images and clips to the bounds.</summary>
    private Tensor Within(Tensor images, Tensor perturbations, Tensor radii) =>
        Scoped(() => _batch.Bounds.Clamp(images.Plus(_options.Norm.Project(perturbations, radii))));

    private Tensor Tensor(int[] positions) => PerSample.Positions(positions, Images.device);

    /// <summary>The state of an ascent, one row per active image.</summary>
    /// <param name="Points">The points x′, shape [active, …].</param>
    /// <param name="Images">The images x, shape [active, …].</param>
    /// <param name="Radii">The radius ε of each ball, shape [active].</param>
    private sealed record State(Tensor Points, Tensor Images, Tensor Radii) : IRows<State>
    {
        public State Map(Func<Tensor, Tensor> map) => new(map(Points), map(Images), map(Radii));
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
