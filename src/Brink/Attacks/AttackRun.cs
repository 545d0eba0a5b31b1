using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The record of one attack on one batch: all images, and their passes, exit reasons and adversarial images.</summary>
internal sealed class AttackRun
{
    private readonly Entry[] _entries;
    private readonly IProgress<AttackProgress>? _progress;
    private readonly CancellationToken _cancellationToken;
    private readonly Tensor _underflowed;
    private bool _hasUnderflows;

    /// <summary>Initializes the record of a batch.</summary>
    /// <param name="classifier">The classifier to attack.</param>
    /// <param name="criterion">The criterion of success.</param>
    /// <param name="target">The selection of the class that the attack approaches.</param>
    /// <param name="norm">The norm of the attack.</param>
    /// <param name="images">The images x, shape [batch, …].</param>
    /// <param name="labels">The labels y, int64, shape [batch].</param>
    /// <param name="indices">The index of each image in its data set.</param>
    /// <param name="maxPasses">The maximum number of passes per image; null for no limit.</param>
    /// <param name="progress">The receiver of progress reports; null for none.</param>
    /// <param name="cancellationToken">A token that stops the attack at the next forward pass.</param>
    public AttackRun(IClassifier classifier, Criterion criterion, TargetSelection target, Norm norm, Tensor images, Tensor labels, IReadOnlyList<long> indices, int? maxPasses, IProgress<AttackProgress>? progress, CancellationToken cancellationToken)
    {
        (Classifier, Criterion, Target, Norm, Images, Labels, Indices, _progress, _cancellationToken) = (classifier, criterion.PreparedFor(labels.device), target, norm, images, labels, indices, progress, cancellationToken);
        IndexTensor = tensor(indices.ToArray(), device: labels.device);
        Bounds = classifier.Bounds.PreparedFor(images);
        _underflowed = zeros_like(labels, ScalarType.Bool);
        Adversarial = images.clone();
        Nearest = maxPasses is null ? null : new(images);
        _entries = [.. labels.ToLongs().Select(label => new Entry { Label = label, MaxPasses = maxPasses ?? long.MaxValue })];
    }

    /// <summary>The classifier to attack.</summary>
    public IClassifier Classifier { get; }

    /// <summary>The bounds of the classifier, prepared for the images.</summary>
    public Bounds Bounds { get; }

    /// <summary>The criterion of success.</summary>
    public Criterion Criterion { get; }

    /// <summary>The selection of the class that the attack approaches.</summary>
    public TargetSelection Target { get; }

    /// <summary>The norm of the attack.</summary>
    public Norm Norm { get; }

    /// <summary>The images x, shape [batch, …].</summary>
    public Tensor Images { get; }

    /// <summary>The labels y, int64, shape [batch].</summary>
    public Tensor Labels { get; }

    /// <summary>The index of each image in its data set, which determines its random draws.</summary>
    public IReadOnlyList<long> Indices { get; }

    /// <summary>The indices as a tensor, int64, shape [batch].</summary>
    public Tensor IndexTensor { get; }

    /// <summary>The images, shape [batch, …]; a row is overwritten when its image is fooled.</summary>
    public Tensor Adversarial { get; }

    /// <summary>The nearest adversarial point of all forward passes of each image, which is its result if it runs out of passes; null without a maximum number of passes.</summary>
    public NearestAdversarialPoints? Nearest { get; }

    /// <summary>The number of images that are attacked.</summary>
    public int Attacked { get; private set; }

    /// <summary>The counts, the target class and the exit reason of an image.</summary>
    /// <param name="row">The row of the image in the batch.</param>
    public Entry this[int row] => _entries[row];

