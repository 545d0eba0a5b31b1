using Brink.Optimization;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The images of a batch that an attack works on. Finished images leave it and cause no further cost.</summary>
/// <remarks>
/// <para>
/// Row i of every tensor belongs to the i-th image that is still active. An attack keeps its own tensors aligned: <see cref="Keep(bool[])"/> and
/// <see cref="Keep(LinearModel, int, int)"/> return the positions of the images that stay. Passes are counted for each image.
/// </para>
/// <para>A batch has one pass at a time: a new one disposes the one before, whose graph would occupy memory.</para>
/// </remarks>
public sealed class AttackedBatch : IDisposable
{
    /// <summary>The smallest margin that is no rounding error, as a share of the range of the logits and in units of the machine epsilon: 1e-5 in float32.</summary>
    private const double SmallestMargin = 1e-5 * (1 << 23);

    private readonly AttackRun _run;
    private int[] _rows;
    private Tensor _rowNumbers;
    private Tensor _labels;
    private Tensor _indices;
    private Tensor? _targets;
    private Tensor? _margins;
    private Tensor? _smallestMargins;
    private ForwardPass? _pass;
    private bool _followsClass;
    private bool _areTargetsNew;

    /// <summary>Initializes a batch of some rows of a run.</summary>
    /// <param name="run">The record of the attack.</param>
    /// <param name="rows">The rows, ascending.</param>
    /// <param name="classification">The pass that classified all rows of the run; the batch takes ownership. Null if it is not available.</param>
    internal AttackedBatch(AttackRun run, IEnumerable<int> rows, ForwardPass? classification = null)
    {
        (_run, _rows, _pass) = (run, [.. rows], classification);
        _rowNumbers = Positions(_rows).DetachFromDisposeScope();
        _labels = run.Labels.index_select(0, _rowNumbers).DetachFromDisposeScope();
        _indices = run.IndexTensor.index_select(0, _rowNumbers).DetachFromDisposeScope();
    }

    /// <summary>The classifier to attack.</summary>
    public IClassifier Classifier => _run.Classifier;

    /// <summary>The criterion of success.</summary>
    public Criterion Criterion => _run.Criterion;

    /// <summary>The bounds of the classifier, prepared for the images.</summary>
    internal Bounds Bounds => _run.Bounds;

    /// <summary>The number of active images.</summary>
    public int Count => _rows.Length;

    /// <summary>The original images x, shape [active, …].</summary>
    /// <value>A new tensor in the dispose scope of the caller.</value>
    public Tensor Images => OfActive(_run.Images);

    /// <summary>The labels y, int64, shape [active].</summary>
    /// <value>A tensor that the batch owns.</value>
    public Tensor Labels => _labels;

    /// <summary>The index of each active image in its data set. Random draws depend on it and on the seed only.</summary>
    public IReadOnlyList<long> Indices => [.. _rows.Select(row => _run.Indices[row])];

    /// <summary>The rows of the active images in the batch that was given to the attack.</summary>
    internal IReadOnlyList<int> Rows => _rows;

    /// <summary>The last pass: the classification of all images, or the result of the last <see cref="Forward"/>.</summary>
    internal ForwardPass Pass => _pass ?? throw new InvalidOperationException("The batch has no pass; call Forward first.");

    /// <summary>The adversarial images found so far, shape [active, …], as a new tensor; the original image where none was found.</summary>
    internal Tensor Adversarial => OfActive(_run.Adversarial);

    /// <summary>The flags of the active images that were refused a pass; null if there is none.</summary>
    internal bool[]? Refused => Array.Exists(_rows, row => _run[row].IsRefused) ? Array.ConvertAll(_rows, row => _run[row].IsRefused) : null;

    /// <summary>Indicates whether every active image was refused a pass, so that no further pass changes the result.</summary>
    internal bool IsOutOfPasses => Array.TrueForAll(_rows, row => _run[row].IsRefused);

