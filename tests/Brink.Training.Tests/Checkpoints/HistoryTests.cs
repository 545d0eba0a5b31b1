using System.Globalization;

namespace Brink.Training.Tests.Checkpoints;

public sealed class HistoryTests
{
    private static readonly EpochRecord[] Epochs =
    [
        new(1, 1.5, 0.4, 0.45, null, 0.1, 128, 12.34, 0.001),
        new(2, 1.25, 0.5, 0.55, null, 0.05, 128, 11.9, 0.002),
    ];

    [Theory]
    [InlineData("en-US")]
    [InlineData("de-DE")]
    public void The_table_has_a_line_per_epoch_with_the_columns_of_the_heading_in_every_culture(string culture)
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(culture);
            var lines = HistoryTable.Of(Epochs).TrimEnd('\n').Split('\n').Select(line => line.Split(',')).ToArray();
            Assert.Equal(3, lines.Length);
            Assert.All(lines, line => Assert.Equal(lines[0].Length, line.Length));
            Assert.Equal("1.25", lines[2][Array.IndexOf(lines[0], "loss")]);
            Assert.Equal("", lines[2][Array.IndexOf(lines[0], "test_accuracy")]);
            Assert.Equal("0.5500", lines[2][Array.IndexOf(lines[0], "held_out_accuracy")]);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}
