using Brink.Evaluation.Runs;
using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Reports.Pictures;

/// <summary>The predicted classes on a grid in a plane.</summary>
internal sealed class SliceMap
{
    /// <summary>513 (ours: as fine as a picture), of which every sixteenth is always asked for and the others only where those around them disagree.</summary>
    internal const int Side = 513;

    private const int Coarsest = 16;
    private const int Batch = 128;
    private const int Unknown = int.MinValue;

    private readonly int[] _classes = new int[Side * Side];

    private SliceMap() => Array.Fill(_classes, Unknown);

    /// <summary>The class at a node, row 0 at the top; −1 where the network gave no numbers.</summary>
    public int this[int row, int column] => _classes[(row * Side) + column];

    /// <summary>Asks the network.</summary>
    /// <param name="model">The network.</param>
    /// <param name="shape">The shape of an image.</param>
    /// <param name="point">The point at a node, by row and column.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="cancellationToken">Stops between two batches.</param>
    public static SliceMap Of(OpenedModel model, long[] shape, Func<int, int, float[]> point, Device device, CancellationToken cancellationToken)
    {
        var map = new SliceMap();
        map.Ask(Nodes(Coarsest), model, shape, point, device, cancellationToken);
        for (var step = Coarsest; step > 1; step /= 2)
        {
            var open = Nodes(step / 2).Where(node => !map.Settle(node.Row, node.Column, step)).ToArray();
            map.Ask(open, model, shape, point, device, cancellationToken);
        }

        return map;
    }

    private static IEnumerable<(int Row, int Column)> Nodes(int step)
    {
        for (var row = 0; row < Side; row += step)
        {
            for (var column = 0; column < Side; column += step)
            {
                yield return (row, column);
            }
        }
    }

    /// <summary>Whether a node is known, or known now because the corners of its coarse cell agree.</summary>
    private bool Settle(int row, int column, int step)
    {
        if (this[row, column] != Unknown)
        {
            return true;
        }

        int top = row / step * step, left = column / step * step;
        int bottom = Math.Min(top + step, Side - 1), right = Math.Min(left + step, Side - 1);
        var corner = this[top, left];
        if (corner != this[top, right] || corner != this[bottom, left] || corner != this[bottom, right])
        {
            return false;
        }

        _classes[(row * Side) + column] = corner;
        return true;
    }

    private void Ask(IEnumerable<(int Row, int Column)> nodes, OpenedModel model, long[] shape, Func<int, int, float[]> point, Device device, CancellationToken cancellationToken)
    {
        using var withoutGradients = no_grad();
        using var evaluation = model.Classifier.EnterEvaluation();
        foreach (var batch in nodes.Chunk(Batch))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var points = tensor(batch.SelectMany(node => point(node.Row, node.Column)).ToArray(), [batch.Length, .. shape]).to(device);
            // Outside the bounds there are no images; the nearest one answers.
            var logits = model.Classifier.Logits(model.Classifier.Bounds.Clamp(points));
            var classes = logits.argmax(1).where(logits.isfinite().all(1), full_like(logits.argmax(1), Scalars.MinusOne)).cpu().data<long>().ToArray();
            foreach (var (node, found) in batch.Zip(classes))
            {
                _classes[(node.Row * Side) + node.Column] = (int)found;
            }
        }
    }
}
