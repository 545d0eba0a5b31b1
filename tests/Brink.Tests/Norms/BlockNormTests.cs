using static TorchSharp.torch;

namespace Brink.Tests.Norms;

public sealed class BlockNormTests
{
    [Theory]
    [InlineData("l2")]
    [InlineData("linf")]
    [InlineData("l1")]
    public void The_norm_in_blocks_is_that_of_the_whole_image(string name)
    {
        using var scope = NewDisposeScope();
        var norm = Norm.Parse(name);
        using var generator = new Generator(1);
        // Two images of more than one block, whose last block is shorter.
        var (one, other) = (rand([2, 3, 1301, 1400], generator: generator), rand([2, 3, 1301, 1400], generator: generator));
        var blocks = BlockNorm.Of(norm, [one, other], parts => parts[1].to(ScalarType.Float64) - parts[0].to(ScalarType.Float64)).data<double>().ToArray();
        var whole = norm.Of(other.to(ScalarType.Float64) - one.to(ScalarType.Float64)).data<double>().ToArray();
        Assert.Equal(2, blocks.Length);
        Assert.All(blocks.Zip(whole), pair => Assert.Equal(pair.Second, pair.First, pair.Second * 1e-12));
    }
}