    /// <summary>Runs one forward pass of the active images, which the batch disposes at the next one.</summary>
    /// <remarks>The logits of an image that has no pass left are NaN, and so is its gradient.</remarks>
    /// <param name="points">The points, shape [active, …].</param>
    /// <param name="keepGraph">Whether to keep the graph for gradients.</param>
    /// <returns>The pass.</returns>
    /// <exception cref="OperationCanceledException">The attack was cancelled.</exception>
    public ForwardPass Forward(Tensor points, bool keepGraph = true)
    {
        EndPass();
        _pass = _run.Forward(points, _rows, keepGraph);
        if (_run.Nearest is { } nearest && !IsOutOfPasses)
        {
            using var scope = NewDisposeScope();
            var candidates = points.detach().to(_run.Images.dtype);
            nearest.Improve(_rowNumbers, candidates, _run.Norm.Of(candidates - Images), IsPositive(Margins()).logical_and(Bounds.Contain(candidates)));
        }

        return _pass;
    }

    /// <summary>Chooses the class that each image approaches and linearises the margin at the images.</summary>
    /// <remarks>Without a comparison of classes, the graph of the classification is used, so that no forward pass is needed.</remarks>
    /// <param name="norm">The norm of the attack.</param>
    /// <param name="candidates">The number of classes, those with the largest logits other than the label, that <see cref="Attack.Target"/> compares, if every class other than the label meets the criterion.</param>
    /// <returns>The linear model at the images, in the dispose scope of the caller.</returns>
    public LinearModel Start(Norm norm, int candidates = 9) => Start(_run.Target, norm, candidates, Objective.Gap, needsGap: true).Gap!;

    /// <summary>Linearises the margin at the points of the last pass, toward the class that was chosen by <see cref="Start(Norm, int)"/>. A pass can be linearised once.</summary>
    /// <param name="norm">The norm of the attack.</param>
    /// <returns>The linear model, in the dispose scope of the caller.</returns>
    /// <exception cref="InvalidOperationException">The pass has no graph, or it was linearised before.</exception>
    public LinearModel Linearize(Norm norm) => Linearize(norm, Objective.Gap);

    /// <summary>Returns the logits z in the last pass, shape [active, classes], without graph.</summary>
    /// <returns>The logits, in the dispose scope of the caller.</returns>
    public Tensor Logits() => Scoped(() => OfActive(Pass, Pass.Logits.detach()));

    /// <summary>Determines for each image whether it meets the criterion in the last pass, bool, shape [active].</summary>
    /// <returns>The flags.</returns>
    public Tensor IsFooled() => Scoped(() => Margins().gt(Scalars.Zero).logical_and(ForwardPass.HasPrediction(Logits())));

    /// <summary>Finishes the images that are fooled at the points of the last pass, have no usable gradient there or have reached the iteration limit.</summary>
    /// <param name="model">The linear model at these points.</param>
    /// <param name="iteration">The number of completed steps; after 0 steps no image counts as fooled.</param>
    /// <param name="maxIterations">The maximum number of steps per image.</param>
    /// <returns>The positions of the images that stay, int64, shape [kept], in the dispose scope of the caller.</returns>
    public Tensor Keep(LinearModel model, int iteration, int maxIterations) => Keep(model, iteration, maxIterations, [], out _, out _);

