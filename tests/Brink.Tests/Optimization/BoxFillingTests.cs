using Brink.Optimization;
using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Tests.Optimization;

public sealed class BoxFillingTests
{
    private const int Rows = 40;
    private const int Size = 15;

    [Fact]
    public void The_steepest_step_is_a_feasible_step_and_no_feasible_step_has_a_larger_product()
    {
        using var scope = NewDisposeScope();
        var (points, gradients, lengths) = Draw(1);
        var steps = BoxFilling.SteepestSteps(points, gradients, lengths, tensor(0.0), tensor(1.0));
        Assert.True(Norm.L1.Of(steps).le(lengths + 1e-12).all().item<bool>());
        Assert.True((points + steps).ge(-1e-12).logical_and((points + steps).le(1 + 1e-12)).all().item<bool>());

        var products = PerSample.Dot(gradients, steps);
        var generator = new Generator(2);
        for (var trial = 0; trial < 300; trial++)
        {
            using var trialScope = NewDisposeScope();
            // Toward a random point or corner of the box, as far as the length permits, with few or many entries.
            var target = rand([Rows, Size], ScalarType.Float64, generator: generator);
            target = trial % 2 == 0 ? target : target.round();
            var others = (target - points) * rand([Rows, Size], ScalarType.Float64, generator: generator).lt((trial % 5 * 0.2) + 0.2);
            var shares = (lengths / Norm.L1.Of(others)).clamp_max(Scalars.One).nan_to_num(1);
            Assert.True(PerSample.Dot(gradients, others.Times(shares)).le(products + 1e-12).all().item<bool>());
        }
    }

    [Fact]
    public void A_length_is_used_up_unless_every_entry_with_a_gradient_reaches_its_bound()
    {
        using var scope = NewDisposeScope();
        var (points, gradients, lengths) = Draw(3);
        gradients = gradients * gradients.abs().gt(0.2);
        var ends = points + BoxFilling.SteepestSteps(points, gradients, lengths, tensor(0.0), tensor(1.0));
        var full = Norm.L1.Of(ends - points).ge(lengths - 1e-12);
        var corners = where(gradients.gt(0), ones_like(points), where(gradients.lt(0), zeros_like(points), points));
        Assert.True(full.logical_or((ends - corners).abs().amax([1]).le(1e-12)).all().item<bool>());
        Assert.InRange(full.sum().item<long>(), 5, Rows - 5);
    }

    [Fact]
    public void Far_from_the_bounds_the_step_follows_the_steepest_direction()
    {
        using var scope = NewDisposeScope();
        var (points, gradients, lengths) = Draw(4);
        var steps = BoxFilling.SteepestSteps(points, gradients, lengths, tensor(-100.0), tensor(100.0));
        Assert.True(steps.allclose(Norm.L1.SteepestDirections(gradients).Times(lengths)));
    }

    [Fact]
    public void Bounds_per_channel_apply_to_images()
    {
        using var scope = NewDisposeScope();
        var (points, gradients, lengths) = Draw(5);
        Tensor Images(Tensor rows) => rows.reshape(Rows, 3, 5, 1);
        var (lower, upper) = (tensor([0.0, -1, 0]).reshape(3, 1, 1), tensor([1.0, 2, 1]).reshape(3, 1, 1));
        var steps = BoxFilling.SteepestSteps(Images(points), Images(gradients), lengths, lower, upper);
        var flat = BoxFilling.SteepestSteps(points, gradients, lengths, lower.expand(3, 5, 1).reshape(15), upper.expand(3, 5, 1).reshape(15));
        Assert.True(steps.equal(Images(flat)).all().item<bool>());
        Assert.True((Images(points) + steps).gt(1.5).any().item<bool>());
    }

    [Fact]
    public void Steps_do_not_depend_on_the_other_rows()
    {
        using var scope = NewDisposeScope();
        var (points, gradients, lengths) = Draw(6);
        // Many entries of equal size.
        gradients = gradients.mul(Scalars.Two).round();
        var together = BoxFilling.SteepestSteps(points, gradients, lengths, tensor(0.0), tensor(1.0));
        for (var row = 0; row < Rows; row++)
        {
            var alone = BoxFilling.SteepestSteps(points.narrow(0, row, 1), gradients.narrow(0, row, 1), lengths.narrow(0, row, 1), tensor(0.0), tensor(1.0));
            Assert.True(alone[0].equal(together[row]).all().item<bool>());
        }
    }

    /// <summary>Draws points of the unit box, gradients with entries between −1 and 1, and lengths from 0 to more than the box permits.</summary>
    private static (Tensor Points, Tensor Gradients, Tensor Lengths) Draw(int seed)
    {
        using var generator = new Generator((ulong)seed);
        Tensor Uniform() => rand([Rows, Size], ScalarType.Float64, generator: generator);
        return (Uniform(), Uniform().mul(Scalars.Two).sub(Scalars.One), linspace(0, 9, Rows, ScalarType.Float64));
    }
}
