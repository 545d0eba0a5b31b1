using static TorchSharp.torch;

namespace Brink.Training;

/// <summary>The images of one step, before normalisation.</summary>
/// <param name="Number">The number of the batch in the epoch, starting at 0.</param>
/// <param name="Pixels">The pixels in [0, 1], in the order [image, channel, row, column].</param>
/// <param name="Labels">The label of each image.</param>
/// <param name="Positions">The position of each image among all images of the data sets.</param>
internal sealed record Batch(int Number, float[] Pixels, long[] Labels, long[] Positions)
{
    /// <summary>Converts the batch to tensors with the type and device of a network.</summary>
    /// <param name="images">The pool of the images, for their size.</param>
    /// <param name="network">The network.</param>
    /// <returns>The images in [0, 1], shape [batch, channels, height, width], and the labels, int64, shape [batch].</returns>
    public (Tensor Pixels, Tensor Labels) ToTensors(ImagePool images, nn.Module network)
    {
        using var scope = NewDisposeScope();
        var like = network.parameters().First();
        var planes = tensor(Pixels, [Labels.Length, images.Channels, images.Height, images.Width]).to(like.dtype, like.device);
        // Channels last in memory: libtorch's convolutions on the CPU are a quarter faster in this layout for AlexLike.
        var pixels = planes.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);
        var labels = tensor(Labels).to(like.device);
        return (pixels.MoveToOuterDisposeScope(), labels.MoveToOuterDisposeScope());
    }
}

/// <summary>Creates the batches of an epoch: shuffles, crops and flips the images. All random draws are functions of the seed, the epoch and the image.</summary>
/// <param name="images">The training images.</param>
/// <param name="augmentation">The random transformations.</param>
/// <param name="seed">The seed.</param>
internal sealed class BatchAssembly(ImagePool images, Augmentation augmentation, long seed)
{
    private static readonly float[] Values = [.. Enumerable.Range(0, 256).Select(value => value / 255f)];

    /// <summary>Creates the batches of an epoch, starting with one of them.</summary>
    /// <param name="epoch">The epoch, starting at 0.</param>
    /// <param name="batchSize">The number of images per batch.</param>
    /// <param name="first">The number of the first batch, starting at 0.</param>
    public IEnumerable<Batch> Epoch(int epoch, int batchSize, int first)
    {
        var order = RandomNumbers.Permutation(images.Count, seed, RandomPurpose.Order, epoch);
        for (var number = first; number < images.Count / batchSize; number++)
        {
            yield return Assemble(number, epoch, order.AsSpan(number * batchSize, batchSize));
        }
    }

    /// <summary>Creates batches of all images in the order of the pool, transformed as in epoch 0. The last batch may be smaller.</summary>
    /// <param name="batchSize">The number of images per batch.</param>
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
            var position = images.Position(indices[row]);
            (batch.Labels[row], batch.Positions[row]) = (images.Label(indices[row]), position);
            Augment(images.Pixels(indices[row]), batch.Pixels.AsSpan(row * size, size), epoch, position);
        }

        return batch;
    }

    private void Augment(ReadOnlySpan<byte> pixels, Span<float> values, int epoch, int position)
    {
        var down = Shift(epoch, position, draw: 0);
        var right = Shift(epoch, position, draw: 1);
        var mirrored = augmentation.Flip && RandomNumbers.Below(2, seed, (long)RandomPurpose.Augmentation, epoch, position, 2) == 1;
        var (height, width) = (images.Height, images.Width);
        // The columns whose source is inside the image; the others stay black.
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

    private int Shift(int epoch, int position, int draw) => augmentation.Padding == 0
        ? 0
        : RandomNumbers.Below((2 * augmentation.Padding) + 1, seed, (long)RandomPurpose.Augmentation, epoch, position, draw) - augmentation.Padding;
}
