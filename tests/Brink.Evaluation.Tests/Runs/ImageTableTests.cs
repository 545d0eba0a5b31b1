using Brink.Attacks;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;

namespace Brink.Evaluation.Tests.Runs;

public sealed class ImageTableTests
{
    /// <summary>Tables of different lengths have pages of different encodings.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(200_000)]
    public void A_table_is_read_as_it_was_written(int rows)
    {
        var random = new Random(1);
        var exits = Enum.GetValues<AttackExit>();
        var images = Enumerable.Range(0, rows).Select(row => new EvaluatedImage(
            row,
            new() { Label = row % 10, PredictionBefore = -1, PredictionAfter = random.NextInt64(), Target = 3, Exit = exits[random.Next(exits.Length)], L2 = random.NextDouble(), LInf = 0, L1 = random.NextDouble(), Relative = double.PositiveInfinity, Iterations = 7, Forwards = row, Backwards = 2, Underflowed = row % 3 == 0 },
            RelativeNormalized: 0)).ToArray();
        using var stream = new MemoryStream();
        ImageTable.Write(stream, images);
        var table = ImageTable.Read(stream.ToArray(), rows);
        Assert.Equal(
            images.Select(image => (image.Index, image.Outcome.Label, image.Outcome.PredictionAfter, image.Outcome.Exit, image.Outcome.L2, image.Outcome.L1, image.Outcome.Relative, (long)image.Outcome.Forwards + 2, image.Outcome.Underflowed)),
            table.Select(image => ((int)image.Index, image.Label, image.PredictionAfter, image.Exit, image.L2, image.L1, image.Relative, image.Passes, image.Underflowed)));
        Assert.Throws<InvalidDataException>(() => ImageTable.Read(stream.ToArray(), rows + 1));
    }

    /// <summary>Equal values take the least space in the file.</summary>
    [Fact]
    public void A_table_of_equal_rows_is_read()
    {
        var image = new EvaluatedImage(0, new() { Label = 0, PredictionBefore = 0, PredictionAfter = 0, Target = -1, Exit = AttackExit.Misclassified, L2 = 0, LInf = 0, L1 = 0, Relative = 0, Iterations = 0, Forwards = 1, Backwards = 0 }, 0);
        using var stream = new MemoryStream();
        ImageTable.Write(stream, [.. Enumerable.Repeat(image, 200_000)]);
        Assert.Equal(200_000, ImageTable.Read(stream.ToArray(), 200_000).Count);
    }
}