    /// <summary>Finishes images like <see cref="Keep(LinearModel, int, int)"/>, and reads flags at the same time.</summary>
    /// <param name="model">The linear model at the points of the last pass.</param>
    /// <param name="iteration">The number of completed steps.</param>
    /// <param name="maxIterations">The maximum number of steps per image.</param>
    /// <param name="flags">The flags to read, bool, shape [active].</param>
    /// <param name="stays">The flags of the images that stay.</param>
    /// <param name="read">The values of <paramref name="flags"/>, of the images that were active before.</param>
    /// <returns>The positions of the images that stay, int64, shape [kept], in the dispose scope of the caller.</returns>
    internal Tensor Keep(LinearModel model, int iteration, int maxIterations, IReadOnlyList<Tensor> flags, out bool[] stays, out bool[][] read)
    {
        ArgumentNullException.ThrowIfNull(model);
        using var scope = NewDisposeScope();
        var columns = TensorValues.ToColumns([OfActive(Pass, ForwardPass.HasPrediction(Pass.Logits)), iteration > 0 ? Margins() : model.Values, model.Values, model.Slopes, .. flags, .. _areTargetsNew ? [_targets!] : Array.Empty<Tensor>()]);
        var (hasPrediction, margins, values, slopes) = (columns[0], columns[1], columns[2], columns[3]);
        read = [.. columns[4..(4 + flags.Count)].Select(column => Array.ConvertAll(column, flag => flag > 0))];
        if (_areTargetsNew)
        {
            RecordTargets(Array.ConvertAll(columns[^1], target => (long)target));
        }

        var exits = new AttackExit?[Count];
        for (var position = 0; position < Count; position++)
        {
            exits[position] = hasPrediction[position] == 0 ? AttackExit.NotFinite
                : iteration > 0 && margins[position] > 0 ? AttackExit.Fooled
                : !double.IsFinite(values[position]) || !double.IsFinite(slopes[position]) ? AttackExit.NotFinite
                : slopes[position] == 0 ? AttackExit.ZeroGradient
                : iteration == maxIterations ? AttackExit.IterationLimit
                : null;
        }

        stays = Array.ConvertAll(exits, exit => exit is null);
        if (stays.Contains(false))
        {
            Finish(exits, _ => iteration, OfActive(Pass, Pass.Points.detach()));
        }

        return Keep(stays).MoveToOuterDisposeScope();
    }

    /// <summary>Removes the images whose flag is false.</summary>
    /// <param name="stays">The flag of each active image.</param>
    /// <returns>The positions of the images that stay, int64, shape [kept], in the dispose scope of the caller.</returns>
    public Tensor Keep(bool[] stays)
    {
        ArgumentNullException.ThrowIfNull(stays);
        if (stays.Length != Count)
        {
            throw new ArgumentException($"Each of the {Count} active images needs a flag, but {stays.Length} were given.", nameof(stays));
        }

        if (Array.TrueForAll(stays, stay => stay))
        {
            return PerSample.Positions(Count, _labels.device);
        }

        RecordTargets();
        var kept = Enumerable.Range(0, Count).Where(position => stays[position]).ToArray();
        var positions = Positions(kept);
        ForgetMargins();
        Replace(ref _rowNumbers, _rowNumbers.index_select(0, positions));
        Replace(ref _labels, _labels.index_select(0, positions));
        Replace(ref _indices, _indices.index_select(0, positions));
        if (_targets is not null)
        {
            Replace(ref _targets, _targets.index_select(0, positions));
        }

        _rows = [.. kept.Select(position => _rows[position])];
        return positions;
    }

    /// <summary>Records the exit reason of an image, and its adversarial image if it is fooled. The image remains in the batch until it is removed by <see cref="Keep(bool[])"/>.</summary>
    /// <param name="position">The position of the image.</param>
    /// <param name="exit">The exit reason.</param>
    /// <param name="iterations">The number of steps, which is added to those of earlier phases of the attack.</param>
    /// <param name="point">The adversarial image, shape […]; used only if the image is fooled.</param>
    /// <exception cref="ArgumentException">The point does not have the shape of an image.</exception>
    public void Finish(int position, AttackExit exit, int iterations, Tensor point)
    {
        ArgumentNullException.ThrowIfNull(point);
        if (exit == AttackExit.Fooled && !point.shape.SequenceEqual(_run.Images.shape[1..]))
        {
            throw new ArgumentException($"An adversarial image needs the shape of an image, [{string.Join(", ", _run.Images.shape[1..])}], but has [{string.Join(", ", point.shape)}].", nameof(point));
        }

        Finish(position, exit, iterations);
        if (exit == AttackExit.Fooled)
        {
            // A graph would keep the points of whole passes in memory as long as the result.
            _run.Adversarial[_rows[position]] = point.detach();
        }
    }

