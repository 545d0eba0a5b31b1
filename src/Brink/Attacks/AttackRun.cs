using Brink.Optimization;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The per-image bookkeeping of one attack on one batch: passes, exit reasons and adversarial images.</summary>
internal sealed class AttackRun
{
    private readonly Entry[] _entries;
    private readonly IProgress<AttackProgress>? _progress;
    private readonly CancellationToken _cancellationToken;

    /// <summary>Initializes the bookkeeping of a batch.</summary>
    /// <param name="classifier">The classifier to attack.</param>
    /// <param name="images">The images x, shape [batch, …].</param>
    /// <param name="labels">The labels y, int64, shape [batch].</param>
    /// <param name="indices">The index of each image in its data set; null for 0, 1, 2 and so on.</param>
    /// <param name="progress">The receiver of progress reports; null for none.</param>
    /// <param name="cancellationToken">A token that stops the attack at the next forward pass.</param>
    public AttackRun(IClassifier classifier, Tensor images, Tensor labels, IReadOnlyList<long>? indices, IProgress<AttackProgress>? progress, CancellationToken cancellationToken)
    {
        (Classifier, Images, Labels, _progress, _cancellationToken) = (classifier, images, labels, progress, cancellationToken);
        Indices = indices ?? [.. Enumerable.Range(0, (int)images.shape[0]).Select(row => (long)row)];
        Adversarial = images.clone();
        _entries = [.. Enumerable.Range(0, (int)images.shape[0]).Select(_ => new Entry())];
    }

    /// <summary>The classifier to attack.</summary>
    public IClassifier Classifier { get; }

    /// <summary>The images x, shape [batch, …].</summary>
    public Tensor Images { get; }

    /// <summary>The labels y, int64, shape [batch].</summary>
    public Tensor Labels { get; }

    /// <summary>The index of each image in its data set, which determines its random draws.</summary>
    public IReadOnlyList<long> Indices { get; }

    /// <summary>The images, shape [batch, …]; a row is overwritten when its image is fooled.</summary>
    public Tensor Adversarial { get; }

    /// <summary>The counts, the target class and the exit reason of an image.</summary>
    /// <param name="row">The row of the image in the batch.</param>
    public Entry this[int row] => _entries[row];

    /// <summary>Runs one forward pass of the given rows and counts it.</summary>
    /// <param name="points">The points, shape [rows, …].</param>
    /// <param name="rows">The rows of the points.</param>
    /// <param name="keepGraph">Whether to keep the graph for gradients.</param>
    /// <exception cref="OperationCanceledException">The attack was cancelled.</exception>
    public ForwardPass Forward(Tensor points, ActiveRows rows, bool keepGraph = true)
    {
        _cancellationToken.ThrowIfCancellationRequested();
        var pass = ForwardPass.At(Classifier, points, keepGraph);
        foreach (var row in rows.Rows)
        {
            _entries[row].Forwards++;
        }

        return pass;
    }

    /// <summary>Computes the objective at the points of a pass, shape [rows], and marks the rows in which the cross-entropy underflows.</summary>
    /// <param name="objective">The objective.</param>
    /// <param name="target">The target selection of the attack.</param>
    /// <param name="pass">The pass.</param>
    /// <param name="rows">The rows of the pass.</param>
    /// <param name="labels">The labels y, int64, shape [rows].</param>
    /// <param name="targets">The target classes, int64, shape [rows].</param>
    public Tensor Objective(IObjective objective, TargetSelection target, ForwardPass pass, ActiveRows rows, Tensor labels, Tensor targets)
    {
        if (objective is CrossEntropy && target == TargetSelection.Untargeted)
        {
            using var underflows = CrossEntropy.Underflows(pass.Logits, labels);
            foreach (var (row, underflowed) in rows.Rows.Zip(underflows.ToBools()))
            {
                _entries[row].Underflowed |= underflowed && _entries[row].Exit == AttackExit.IterationLimit;
            }
        }

        return target.Values(objective, pass.Logits, labels, targets);
    }

    /// <summary>Counts backward passes of the given rows.</summary>
    /// <remarks>Rows that the forward pass of the same graph found fooled are counted too, because the backward pass covers the whole batch.</remarks>
    /// <param name="rows">The rows.</param>
    /// <param name="passes">The number of backward passes per row.</param>
    public void CountBackwards(ActiveRows rows, int passes = 1)
    {
        foreach (var row in rows.Rows)
        {
            _entries[row].Backwards += passes;
        }
    }

    /// <summary>Counts products of the Hessian with a vector.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="products">The number of products of each row.</param>
    /// <param name="passes">The number of forward passes per product, and of backward passes per product, to count in addition.</param>
    public void CountProducts(ActiveRows rows, IReadOnlyList<int> products, int passes)
    {
        foreach (var (row, count) in rows.Rows.Zip(products))
        {
            _entries[row].Products += count;
            _entries[row].Forwards += passes * count;
            _entries[row].Backwards += passes * count;
        }
    }