    /// <summary>Classifies all images and returns those to attack: classified correctly, without meeting the criterion already.</summary>
    /// <param name="keepGraph">Whether to keep the graph of the pass for the first gradients.</param>
    public AttackedBatch Classify(bool keepGraph)
    {
        var rows = Enumerable.Range(0, _entries.Length).ToArray();
        // A backward pass covers images that are not attacked too. They are not counted, because the counts of an image must not depend on the other
        // images of its batch.
        var attacked = new List<int>();
        // Which images are classified correctly is a result, not a part of the search.
        using var precision = TensorFloat32.Pass(Images.device, isSearch: false);
        var first = Forward(Images, rows, keepGraph, countBackward: () =>
            Count(attacked, entry => entry.Backwards++) is { } counted ? [.. rows.Select(row => attacked.IndexOf(row) is >= 0 and var place && counted[place])] : null);
        try
        {
            using var scope = NewDisposeScope();
            var columns = TensorValues.ToColumns(first.Predictions(), Criterion.Skips(first.Logits, Labels, IndexTensor));
            var (predictions, isSkipped) = (Array.ConvertAll(columns[0], prediction => (long)prediction), Array.ConvertAll(columns[1], flag => flag > 0));
            foreach (var row in rows)
            {
                var entry = _entries[row];
                entry.PredictionBefore = predictions[row];
                entry.Exit = predictions[row] != entry.Label ? AttackExit.Misclassified : isSkipped[row] ? AttackExit.Skipped : AttackExit.IterationLimit;
                if (entry.Exit == AttackExit.IterationLimit)
                {
                    attacked.Add(row);
                }
            }

            Attacked = attacked.Count;
            return new(this, attacked, first);
        }
        catch
        {
            first.Dispose();
            throw;
        }
    }

    /// <summary>Runs one forward pass of the rows that have a pass left, and counts it. The logits of the other rows are NaN.</summary>
    /// <param name="points">The points, shape [rows, …].</param>
    /// <param name="rows">The rows of the points.</param>
    /// <param name="keepGraph">Whether to keep the graph for gradients.</param>
    /// <param name="countBackward">A function that counts a backward pass (see <see cref="ForwardPass.CountBackward"/>); null to count it for all rows.</param>
    /// <exception cref="OperationCanceledException">The attack was cancelled.</exception>
    public ForwardPass Forward(Tensor points, IReadOnlyList<int> rows, bool keepGraph, Func<bool[]?>? countBackward = null)
    {
        _cancellationToken.ThrowIfCancellationRequested();
        // Rows that the pass finds fooled are counted too, because a backward pass covers all rows of its graph.
        return ForwardPass.At(Classifier, points, keepGraph, rows, Count(rows, entry => entry.Forwards++), countBackward ?? (() => Count(rows, entry => entry.Backwards++)));
    }

    /// <summary>Reports progress to the caller, if the caller listens.</summary>
    /// <param name="iteration">The number of completed iterations.</param>
    /// <param name="active">The number of images that are still active.</param>
    public void Report(int iteration, int active) => _progress?.Report(new(iteration, Attacked, active));

    /// <summary>Classifies all images of the result in one fresh forward pass, which alone decides about success, and measures the perturbations.</summary>
    public AttackResult Confirm()
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        FinishRefused();
        foreach (var entry in _entries)
        {
            entry.PredictionAfter = entry.PredictionBefore;
        }

        if (_entries.Any(entry => entry.Exit == AttackExit.Fooled))
        {
            using var fresh = ForwardPass.At(Classifier, Adversarial, keepGraph: false);
            var columns = TensorValues.ToColumns(Criterion.IsMet(fresh.Logits, Labels, IndexTensor).logical_and(Bounds.Contain(Adversarial)), fresh.Predictions());
            var unconfirmed = new List<int>();
            foreach (var (row, entry) in _entries.Index().Where(entry => entry.Item.Exit == AttackExit.Fooled))
            {
                if (columns[0][row] > 0)
                {
                    entry.PredictionAfter = (long)columns[1][row];
                }
                else
                {
                    entry.Exit = AttackExit.Unconfirmed;
                    unconfirmed.Add(row);
                }
            }

            SetAdversarial(unconfirmed, Images);
        }

