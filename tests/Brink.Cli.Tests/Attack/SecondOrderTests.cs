namespace Brink.Cli.Tests.Attack;

public sealed class SecondOrderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Hessian_products_are_stored_and_printed()
    {
        var folder = _folder["results"];
        var printed = Invocation.Of("attack", "--attack", "tr2[radius-start=0.5,radius-largest=1]", "--objective", "cross-entropy", "--limit", "8", "--quiet", "--out", folder).AssertDone().Output;
        using var files = new ResultFiles(folder);
        var attacked = files.Column<string>("exit").Select(exit => exit is not ("misclassified" or "skipped")).ToArray();
        var products = files.Column<long>("products");
        Assert.Equal("tr2", files["attack"].GetString());
        Assert.True(files.Int("fooled") > 0 && files.Int("fooled") == files.Int("attacked"));
        Assert.All(Enumerable.Range(0, products.Length), row => Assert.Equal(attacked[row], products[row] > 0));
        Assert.Equal(products.Sum() / (double)files.Int("attacked"), files["productsPerImage"].GetDouble(), 1e-9);
        Assert.Contains("Hessian products", printed, StringComparison.Ordinal);
    }

    [Fact]
    public void A_ReLU_network_is_refused_before_the_first_pass() =>
        Assert.Contains("signs", Invocation.Of("attack", "--attack", "tr2", "--limit", "2", "--quiet").AssertRefused(), StringComparison.Ordinal);

    [Theory]
    [InlineData("--norm", "linf", "l2 only")]
    [InlineData("--preset", "authors", "preset authors")]
    public void Unsupported_settings_are_refused(string flag, string value, string reason) =>
        Assert.Contains(reason, Invocation.Of("attack", "--attack", "tr2", flag, value, "--limit", "2").AssertRefused(), StringComparison.Ordinal);
}