    /// <summary>Records the exit reasons of images, and the adversarial images of those that are fooled, with one copy.</summary>
    /// <param name="exits">The exit reason of each active image; null for those that are not finished.</param>
    /// <param name="iterations">The number of steps of the image at a position.</param>
    /// <param name="points">The adversarial images, shape [active, …], without graph; used where an image is fooled.</param>
    internal void Finish(IReadOnlyList<AttackExit?> exits, Func<int, int> iterations, Tensor points)
    {
        var fooled = new List<int>();
        for (var position = 0; position < Count; position++)
        {
            if (exits[position] is { } exit)
            {
                Finish(position, exit, iterations(position));
                if (exit == AttackExit.Fooled)
                {
                    fooled.Add(position);
                }
            }
        }

        if (fooled.Count > 0)
        {
            using var scope = NewDisposeScope();
            var positions = Positions(fooled);
            _run.Adversarial.index_copy_(0, _rowNumbers.Rows(positions), points.Rows(positions).to(_run.Adversarial.dtype));
        }
    }

    /// <summary>Records the exit reason of an image, without an adversarial image.</summary>
    /// <param name="position">The position of the image.</param>
    /// <param name="exit">The exit reason.</param>
    /// <param name="iterations">The number of steps, which is added to those of earlier phases of the attack.</param>
    internal void Finish(int position, AttackExit exit, int iterations)
    {
        var row = _rows[position];
        _run[row].Exit = exit;
        _run[row].Iterations += iterations;
    }

    /// <summary>Reports progress to the caller of the attack, if the caller listens.</summary>
    /// <param name="iteration">The number of completed iterations.</param>
    public void Report(int iteration) => _run.Report(iteration, Count);

    /// <summary>Reports progress of an attack whose batch does not shrink.</summary>
    /// <param name="iteration">The number of completed iterations.</param>
    /// <param name="active">The number of images that the attack still works on.</param>
    internal void Report(int iteration, int active) => _run.Report(iteration, active);

    /// <inheritdoc/>
    public void Dispose()
    {
        EndPass();
        _rowNumbers.Dispose();
        _labels.Dispose();
        _indices.Dispose();
        _targets?.Dispose();
    }

    /// <summary>Records the target classes, unless a call of <see cref="Keep(LinearModel, int, int)"/> since their choice has read them with other values.</summary>
    internal void RecordTargets()
    {
        if (_areTargetsNew)
        {
            RecordTargets(_targets!.ToLongs());
        }
    }

    /// <summary>Disposes the last pass, whose graph takes memory.</summary>
    internal void EndPass()
    {
        ForgetMargins();
        _pass?.Dispose();
        _pass = null;
    }

    /// <summary>Returns the counts and the exit reason of an image.</summary>
    /// <param name="row">The row of the image in the batch that was given to the attack.</param>
    internal AttackRun.Entry Entry(int row) => _run[row];

    /// <summary>Returns some of the active images as a batch of their own, with their target classes.</summary>
    /// <param name="positions">The positions of the images, ascending.</param>
    internal AttackedBatch Part(IReadOnlyList<int> positions)
    {
        RecordTargets();
        using var selected = Positions(positions);
        return new(_run, positions.Select(position => _rows[position]))
        {
            _targets = _targets?.index_select(0, selected).DetachFromDisposeScope(),
            _followsClass = _followsClass,
        };
    }

