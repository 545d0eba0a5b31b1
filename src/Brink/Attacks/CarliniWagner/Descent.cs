using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>Minimises ‖x′ − x‖₂² + c·max(κ − f(x′), 0) with Adam, with one constant c per image (Carlini and Wagner 2017, §VI.A).</summary>
/// <remarks>
/// The search for c needs to know whether the minimum is fooled. The first steps of Adam are longer than the distance of many images to
/// the boundary, so with any c some early point is fooled. Therefore only the last tenth of a descent counts for the search. The authors'
/// program counts all points.
/// </remarks>
/// <param name="options">The settings of the attack.</param>
/// <param name="batch">All attacked images.</param>
/// <param name="images">The images x, shape [attacked, …].</param>
/// <param name="scales">The numbers by which the margins are divided, shape [attacked].</param>
/// <param name="nearest">The nearest adversarial point of each image, updated in every iteration.</param>
internal sealed class Descent(CarliniWagnerOptions options, AttackedBatch batch, Tensor images, Tensor scales, NearestAdversarialPoints nearest)
{
    // Early abort as in the authors' program: the loss must fall by 0.01 % per tenth of the iterations.
    private const double SmallestProgress = 1e-4;
    private const int Windows = 10;

    private readonly TanhSpace _space = new(batch.Bounds, images);

    /// <summary>Runs one descent from the original images, until the iteration limit or until all images are finished.</summary>
    /// <param name="tradeOffs">The constant c of each image.</param>
    /// <returns>The result for each image.</returns>
    public DescentResult[] Run(double[] tradeOffs)
    {
        using var outer = NewDisposeScope();
        using var active = batch.Part([.. Enumerable.Range(0, batch.Count)]);
        var adam = new Adam(_space.FromPoints(images), options.LearningRate);
        var allConstants = tensor(tradeOffs, dtype: images.dtype, device: images.device);
        var positions = PerSample.Positions(active.Count, images.device);
        var window = new LossWindow(allConstants);
        var (steps, lowest) = (new int[active.Count], Enumerable.Repeat(double.PositiveInfinity, active.Count).ToArray());
        var windowLength = Math.Max(1, options.MaxIterations / Windows);
        for (var iteration = 1; iteration <= options.MaxIterations && active.Count > 0; iteration++)
        {
            using var scope = NewDisposeScope();
            var constants = allConstants.Rows(positions);
            var (points, slopes) = _space.ToPoints(adam.Variables);
            var pass = active.Forward(points);
            var shortfalls = Scoped(() => active.Values(Objective.Gap).neg().Plus(options.Kappa).div(scales.Rows(positions)).relu());
            var gradients = pass.Gradients(shortfalls);

            var differences = points - images.Rows(positions);
            var squares = PerSample.Dot(differences, differences);
            var fooled = Fooled(active);
            nearest.Improve(positions, points, squares, fooled);
            window.Record(positions, squares.Plus(constants * shortfalls.detach()), fooled);

            adam.Step(differences.Plus(differences).Plus(gradients.Times(constants)) * slopes);
            // Images without passes end at once, so that no window computes NaN.
            if (active.Refused is { } refused)
            {
                foreach (var position in positions.ToLongs().Where((_, row) => refused[row]))
                {
                    (steps[position], lowest[position]) = (iteration - 1, double.NaN);
                }

                Keep(Array.ConvertAll(refused, flag => !flag));
            }

            // The last window includes the remainder of the division by the number of windows.
            if (iteration % windowLength == 0 && iteration + windowLength <= options.MaxIterations)
            {
                var (continuing, losses) = window.LowestLosses(positions);
                Keep(Descending(continuing, losses, lowest, steps, iteration));
                window.Clear(positions);
            }
        }

        var (last, lastLosses) = window.LowestLosses(positions);
        foreach (var (position, loss) in last.Zip(lastLosses))
        {
            steps[position] = options.MaxIterations;
            lowest[position] = double.IsFinite(loss) ? loss : double.NaN;
        }

        return [.. window.Fooled().Select((fooled, row) => new DescentResult(fooled, steps[row], !double.IsNaN(lowest[row])))];

        void Keep(bool[] stays)
        {
            var kept = active.Keep(stays);
            positions = positions.index_select(0, kept).MoveToOtherDisposeScope(outer);
            adam.Keep(kept, outer);
        }
    }