    /// <summary>Records the target class of each of the given rows.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="targets">The target class of each row; −1 if no class is chosen.</param>
    public void SetTargets(ActiveRows rows, long[] targets)
    {
        foreach (var (row, target) in rows.Rows.Zip(targets))
        {
            _entries[row].Target = target;
        }
    }

    /// <summary>Finishes the rows that are fooled, have no usable gradient or have reached the iteration limit, and keeps the others active.</summary>
    /// <param name="rows">The active rows; finished rows are removed.</param>
    /// <param name="points">The current points, shape [active, …]; the point of a fooled row becomes its adversarial image.</param>
    /// <param name="predictions">The predicted classes at the points, int64, shape [active].</param>
    /// <param name="fooled">The flags of the points that are fooled, bool, shape [active].</param>
    /// <param name="model">The linear model at the points.</param>
    /// <param name="norm">The norm of the attack.</param>
    /// <param name="iteration">The number of completed steps.</param>
    /// <param name="maxIterations">The maximum number of steps per image.</param>
    /// <returns>The positions of the kept rows among the rows that were active before, int64.</returns>
    public Tensor KeepActive(ActiveRows rows, Tensor points, Tensor predictions, Tensor fooled, LinearModel model, Norm norm, int iteration, int maxIterations)
    {
        using var scope = NewDisposeScope();
        var (classes, fools) = (predictions.ToLongs(), fooled.ToBools());
        var (values, slopes) = (model.Values.ToDoubles(), norm.Dual.Of(model.Gradients).ToDoubles());
        var stays = new bool[rows.Count];
        for (var position = 0; position < rows.Count; position++)
        {
            AttackExit? exit = fools[position] ? AttackExit.Fooled
                : classes[position] < 0 || !double.IsFinite(values[position]) || !double.IsFinite(slopes[position]) ? AttackExit.NotFinite
                : slopes[position] == 0 ? AttackExit.ZeroGradient
                : iteration == maxIterations ? AttackExit.IterationLimit
                : null;
            stays[position] = exit is null;
            if (exit is { } end)
            {
                Finish(rows.Rows[position], end, iteration, points[position]);
            }
        }

        return rows.Keep(stays).MoveToOuterDisposeScope();
    }

    /// <summary>Records the exit reason and the number of steps of one row, and its adversarial image if it is fooled.</summary>
    /// <param name="row">The row in the batch.</param>
    /// <param name="exit">The exit reason.</param>
    /// <param name="iterations">The number of completed steps, which is added to those before.</param>
    /// <param name="point">The last point of the row.</param>
    public void Finish(int row, AttackExit exit, int iterations, Tensor point)
    {
        _entries[row].Exit = exit;
        _entries[row].Iterations += iterations;
        if (exit == AttackExit.Fooled)
        {
            Adversarial[row] = point;
        }
    }

    /// <summary>Reports progress to the caller, if the caller listens.</summary>
    /// <param name="iteration">The number of completed iterations.</param>
    /// <param name="attacked">The number of attacked images.</param>
    /// <param name="active">The number of images that are still active.</param>
    public void Report(int iteration, int attacked, int active) => _progress?.Report(new(iteration, attacked, active));

    /// <summary>The counts, the target class and the exit reason of one image.</summary>
    internal sealed class Entry
    {
        private readonly List<long> _givenUp = [];

        /// <summary>The exit reason; the iteration limit until the image is finished.</summary>
        public AttackExit Exit { get; set; } = AttackExit.IterationLimit;

        /// <summary>The number of steps.</summary>
        public int Iterations { get; set; }

        /// <summary>The number of forward passes.</summary>
        public int Forwards { get; set; }

        /// <summary>The number of backward passes.</summary>
        public int Backwards { get; set; }

        /// <summary>The number of products of the Hessian with a vector.</summary>
        public int Products { get; set; }

        /// <summary>Indicates whether the cross-entropy underflowed at a point of the attack.</summary>
        public bool Underflowed { get; set; }

        /// <summary>The target class; −1 if no class is chosen.</summary>
        public long Target { get; set; } = -1;

        /// <summary>The target classes that the attack gave up, because the point was stuck at the bounds; −1 for the classes that an untargeted attack followed.</summary>
        public IReadOnlyList<long> GivenUp => _givenUp;

        /// <summary>Records that the point is stuck at the bounds and the target class is given up.</summary>
        public void GiveUpClass() => _givenUp.Add(Target);

        /// <summary>Determines whether the attack ended stuck at the bounds and has given up fewer classes than allowed.</summary>
        /// <param name="others">The number of classes that the attack may give up.</param>
        public bool CanTryAnotherClass(int others) =>
            Exit == AttackExit.ZeroGradient && _givenUp.Count > 0 && _givenUp[^1] == Target && _givenUp.Count(given => given >= 0) < others;
    }
}