    /// <summary>Returns images of the attack as a batch of their own, whether or not they are finished; it follows the classes that were chosen for all of them.</summary>
    /// <param name="rows">The rows of the images in the batch that was given to the attack, ascending.</param>
    internal AttackedBatch OfRows(IReadOnlyList<int> rows)
    {
        var batch = new AttackedBatch(_run, rows);
        if (Criterion.ComparesClasses && rows.All(row => _run[row].Target >= 0))
        {
            using var targets = tensor(rows.Select(row => _run[row].Target).ToArray(), device: _labels.device);
            batch.SetTargets(targets, followsClass: true);
        }

        return batch;
    }

    /// <summary>Chooses the class that each image approaches and linearises the margin and the objective at the images.</summary>
    /// <param name="target">The selection of the class.</param>
    /// <param name="norm">The norm of the attack.</param>
    /// <param name="candidates">The number of classes that are compared.</param>
    /// <param name="objective">The objective to linearise; null for none.</param>
    /// <param name="needsGap">Whether to linearise the margin as well.</param>
    /// <param name="excluded">The classes of each image that are not chosen, bool, shape [active, classes]; null for none.</param>
    /// <param name="differentiable">Whether to compute gradients of the objective that can be differentiated again.</param>
    internal (LinearModel? Gap, LinearModel? Objective) Start(TargetSelection target, Norm norm, int candidates, Objective? objective, bool needsGap, Tensor? excluded = null, bool differentiable = false)
    {
        // A margin whose gradients are differentiated again takes a backward pass of its own.
        var isSame = objective == Objective.Gap && !differentiable;
        using var scope = NewDisposeScope();
        LinearModel? gap = null;
        var compares = Criterion.ComparesClasses && target != TargetSelection.Untargeted;
        if (compares || _pass is null)
        {
            // Comparing classes takes a backward pass per class, so it uses a pass of the attacked images only.
            Forward(Images);
        }

        if (compares)
        {
            gap = Choose(target, norm, candidates, excluded: excluded);
        }
        else
        {
            SetTargets(Criterion.Targets(_indices), followsClass: false);
            gap = needsGap || isSame ? Linearize(norm, Objective.Gap, keepGraph: !isSame) : null;
        }

        var model = objective is null || isSame ? null : Linearize(norm, objective.Value, differentiable);
        return (ToOuter(gap), isSame ? gap : ToOuter(model));

        static LinearModel? ToOuter(LinearModel? linear)
        {
            linear?.Map(tensor => tensor.MoveToOuterDisposeScope());
            return linear;
        }
    }

    /// <summary>Chooses the nearest or farthest class at the points of the last pass and linearises its margin; the graph is kept.</summary>
    /// <param name="target">Best or hardest.</param>
    /// <param name="norm">The norm of the attack.</param>
    /// <param name="candidates">The number of classes that are compared.</param>
    /// <param name="origins">The points from which distances are measured, shape [active, …]; null for the points of the pass.</param>
    /// <param name="excluded">The classes of each image that are not chosen, bool, shape [active, classes]; null for none.</param>
    /// <param name="isTarget">Whether to record the classes as the target classes of the results; false for those that an untargeted attack only follows.</param>
    internal LinearModel Choose(TargetSelection target, Norm norm, int candidates, Tensor? origins = null, Tensor? excluded = null, bool isTarget = true) => Scoped(() =>
    {
        var choice = ComparedClasses.Choose(Pass, Criterion, farthest: target == TargetSelection.Hardest, _labels, norm, candidates, origins, excluded);
        SetTargets(choice.Targets, followsClass: true, isTarget);
        return new LinearModel(choice.Margins, choice.Gradients, norm);
    });

    /// <summary>Sets the class that each image approaches from the next pass on, without recording it as the target class of the result.</summary>
    /// <param name="classes">The classes, shape [active]; −1 for the class other than the label with the largest logit at each point.</param>
    internal void Follow(IReadOnlyList<long> classes)
    {
        using var targets = tensor(classes.ToArray(), device: _labels.device);
        SetTargets(targets, followsClass: true, isRecorded: false);
    }

