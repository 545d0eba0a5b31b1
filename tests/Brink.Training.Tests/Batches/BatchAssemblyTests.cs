namespace Brink.Training.Tests.Batches;

public sealed class BatchAssemblyTests
{
    private const int Side = 8;
    private const int Size = 3 * Side * Side;

    private static readonly ImagePool Pool = new(SmallTask.Images(40, seed: 4));

    [Fact]
    public void Without_augmentation_pixels_are_bytes_divided_by_255_with_their_labels()
    {
        var batch = new BatchAssembly(Pool, Augmentation.None, seed: 1).Epoch(epoch: 2, batchSize: 10, first: 3).Single();
        for (var row = 0; row < 10; row++)
        {
            var position = (int)batch.Positions[row];
            Assert.Equal(Pool.Label(position), batch.Labels[row]);
            Assert.Equal(Pool.Pixels(position).ToArray().Select(value => value / 255f), batch.Pixels.Skip(row * Size).Take(Size));
        }
    }

    [Fact]
    public void An_epoch_contains_every_image_once_in_an_order_of_its_own()
    {
        var assembly = new BatchAssembly(Pool, Augmentation.CropAndFlip, seed: 1);
        var orders = Enumerable.Range(0, 3).Select(epoch => assembly.Epoch(epoch, 8, 0).SelectMany(batch => batch.Positions).ToArray()).ToArray();
        Assert.All(orders, order => Assert.Equal(Enumerable.Range(0, 40).Select(place => (long)place), order.Order()));
        Assert.Equal(3, orders.Select(order => string.Join(',', order)).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void A_batch_does_not_depend_on_the_first_batch()
    {
        var assembly = new BatchAssembly(Pool, Augmentation.CropAndFlip, seed: 1);
        var (whole, rest) = (assembly.Epoch(1, 8, 0).ElementAt(3), assembly.Epoch(1, 8, 3).First());
        Assert.Equal(3, rest.Number);
        Assert.Equal(whole.Pixels, rest.Pixels);
        Assert.Equal(whole.Positions, rest.Positions);
    }

    [Fact]
    public void Only_the_allowed_shifts_and_flips_occur_and_all_of_them_do()
    {
        var assembly = new BatchAssembly(Pool, new(Padding: 1, Flip: true), seed: 1);
        var seen = new HashSet<(int Down, int Right, bool Mirrored)>();
        for (var epoch = 0; epoch < 10; epoch++)
        {
            foreach (var batch in assembly.Epoch(epoch, 8, 0))
            {
                for (var row = 0; row < 8; row++)
                {
                    var pixels = Pool.Pixels((int)batch.Positions[row]).ToArray();
                    var values = batch.Pixels.AsSpan(row * Size, Size).ToArray();
                    seen.Add(Assert.Single(Moves(1), move => values.SequenceEqual(Moved(pixels, move))));
                }
            }
        }

        Assert.Equal(Moves(1).Order(), seen.Order());
    }

    private static IEnumerable<(int Down, int Right, bool Mirrored)> Moves(int padding) =>
        from down in Enumerable.Range(-padding, (2 * padding) + 1)
        from right in Enumerable.Range(-padding, (2 * padding) + 1)
        from mirrored in new[] { false, true }
        select (down, right, mirrored);

    /// <summary>Shifts and mirrors pixel by pixel: the pixel at (row, column) is that at (row + down, column + right), after mirroring.</summary>
    private static float[] Moved(byte[] pixels, (int Down, int Right, bool Mirrored) move)
    {
        var values = new float[Size];
        for (var index = 0; index < Size; index++)
        {
            var (channel, row, column) = (index / (Side * Side), index / Side % Side, index % Side);
            var (fromRow, fromColumn) = (row + move.Down, (move.Mirrored ? Side - 1 - column : column) + move.Right);
            if (fromRow is >= 0 and < Side && fromColumn is >= 0 and < Side)
            {
                values[index] = pixels[(((channel * Side) + fromRow) * Side) + fromColumn] / 255f;
            }
        }

        return values;
    }
}
