using static TorchSharp.torch;

namespace Brink.Tensors;

/// <summary>The images of a batch that are still to be fooled. Rows that are done leave, and cost nothing from then on.</summary>
internal sealed class ActiveRows
{
    /// <summary>Starts with the given rows of the batch.</summary>
    public ActiveRows(IEnumerable<int> rows, Device device)
    {
        Rows = [.. rows];
        Device = device;
    }

    /// <summary>The positions in the batch of the rows still active, ascending.</summary>
    public IReadOnlyList<int> Rows { get; private set; }

    /// <summary>The number of active rows.</summary>
    public int Count => Rows.Count;

    private Device Device { get; }

    /// <summary>The active rows of a tensor that has a row for every image of the batch.</summary>
    public Tensor Select(Tensor wholeBatch)
    {
        using var indices = tensor(Rows.Select(row => (long)row).ToArray(), device: Device);
        return wholeBatch.index_select(0, indices);
    }

    /// <summary>Keeps the rows for which <paramref name="stays"/> is true, and gives their positions among the rows active until now.</summary>
    /// <param name="stays">One value an active row.</param>
    /// <returns>Positions, int64 [rows kept], with which the state of active rows is to be narrowed.</returns>
    public Tensor Keep(bool[] stays)
    {
        var kept = Enumerable.Range(0, Count).Where(position => stays[position]).ToArray();
        Rows = [.. kept.Select(position => Rows[position])];
        return tensor(kept.Select(position => (long)position).ToArray(), device: Device);
    }
}