    /// <summary>Linearises an objective at the points of the last pass.</summary>
    /// <param name="norm">The norm of the attack.</param>
    /// <param name="objective">The objective.</param>
    /// <param name="differentiable">Whether to compute gradients that can be differentiated again.</param>
    /// <param name="keepGraph">Whether to keep the graph for another gradient.</param>
    internal LinearModel Linearize(Norm norm, Objective objective, bool differentiable = false, bool keepGraph = false) => Scoped(() =>
    {
        var (values, gradients) = Differentiate(objective, differentiable, keepGraph);
        return new LinearModel(values, gradients, norm);
    });

    /// <summary>Computes an objective at the points of the last pass, shape [active], and its gradients, shape [active, …].</summary>
    /// <param name="objective">The objective.</param>
    /// <param name="differentiable">Whether to compute gradients that can be differentiated again.</param>
    /// <param name="keepGraph">Whether to keep the graph for another gradient.</param>
    internal (Tensor Values, Tensor Gradients) Differentiate(Objective objective, bool differentiable = false, bool keepGraph = false)
    {
        using var scope = NewDisposeScope();
        var values = Values(objective);
        if (objective == Objective.Gap && !_followsClass)
        {
            _margins?.Dispose();
            _margins = values.detach().DetachFromDisposeScope();
        }

        var gradients = differentiable ? Pass.GradientsForProducts(values) : Pass.Gradients(values, keepGraph);
        return (values.detach().MoveToOuterDisposeScope(), OfActive(Pass, gradients).MoveToOuterDisposeScope());
    }

    /// <summary>Computes an objective in the last pass, attached to its graph, shape [active].</summary>
    /// <param name="objective">The objective.</param>
    internal Tensor Values(Objective objective) => Scoped(() => Values(objective, OfActive(Pass, Pass.Logits)));

    /// <summary>Computes the gradients of an objective at other points, without counting the passes.</summary>
    /// <param name="objective">The objective.</param>
    /// <param name="points">The points, shape [active, …].</param>
    internal Tensor UncountedGradients(Objective objective, Tensor points) => Scoped(() =>
    {
        using var pass = ForwardPass.At(Classifier, points);
        return pass.Gradients(Values(objective, pass.Logits));
    });

    /// <summary>Computes the margins of the criterion in the last pass, without graph, shape [active].</summary>
    internal Tensor Margins() => _margins?.alias() ?? Scoped(() => Criterion.CheckedMargins(Logits(), _labels, _indices));

    /// <summary>Determines for each image whether a margin in the last pass is positive by more than rounding, bool, shape [active].</summary>
    /// <remarks>A smaller margin may be a rounding error, which another batch rounds differently: the result would not be confirmed.</remarks>
    /// <param name="margins">The margins, shape [active].</param>
    internal Tensor IsPositive(Tensor margins) => Scoped(() =>
    {
        // Without a prediction no margin is positive.
        _smallestMargins ??= Scoped(() => OfActive(Pass, where(ForwardPass.HasPrediction(Pass.Logits), Pass.Ranges().Times(SmallestMargin * finfo(margins.dtype).eps), Pass.Ranges().Filled(double.PositiveInfinity)))).DetachFromDisposeScope();
        return margins.gt(_smallestMargins);
    });

    /// <summary>Counts products of the Hessian with a vector.</summary>
    /// <param name="products">The number of products of each image.</param>
    /// <param name="passes">The number of forward passes per product, and of backward passes per product, to count in addition. Products that exceed the passes left are not counted (see <see cref="WithinPasses"/>).</param>
    internal void CountProducts(IReadOnlyList<int> products, int passes)
    {
        foreach (var (row, count) in _rows.Zip(products))
        {
            var entry = _run[row];
            var counted = passes == 0 ? count : (int)Math.Min(count, entry.PassesLeft / (2 * passes));
            entry.Products += counted;
            entry.Forwards += passes * counted;
            entry.Backwards += passes * counted;
            entry.IsRefused |= counted < count;
        }
    }

