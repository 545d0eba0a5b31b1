namespace Brink.Tests.Classifiers;

public sealed class BoundsTests
{
    [Fact]
    public void Clamp_moves_every_channel_into_its_bounds()
    {
        using var scope = torch.NewDisposeScope();
        var bounds = Bounds.PerChannel([-1, 0], [0.3, 2]);
        var images = bounds.Clamp(torch.linspace(-5, 5, 2 * 2 * 3 * 3).reshape(2, 2, 3, 3));
        Assert.True(bounds.Contain(images).all().item<bool>());
        Assert.Equal(0.3f, images[1, 0].max().item<float>());
        Assert.Equal(2f, images[1, 1].max().item<float>());
        Assert.Equal(-1f, images[0, 0].min().item<float>());
    }

    [Fact]
    public void An_image_outside_or_with_NaN_is_not_contained()
    {
        using var scope = torch.NewDisposeScope();
        var images = torch.tensor(new[] { 0.5, 1.001, double.NaN, 0.0 }).reshape(4, 1);
        Assert.Equal([true, false, false, true], Bounds.Pixels.Contain(images).data<bool>().ToArray());
        Assert.Equal([true, true, false, true], Bounds.Pixels.Contain(images, slack: 0.01).data<bool>().ToArray());
    }

    [Fact]
    public void Normalised_bounds_are_those_of_black_and_white()
    {
        using var scope = torch.NewDisposeScope();
        var normalization = Normalization.Cifar10;
        var extremes = torch.stack([torch.zeros(3, 2, 2), torch.ones(3, 2, 2)]);
        var normalized = normalization.Apply(extremes);
        Assert.True(normalized[0].allclose(normalization.Bounds.Lower(normalized).expand(3, 2, 2)));
        Assert.True(normalized[1].allclose(normalization.Bounds.Upper(normalized).expand(3, 2, 2)));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 0)]
    [InlineData(double.NaN, 1)]
    [InlineData(0, double.PositiveInfinity)]
    public void Empty_or_infinite_bounds_are_refused(double lower, double upper) =>
        Assert.Throws<ArgumentException>(() => new Bounds(lower, upper));
}
