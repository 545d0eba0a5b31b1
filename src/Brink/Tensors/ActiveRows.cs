using static TorchSharp.torch;

namespace Brink.Tensors;

/// <summary>The rows of a batch that an attack still works on. Finished rows are removed and cause no further cost.</summary>
internal sealed class ActiveRows
{
    /// <summary>Initializes the set with the given rows.</summary>
    /// <param name="rows">The rows, ascending.</param>
    /// <param name="device">The device of the tensors to select from.</param>
    public ActiveRows(IEnumerable<int> rows, Device device)
    {
        Rows = [.. rows];
        Device = device;
    }

    /// <summary>The active rows of the batch, ascending.</summary>
    public IReadOnlyList<int> Rows { get; private set; }

    /// <summary>The number of active rows.</summary>
    public int Count => Rows.Count;

    private Device Device { get; }

    /// <summary>Selects the active rows of a tensor.</summary>
    /// <param name="wholeBatch">A tensor with one row per image of the batch.</param>
    public Tensor Select(Tensor wholeBatch)
    {
        using var indices = tensor(Rows.Select(row => (long)row).ToArray(), device: Device);
        return wholeBatch.index_select(0, indices);
    }

    /// <summary>Removes the rows whose flag is false.</summary>
    /// <param name="stays">The flag of each active row.</param>
    /// <returns>The positions of the kept rows among the rows that were active before, int64, shape [kept].</returns>
    public Tensor Keep(bool[] stays)
    {
        var kept = Enumerable.Range(0, Count).Where(position => stays[position]).ToArray();
        Rows = [.. kept.Select(position => Rows[position])];
        return tensor(kept.Select(position => (long)position).ToArray(), device: Device);
    }
}