    /// <summary>Determines for each image whether it meets the criterion by at least κ, bool, shape [active]. Unless the criterion has a class, any class other than the label counts.</summary>
    private Tensor Fooled(AttackedBatch active) => Scoped(() =>
    {
        using var kappa = Scalars.Of(options.Kappa);
        var margins = active.Margins();
        return margins.gt(Scalars.Zero).logical_and(margins.ge(kappa)).logical_and(ForwardPass.HasPrediction(active.Pass.Logits));
    });

    /// <summary>Selects the rows that continue: the loss is finite and, with early abort, lower than in the previous window.</summary>
    private bool[] Descending(long[] positions, double[] windowLowest, double[] lowest, int[] steps, int iteration)
    {
        var stays = new bool[positions.Length];
        for (var row = 0; row < positions.Length; row++)
        {
            var (position, loss) = (positions[row], windowLowest[row]);
            stays[row] = double.IsFinite(loss) && (!options.AbortEarly || loss <= lowest[position] * (1 - SmallestProgress));
            lowest[position] = double.IsFinite(loss) ? loss : double.NaN;
            steps[position] = iteration;
        }

        return stays;
    }
}

/// <summary>The result of a descent for one image.</summary>
/// <param name="Fooled">True if a point of the last tenth of the iterations was fooled.</param>
/// <param name="Steps">The number of steps.</param>
/// <param name="IsFinite">True if the loss was finite until the end.</param>
internal readonly record struct DescentResult(bool Fooled, int Steps, bool IsFinite);

/// <summary>The lowest loss and the success of each image in the current tenth of the iterations.</summary>
/// <remarks>Kept on the device, so that no iteration waits for it.</remarks>
/// <param name="like">A tensor of shape [attacked] that determines type and device.</param>
internal sealed class LossWindow(Tensor like)
{
    private readonly Tensor _lowestLosses = full_like(like, Scalars.PositiveInfinity);
    private readonly Tensor _fooled = zeros_like(like, dtype: ScalarType.Bool);

    /// <summary>Records one iteration.</summary>
    /// <param name="positions">The positions of the active images, int64, shape [active].</param>
    /// <param name="losses">The losses, shape [active]; a NaN persists until <see cref="Clear"/>.</param>
    /// <param name="fooled">The flags of the images that are fooled, bool, shape [active].</param>
    public void Record(Tensor positions, Tensor losses, Tensor fooled)
    {
        using var scope = NewDisposeScope();
        _lowestLosses.index_copy_(0, positions, minimum(_lowestLosses.index_select(0, positions), losses));
        _fooled.index_copy_(0, positions, _fooled.index_select(0, positions).logical_or(fooled));
    }

    /// <summary>Begins a new window for the given images.</summary>
    /// <param name="positions">The positions of the images, int64.</param>
    public void Clear(Tensor positions)
    {
        _lowestLosses.index_fill_(0, positions, Scalars.PositiveInfinity);
        _fooled.index_fill_(0, positions, Scalars.Zero);
    }

    /// <summary>Returns the positions of the given images and the lowest loss of each.</summary>
    /// <param name="positions">The positions of the images, int64.</param>
    public (long[] Positions, double[] Losses) LowestLosses(Tensor positions)
    {
        using var losses = _lowestLosses.index_select(0, positions);
        var columns = TensorValues.ToColumns(positions, losses);
        return (Array.ConvertAll(columns[0], position => (long)position), columns[1]);
    }

    /// <summary>Determines for each image whether a point of its last window was fooled.</summary>
    public bool[] Fooled() => _fooled.ToBools();
}
