namespace Brink.Training;

/// <summary>Puts batches together: which images, in which order, how cropped and flipped. All of it follows from the seed, the epoch and the image.</summary>
/// <param name="images">The images to train on.</param>
/// <param name="augmentation">What is done to them.</param>
/// <param name="seed">The seed.</param>
internal sealed class BatchAssembly(ImagePool images, Augmentation augmentation, long seed)
{
    private static readonly float[] Values = [.. Enumerable.Range(0, 256).Select(value => value / 255f)];

    /// <summary>The batches of an epoch from one of them on.</summary>
    public IEnumerable<Batch> Epoch(int epoch, int batchSize, int first)
    {
        var order = RandomNumbers.Permutation(images.Count, seed, Draw.Order, epoch);
        for (var number = first; number < images.Count / batchSize; number++)
        {
            yield return Assemble(number, epoch, order.AsSpan(number * batchSize, batchSize));
        }
    }

    /// <summary>All images in their own order, the last batch shorter where they do not go up, augmented as in epoch 0.</summary>
    public IEnumerable<Batch> InOrder(int batchSize)
    {
        for (var start = 0; start < images.Count; start += batchSize)
        {
            yield return Assemble(start / batchSize, epoch: 0, [.. Enumerable.Range(start, Math.Min(batchSize, images.Count - start))]);
        }
    }

    private Batch Assemble(int number, int epoch, ReadOnlySpan<int> indices)
    {
        var size = images.Channels * images.Height * images.Width;
        var batch = new Batch(number, new float[indices.Length * size], new long[indices.Length], new long[indices.Length]);
        for (var row = 0; row < indices.Length; row++)
        {
            var place = images.Place(indices[row]);
            (batch.Labels[row], batch.Places[row]) = (images.Label(indices[row]), place);
            Augment(images.Pixels(indices[row]), batch.Pixels.AsSpan(row * size, size), epoch, place);
        }

        return batch;
    }

    private void Augment(ReadOnlySpan<byte> pixels, Span<float> values, int epoch, int place)
    {
        var down = Shift(epoch, place, draw: 0);
        var right = Shift(epoch, place, draw: 1);
        var mirrored = augmentation.Flip && RandomNumbers.Below(2, seed, (long)Draw.Augmentation, epoch, place, 2) == 1;
        var (height, width) = (images.Height, images.Width);
        // The columns whose source lies within the image; the others stay black.
        var (from, to) = (Math.Max(0, -right), Math.Min(width, width - right));
        for (var line = 0; line < images.Channels * height; line++)
        {
            var row = line % height;
            if (row + down < 0 || row + down >= height)
            {
                continue;
            }

            var source = pixels.Slice((line + down) * width, width);
            var target = values.Slice(line * width, width);
            for (var column = from; column < to; column++)
            {
                target[mirrored ? width - 1 - column : column] = Values[source[column + right]];
            }
        }
    }

    private int Shift(int epoch, int place, int draw) => augmentation.Padding == 0
        ? 0
        : RandomNumbers.Below((2 * augmentation.Padding) + 1, seed, (long)Draw.Augmentation, epoch, place, draw) - augmentation.Padding;
}
