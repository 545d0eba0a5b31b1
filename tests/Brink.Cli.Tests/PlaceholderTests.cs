namespace Brink.Cli.Tests;

public sealed class PlaceholderTests
{
    [Fact]
    public void Runs() => Assert.Equal(3f, TorchSharp.torch.ones(3).sum().item<float>());
}
