using Brink.Tensors;

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
    public void No_direction_of_length_one_has_a_larger_product(string name)
    {
        var norm = ByName(name);
        using var scope = torch.NewDisposeScope();
        var gradients = Random(200, 3, 4, seed: 2);
        var others = Random(200, 3, 4, seed: 3);
        others /= norm.Of(others).reshape(200, 1, 1);
        var products = (gradients * others).flatten(1).sum(1);
        Assert.True(products.le(norm.Dual.Of(gradients) + 1e-12).all().item<bool>());
    }

    /// <summary>Compares single precision at sizes whose squares underflow or overflow with double precision. Powers of two change no digit.</summary>
    [Theory]
    [InlineData(-110)]
    [InlineData(-60)]
    [InlineData(0)]
    [InlineData(60)]
    [InlineData(110)]
    public void Norms_directions_and_products_have_no_underflow_or_overflow(int exponent)
    {
        using var scope = torch.NewDisposeScope();
        var factor = Math.ScaleB(1, exponent);
        var (ordinary, others) = (Random(5, 3, 4, seed: 5).to(torch.float32), Random(5, 3, 4, seed: 6).to(torch.float32));
        var scaled = ordinary * factor;
        foreach (var norm in All.Select(row => ByName(row.Data)))
        {
            Assert.True((norm.Of(scaled).to(torch.float64) / factor).allclose(norm.Of(ordinary.to(torch.float64)), rtol: 1e-6));
            Assert.True(norm.SteepestDirections(scaled).allclose(norm.SteepestDirections(ordinary), rtol: 1e-6, atol: 0));
        }

        var products = PerSample.Dot(ordinary.to(torch.float64), others.to(torch.float64));
        Assert.True((PerSample.Dot(scaled, others).to(torch.float64) / factor).allclose(products, rtol: 1e-5));
        Assert.True(PerSample.Dot(scaled, others / factor).to(torch.float64).allclose(products, rtol: 1e-5));
    }

    /// <summary>Another image of the batch that underflows, or is zero, must not change the rounding.</summary>
    [Fact]
    public void Norms_directions_and_products_do_not_depend_on_the_other_images()
    {
        using var scope = torch.NewDisposeScope();
        var images = Random(6, 3, 4, seed: 8).to(torch.float32);
        images[1] = torch.zeros(3, 4);
        images[4] = images[4] * 1e-30f;
        foreach (var norm in All.Select(row => ByName(row.Data)))
        {
            Assert.True(norm.Of(images).eq(torch.cat([.. Enumerable.Range(0, 6).Select(row => norm.Of(images.narrow(0, row, 1)))])).all().item<bool>());
            Assert.True(norm.SteepestDirections(images).eq(torch.cat([.. Enumerable.Range(0, 6).Select(row => norm.SteepestDirections(images.narrow(0, row, 1)))])).all().item<bool>());
        }

        Assert.True(PerSample.Dot(images, images).eq(torch.cat([.. Enumerable.Range(0, 6).Select(row => PerSample.Dot(images.narrow(0, row, 1), images.narrow(0, row, 1)))])).all().item<bool>());
    }

    [Fact]
    public void Norms_of_images_with_infinity_or_NaN_are_not_finite()
    {
        using var scope = torch.NewDisposeScope();
        var images = Random(2, 3, 4, seed: 7);
        images[0, 1, 2] = double.PositiveInfinity;
        images[1, 0, 0] = double.NaN;
        Assert.All(All.Select(row => ByName(row.Data)), norm => Assert.False(norm.Of(images).isfinite().any().item<bool>()));
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

    [Theory, MemberData(nameof(All))]
    public void A_projection_lies_in_the_ball_and_no_point_of_the_ball_is_nearer(string name)
    {
        var norm = ByName(name);
        using var scope = torch.NewDisposeScope();
        var points = Random(300, 3, 4, seed: 5) * 3;
        var radii = torch.linspace(0, 12, 300, dtype: torch.ScalarType.Float64);
        var projected = norm.Project(points, radii);
        Assert.True(norm.Of(projected).le(radii + 1e-12).all().item<bool>());

        // Πx is the nearest point of a convex set if and only if ⟨x − Πx, v − Πx⟩ ≤ 0 for every point v of the set; the corners are enough.
        var residuals = points - projected;
        var corners = norm.SteepestDirections(residuals) * radii.reshape(300, 1, 1);
        Assert.True((residuals * (corners - projected)).flatten(1).sum(1).le(1e-9).all().item<bool>());

        var inside = norm.Of(points).le(radii);
        Assert.InRange(inside.sum().item<long>(), 1, 299);
        Assert.True((projected - points).abs().amax([1, 2]).masked_select(inside).le(1e-12).all().item<bool>());
    }

    [Theory, MemberData(nameof(All))]
    public void Draws_are_uniform_in_the_unit_ball(string name)
    {
        var norm = ByName(name);
        using var scope = torch.NewDisposeScope();
        using var generator = new torch.Generator(6, torch.CPU);
        var draws = torch.stack(Enumerable.Range(0, 4000).Select(_ => norm.UniformInUnitBall([1, 3], generator)[0]));
        var lengths = norm.Of(draws);
        Assert.True(lengths.le(1).all().item<bool>());
        // In three dimensions a ball of radius r has the share r³ of the volume, and the mean is 0. The tolerances are five standard deviations.
        foreach (var radius in new[] { 0.5, 0.8 })
        {
            Assert.Equal(Math.Pow(radius, 3), lengths.le(radius).to(torch.ScalarType.Float64).mean().item<double>(), 0.04);
        }

        Assert.True(draws.mean([0]).abs().le(0.05).all().item<bool>());
    }

    /// <summary>In single precision a sum over the entries of a large image would be off by more than the entries of the projection.</summary>
    [Fact]
    public void A_projection_of_many_entries_onto_the_L1_ball_is_exact_in_single_precision()
    {
        using var scope = torch.NewDisposeScope();
        var points = Random(2, 300, 500, seed: 9).to(torch.float32);
        points[1] = points[1] * 1e-30f;
        var radii = torch.tensor(new[] { 3, 3e-30f });
        var projected = Norm.L1.Project(points, radii);
        Assert.Equal(torch.float32, projected.dtype);
        Assert.True(Norm.L1.Of(projected.to(torch.float64)).div(radii.to(torch.float64)).sub(1).abs().le(1e-6).all().item<bool>());
    }

    [Fact]
    public void A_name_that_is_none_is_refused()
    {
        Assert.All(All, row => Assert.Same(ByName(row.Data), Norm.Parse(row.Data)));
        Assert.Contains("l2, linf or l1", Assert.Throws<BadInputException>(() => Norm.Parse("L1")).Message, StringComparison.Ordinal);
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