    /// <summary>Limits products of the Hessian with a vector to the images whose passes suffice; the others get NaN.</summary>
    /// <param name="products">The products, each image of which is counted by <see cref="CountProducts"/> after the last of them.</param>
    /// <param name="passes">The number of forward passes per product, and of backward passes per product.</param>
    internal LinearOperator WithinPasses(LinearOperator products, int passes)
    {
        var number = 0;
        return vectors => Scoped(() =>
        {
            number++;
            using var nan = Scalars.Of(double.NaN);
            bool[] refused = [.. _rows.Select(row => _run[row].PassesLeft < 2L * passes * number)];
            return Array.TrueForAll(refused, flag => flag) ? full_like(vectors, nan)
                : Array.Exists(refused, flag => flag) ? products(vectors).masked_fill(PerSample.Broadcast(tensor(refused, device: vectors.device), vectors), nan)
                : products(vectors);
        });
    }

    /// <summary>Selects the active images of a tensor with one row per row of a pass; the tensor itself if these are the same.</summary>
    /// <param name="pass">The pass.</param>
    /// <param name="ofPass">The tensor.</param>
    internal Tensor OfActive(ForwardPass pass, Tensor ofPass)
    {
        if (pass.Rows.Count == Count)
        {
            return ofPass;
        }

        using var positions = Positions(Places(pass));
        return ofPass.index_select(0, positions);
    }

    /// <summary>Returns the positions of the active images among the rows of a pass.</summary>
    /// <param name="pass">A pass of these images, and of others that have been removed since.</param>
    internal IReadOnlyList<int> Places(ForwardPass pass)
    {
        var places = new int[Count];
        for (var (position, place) = (0, 0); position < Count; place++)
        {
            if (pass.Rows[place] == _rows[position])
            {
                places[position++] = place;
            }
        }

        return places;
    }

    private Tensor Values(Objective objective, Tensor logits)
    {
        if (objective == Objective.Gap)
        {
            return _followsClass ? Criterion.MarginsToward(logits, _labels, Followed(logits)) : Criterion.CheckedMargins(logits, _labels, _indices);
        }

        if (_targets is not null)
        {
            return CrossEntropy.Toward(logits, _targets);
        }

        using var underflows = CrossEntropy.Underflows(logits, _labels);
        _run.RecordUnderflows(_rowNumbers, underflows);
        return CrossEntropy.AwayFrom(logits, _labels);
    }

    private Tensor Followed(Tensor logits) => Scoped(() => where(_targets!.lt(Scalars.Zero), LogitGap.StrongestOther(logits, _labels), _targets!));

    private void ForgetMargins()
    {
        _margins?.Dispose();
        _smallestMargins?.Dispose();
        (_margins, _smallestMargins) = (null, null);
    }

    private void SetTargets(Tensor? targets, bool followsClass, bool isRecorded = true)
    {
        _targets?.Dispose();
        (_targets, _followsClass) = (targets?.alias().DetachFromDisposeScope(), followsClass);
        _areTargetsNew = isRecorded && targets is not null;
        if (isRecorded && targets is null)
        {
            RecordTargets(null);
        }
    }

    private void RecordTargets(long[]? classes)
    {
        _areTargetsNew = false;
        for (var position = 0; position < Count; position++)
        {
            _run[_rows[position]].Target = classes?[position] ?? -1;
        }
    }

    private Tensor OfActive(Tensor ofRun)
    {
        if (_rows.Length == ofRun.shape[0])
        {
            return ofRun.alias();
        }

        return ofRun.index_select(0, _rowNumbers);
    }

    private Tensor Positions(IReadOnlyList<int> positions) => PerSample.Positions(positions, _run.Images.device);

    private static void Replace(ref Tensor tensor, Tensor next)
    {
        tensor.Dispose();
        tensor = next.DetachFromDisposeScope();
    }
}
