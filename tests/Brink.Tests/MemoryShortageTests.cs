using static TorchSharp.torch;

namespace Brink.Tests;

public sealed class MemoryShortageTests
{
    [Fact]
    public void A_failed_allocation_of_libtorch_is_recognised_and_another_error_is_not()
    {
        using var scope = NewDisposeScope();
        Assert.True(MemoryShortage.Is(Record.Exception(() => empty(1L << 50))!));
        Assert.False(MemoryShortage.Is(Record.Exception(() => ones(2, 3).mm(ones(2, 3)))!));
    }
}
