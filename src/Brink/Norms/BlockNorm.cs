using static TorchSharp.torch;

namespace Brink;

/// <summary>Computes norms in double precision without copies of whole images in that precision.</summary>
internal static class BlockNorm
{
    // 2²² entries, 32 MB in double precision; images up to 1182×1182 pixels are one block, so that their sums are those of one pass.
    private const long Entries = 1 << 22;

    /// <summary>Computes the norm of a value that is computed from images entry by entry.</summary>
    /// <param name="norm">The norm.</param>
    /// <param name="images">Images of one shape, [batch, …].</param>
    /// <param name="value">The function that computes the value, float64, from the same rows of all images.</param>
    /// <returns>The norm of each image, float64, shape [batch].</returns>
    public static Tensor Of(Norm norm, IReadOnlyList<Tensor> images, Func<IReadOnlyList<Tensor>, Tensor> value)
    {
        using var scope = NewDisposeScope();
        var first = images[0];
        // The rows of [batch, channels, height, width]; other shapes have few entries.
        var (axis, length) = (2, first.dim() == 4 ? first.shape[2] : 1);
        var perRow = first.numel() / first.shape[0] / length;
        if (first.dim() != 4 || perRow * length <= Entries)
        {
            return norm.Of(value(images)).MoveToOuterDisposeScope();
        }

        var step = Math.Max(1, Entries / perRow);
        var batches = new List<Tensor>();
        for (var image = 0L; image < first.shape[0]; image++)
        {
            var parts = new List<Tensor>();
            for (var start = 0L; start < length; start += step)
            {
                using var inner = NewDisposeScope();
                var rows = images.Select(tensor => tensor.narrow(0, image, 1).narrow(axis, start, Math.Min(step, length - start))).ToArray();
                parts.Add(norm.Of(value(rows)).MoveToOuterDisposeScope());
            }

            // The norm of the norms of the parts is the norm of the whole.
            batches.Add(norm.Of(cat(parts).unsqueeze(0)));
        }

        return cat(batches).MoveToOuterDisposeScope();
    }
}