        var underflowed = _hasUnderflows ? _underflowed.ToBools() : null;
        var lengths = PerturbationLengths.Of(Images, Adversarial, Norm);
        var outcomes = _entries.Select((entry, row) => new Outcome
        {
            Label = entry.Label,
            PredictionBefore = entry.PredictionBefore,
            PredictionAfter = entry.PredictionAfter,
            Target = entry.Target,
            Exit = entry.Exit,
            L2 = lengths.L2[row],
            LInf = lengths.LInf[row],
            L1 = lengths.L1[row],
            Relative = lengths.Relative[row],
            Iterations = entry.Iterations,
            Forwards = entry.Forwards,
            Backwards = entry.Backwards,
            Products = entry.Products,
            Underflowed = underflowed?[row] ?? false,
        });
        return new(Adversarial.DetachFromDisposeScope(), [.. outcomes]);
    }

    /// <summary>Records where the cross-entropy underflowed at a point of the attack. Nothing is read before the end.</summary>
    /// <param name="rows">The rows, int64, shape [active].</param>
    /// <param name="underflows">The flags of these rows, bool, shape [active].</param>
    public void RecordUnderflows(Tensor rows, Tensor underflows)
    {
        using var scope = NewDisposeScope();
        _hasUnderflows = true;
        _underflowed.index_copy_(0, rows, _underflowed.index_select(0, rows).logical_or(underflows));
    }

    /// <summary>Finishes the images that ran out of passes: the result is the nearest adversarial point of their passes, unless the attack has a nearer one.</summary>
    private void FinishRefused()
    {
        if (Nearest is null || !Array.Exists(_entries, entry => entry.IsRefused))
        {
            return;
        }

        var (recorded, own) = (Nearest.Lengths.ToDoubles(), Norm.Of(Adversarial - Images).ToDoubles());
        var nearer = new List<int>();
        foreach (var (row, entry) in _entries.Index().Where(entry => entry.Item.IsRefused))
        {
            if (double.IsFinite(recorded[row]) && (entry.Exit != AttackExit.Fooled || recorded[row] < own[row]))
            {
                entry.Exit = AttackExit.Fooled;
                nearer.Add(row);
            }
            else if (entry.Exit != AttackExit.Fooled)
            {
                entry.Exit = AttackExit.PassLimit;
            }
        }

        SetAdversarial(nearer, Nearest.Points);
    }

    /// <summary>Replaces the adversarial images of some rows by the same rows of other images.</summary>
    private void SetAdversarial(List<int> rows, Tensor images)
    {
        if (rows.Count > 0)
        {
            using var positions = PerSample.Positions(rows, Adversarial.device);
            using var selected = images.index_select(0, positions);
            Adversarial.index_copy_(0, positions, selected);
        }
    }

    /// <summary>Counts a pass of the rows that have one left, and refuses it to the others.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="count">An action that counts the pass.</param>
    /// <returns>The flags of the rows that have the pass; null if all have it.</returns>
    private bool[]? Count(IReadOnlyList<int> rows, Action<Entry> count)
    {
        var counted = new bool[rows.Count];
        for (var position = 0; position < counted.Length; position++)
        {
            var entry = _entries[rows[position]];
            counted[position] = entry.PassesLeft > 0;
            if (counted[position])
            {
                count(entry);
            }
            else
            {
                entry.IsRefused = true;
            }
        }

        return Array.TrueForAll(counted, flag => flag) ? null : counted;
    }

    /// <summary>The counts, the target class and the exit reason of one image.</summary>
    internal sealed class Entry
    {
        /// <summary>The label.</summary>
        public required long Label { get; init; }

        /// <summary>The predicted class before the attack; −1 for none.</summary>
        public long PredictionBefore { get; set; }

        /// <summary>The predicted class of the returned image; −1 for none.</summary>
        public long PredictionAfter { get; set; }

        /// <summary>The exit reason; the iteration limit until the image is finished.</summary>
        public AttackExit Exit { get; set; } = AttackExit.IterationLimit;

        /// <summary>The number of steps.</summary>
        public int Iterations { get; set; }

        /// <summary>The number of forward passes.</summary>
        public int Forwards { get; set; }

        /// <summary>The number of backward passes.</summary>
        public int Backwards { get; set; }

        /// <summary>The maximum number of passes.</summary>
        public long MaxPasses { get; init; } = long.MaxValue;

        /// <summary>Indicates whether a pass was refused because none was left. No further pass follows.</summary>
        public bool IsRefused { get; set; }

        /// <summary>The number of passes that are left.</summary>
        public long PassesLeft => IsRefused ? 0 : MaxPasses - Forwards - Backwards;

        /// <summary>The number of products of the Hessian with a vector.</summary>
        public int Products { get; set; }

        /// <summary>The target class; −1 if no class is chosen.</summary>
        public long Target { get; set; } = -1;
    }
}
