namespace Brink.Models;

/// <summary>How many bytes a file may turn into, so that a small file cannot claim all memory.</summary>
/// <remarks>
/// Two things grow: a deflated zip entry (about a thousandfold at most, more if entries overlap), and a tensor that shows the same
/// stored element many times (stride 0). Honest weights hardly compress, and expanded buffers are small.
/// </remarks>
/// <param name="fileLength">The real length of the file.</param>
internal sealed class ExpansionBudget(long fileLength)
{
    private const int MaximumRatio = 100;
    // A tiny file may honestly hold a compressed or expanded tensor of this size.
    private const long AlwaysAllowed = 1 << 20;

    private Int128 _left = ((Int128)fileLength * MaximumRatio) + AlwaysAllowed;

    /// <summary>Takes the bytes off; false, and nothing taken, if there are not that many left.</summary>
    public bool TrySpend(long bytes)
    {
        if (bytes > _left)
        {
            return false;
        }

        _left -= bytes;
        return true;
    }
}
