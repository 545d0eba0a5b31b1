using System.Buffers.Binary;
using Brink.Reports.Figures;

namespace Brink.Reports.Tests.Figures;

public sealed class HistoryFigureTests
{
    [Fact]
    public void The_figure_is_a_PNG_that_depends_on_the_numbers()
    {
        var figure = Draw(0.55);
        Assert.Equal([0x89, 0x50, 0x4E, 0x47], figure[..4]);
        Assert.Equal(1440, BinaryPrimitives.ReadInt32BigEndian(figure.AsSpan(16)));
        Assert.Equal(figure, Draw(0.55));
        Assert.NotEqual(figure, Draw(0.5));
        Assert.NotEqual(figure, Draw(null));
    }

    private static byte[] Draw(double? heldOut) =>
        HistoryFigure.Draw([1, 2], [("training images", [0.4, 0.5]), ("held-out images", [0.45, heldOut])], [1.5, 1.25]);
}
