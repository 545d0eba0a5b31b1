using Brink.Optimization;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The books of one attack on one batch: what each image cost, how it ended, what came out.</summary>
internal sealed class AttackRun
{
    private readonly Entry[] _entries;
    private readonly IProgress<AttackProgress>? _progress;
    private readonly CancellationToken _cancellationToken;

    public AttackRun(IClassifier classifier, Tensor images, Tensor labels, IReadOnlyList<long>? indices, IProgress<AttackProgress>? progress, CancellationToken cancellationToken)
    {
        (Classifier, Images, Labels, _progress, _cancellationToken) = (classifier, images, labels, progress, cancellationToken);
        Indices = indices ?? [.. Enumerable.Range(0, (int)images.shape[0]).Select(row => (long)row)];
        Adversarial = images.clone();
        _entries = [.. Enumerable.Range(0, (int)images.shape[0]).Select(_ => new Entry())];
    }

    public IClassifier Classifier { get; }

    /// <summary>x, [batch, …].</summary>
    public Tensor Images { get; }

    /// <summary>y, int64 [batch].</summary>
    public Tensor Labels { get; }

    /// <summary>The place of each row's image in its data set, from which random draws follow.</summary>
    public IReadOnlyList<long> Indices { get; }

    /// <summary>The images, overwritten row by row as they are fooled.</summary>
    public Tensor Adversarial { get; }

    public Entry this[int row] => _entries[row];

    /// <summary>One forward pass of the given rows, counted.</summary>
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

    /// <summary>Counts backward passes of the given rows.</summary>
    /// <remarks>Also those of rows that the same graph's forward pass found fooled: the graph goes backward whole.</remarks>
    public void CountBackwards(ActiveRows rows, int passes = 1)
    {
        foreach (var row in rows.Rows)
        {
            _entries[row].Backwards += passes;
        }
    }

    /// <summary>Counts products with the Hessian.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="products">How many each of them took.</param>
    /// <param name="passes">How many forward passes, and as many backward passes, each product took that are counted as such too.</param>
    public void CountProducts(ActiveRows rows, IReadOnlyList<int> products, int passes)
    {
        foreach (var (row, count) in rows.Rows.Zip(products))
        {
            _entries[row].Products += count;
            _entries[row].Forwards += passes * count;
            _entries[row].Backwards += passes * count;
        }
    }

    /// <summary>Notes the attacked class of each of the given rows.</summary>
    public void SetTargets(ActiveRows rows, long[] targets)
    {
        foreach (var (row, target) in rows.Rows.Zip(targets))
        {
            _entries[row].Target = target;
        }
    }

    /// <summary>Closes the books of the rows that are done, which then leave.</summary>
    /// <param name="rows">The active rows.</param>
    /// <param name="points">Where they are, [active, …]; a point that fools becomes the row's adversarial image.</param>
    /// <param name="predictions">The predicted classes there, int64 [active].</param>
    /// <param name="fooled">Whether the points fool, bool [active].</param>
    /// <param name="model">The local model there.</param>
    /// <param name="norm">The norm of the attack.</param>
    /// <param name="iteration">The steps taken.</param>
    /// <param name="maxIterations">The most steps an image gets.</param>
    /// <returns>The positions of the rows that stay, among those active until now, int64.</returns>
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

    /// <summary>Closes the books of one row.</summary>
    /// <param name="row">The row.</param>
    /// <param name="exit">How it ended.</param>
    /// <param name="iterations">The steps taken.</param>
    /// <param name="point">Where it ended, the row's adversarial image if it is fooled.</param>
    public void Finish(int row, AttackExit exit, int iterations, Tensor point)
    {
        (_entries[row].Exit, _entries[row].Iterations) = (exit, iterations);
        if (exit == AttackExit.Fooled)
        {
            Adversarial[row] = point;
        }
    }

    public void Report(int iteration, int attacked, int active) => _progress?.Report(new(iteration, attacked, active));

    internal sealed class Entry
    {
        public AttackExit Exit { get; set; } = AttackExit.IterationLimit;

        public int Iterations { get; set; }

        public int Forwards { get; set; }

        public int Backwards { get; set; }

        public int Products { get; set; }

        public long Target { get; set; } = -1;
    }
}
