namespace Brink.Training.Tests.Batches;

public sealed class BatchAssemblyTests
{
    private const int Side = 8;
    private const int Size = 3 * Side * Side;

    private static readonly ImagePool Pool = new(SmallTask.Images(40, seed: 4));

    [Fact]
    public void Without_augmentation_images_are_bytes_over_255_under_their_labels()
    {
        var batch = new BatchAssembly(Pool, Augmentation.None, seed: 1).Epoch(epoch: 2, batchSize: 10, first: 3).Single();
        for (var row = 0; row < 10; row++)
        {
            var place = (int)batch.Places[row];
            Assert.Equal(Pool.Label(place), batch.Labels[row]);
            Assert.Equal(Pool.Pixels(place).ToArray().Select(value => value / 255f), batch.Pixels.Skip(row * Size).Take(Size));
        }
    }

    [Fact]
    public void An_epoch_sees_every_image_once_and_each_epoch_in_another_order()
    {
        var assembly = new BatchAssembly(Pool, Augmentation.CropAndFlip, seed: 1);
        var orders = Enumerable.Range(0, 3).Select(epoch => assembly.Epoch(epoch, 8, 0).SelectMany(batch => batch.Places).ToArray()).ToArray();
        Assert.All(orders, order => Assert.Equal(Enumerable.Range(0, 40).Select(place => (long)place), order.Order()));
        Assert.Equal(3, orders.Select(order => string.Join(',', order)).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void A_batch_does_not_depend_on_where_the_epoch_was_begun()
    {
        var assembly = new BatchAssembly(Pool, Augmentation.CropAndFlip, seed: 1);
        var (whole, rest) = (assembly.Epoch(1, 8, 0).ElementAt(3), assembly.Epoch(1, 8, 3).First());
        Assert.Equal(3, rest.Number);
        Assert.Equal(whole.Pixels, rest.Pixels);
        Assert.Equal(whole.Places, rest.Places);
    }

    [Fact]
    public void Every_image_is_moved_and_mirrored_as_allowed_and_all_that_is_allowed_occurs()
    {
        var assembly = new BatchAssembly(Pool, new(Padding: 1, Flip: true), seed: 1);
        var seen = new HashSet<(int Down, int Right, bool Mirrored)>();
        for (var epoch = 0; epoch < 10; epoch++)
        {
            foreach (var batch in assembly.Epoch(epoch, 8, 0))
            {
                for (var row = 0; row < 8; row++)
                {
                    var pixels = Pool.Pixels((int)batch.Places[row]).ToArray();
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

    /// <summary>Pixel by pixel: what lies at (row, column) comes from (row + down, column + right), after mirroring.</summary>
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
