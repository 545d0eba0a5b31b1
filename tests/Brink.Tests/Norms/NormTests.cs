namespace Brink.Tests.Norms;

public sealed class NormTests
{
    public static TheoryData<string> All => ["l2", "linf", "l1"];

    [Theory, MemberData(nameof(All))]
    public void The_steepest_direction_has_length_one_and_reaches_the_dual_norm(string name)
    {
        var norm = ByName(name);
        using var scope = torch.NewDisposeScope();
        var gradients = Random(5, 3, 4, seed: 1);
        var directions = norm.SteepestDirections(gradients);
        var products = (gradients * directions).flatten(1).sum(1);
        Assert.True(norm.Of(directions).allclose(torch.ones(5, dtype: torch.ScalarType.Float64)));
        Assert.True(products.allclose(norm.Dual.Of(gradients)));
    }

    [Theory, MemberData(nameof(All))]
    public void No_direction_of_length_one_does_better(string name)
    {
        var norm = ByName(name);
        using var scope = torch.NewDisposeScope();
        var gradients = Random(200, 3, 4, seed: 2);
        var others = Random(200, 3, 4, seed: 3);
        others /= norm.Of(others).reshape(200, 1, 1);
        var products = (gradients * others).flatten(1).sum(1);
        Assert.True(products.le(norm.Dual.Of(gradients) + 1e-12).all().item<bool>());
    }

    [Fact]
    public void The_dual_of_the_dual_is_the_norm_itself() =>
        Assert.All(All, row => Assert.Same(ByName(row.Data), ByName(row.Data).Dual.Dual));

    [Theory, MemberData(nameof(All))]
    public void A_zero_gradient_has_the_zero_direction(string name)
    {
        using var scope = torch.NewDisposeScope();
        var gradients = Random(2, 3, 4, seed: 4);
        gradients[0] = torch.zeros(3, 4, dtype: torch.ScalarType.Float64);
        var directions = ByName(name).SteepestDirections(gradients);
        Assert.Equal(0, directions[0].abs().sum().item<double>());
        Assert.True(directions.isfinite().all().item<bool>());
    }

    [Fact]
    public void Lengths_are_those_of_the_definition()
    {
        using var scope = torch.NewDisposeScope();
        var vector = torch.tensor(new double[] { 3, -4, 0, 0 }).reshape(1, 2, 2);
        Assert.Equal(5, Norm.L2.Of(vector).item<double>(), 12);
        Assert.Equal(4, Norm.LInf.Of(vector).item<double>(), 12);
        Assert.Equal(7, Norm.L1.Of(vector).item<double>(), 12);
    }

    private static Norm ByName(string name) => new[] { Norm.L2, Norm.LInf, Norm.L1 }.Single(norm => norm.Name == name);

    private static torch.Tensor Random(int batch, int rows, int columns, int seed)
    {
        var random = new Random(seed);
        return torch.tensor(Enumerable.Range(0, batch * rows * columns).Select(_ => random.NextDouble() - 0.5).ToArray()).reshape(batch, rows, columns);
    }
}
