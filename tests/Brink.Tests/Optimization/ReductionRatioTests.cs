using Brink.Optimization;
using static TorchSharp.torch;

namespace Brink.Tests.Optimization;

public sealed class ReductionRatioTests
{
    // Deviation (docs/decisions/0001): the change is divided by the predicted change, not by the length of the step.
    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    public void Ratio_is_one_in_any_units_if_the_local_model_is_exact(double scale)
    {
        using var scope = NewDisposeScope();
        var gradients = tensor(new double[] { 3, -4, 1, 2 }).reshape(2, 2) * scale;
        var model = new LinearModel(tensor(new[] { -5.0, -7.0 }) * scale, gradients, Norm.L2);
        var steps = model.Steps(tensor(new[] { 0.5, 0.25 }));
        var predicted = model.PredictedChanges(steps);
        var ratios = ReductionRatio.Of(model.Values, model.Values + predicted, predicted);
        Assert.True(ratios.allclose(ones(2, dtype: ScalarType.Float64)));
    }

    [Fact]
    public void The_ratio_is_a_half_for_half_the_predicted_change_and_negative_for_a_decrease()
    {
        using var scope = NewDisposeScope();
        var ratios = ReductionRatio.Of(tensor(new[] { -4.0, -4.0 }), tensor(new[] { -3.0, -6.0 }), tensor(new[] { 2.0, 2.0 }));
        Assert.Equal([0.5, -1.0], ratios.data<double>().ToArray());
    }

    [Fact]
    public void A_negligible_or_invalid_prediction_has_the_ratio_minus_infinity()
    {
        using var scope = NewDisposeScope();
        var ratios = ReductionRatio.Of(
            tensor(new[] { -1.0, -1.0, -1.0, -1.0 }),
            tensor(new[] { 5.0, 5.0, double.NaN, 5.0 }),
            tensor(new[] { 1e-13, 0.0, 1.0, -1.0 }));
        Assert.All(ratios.data<double>().ToArray(), ratio => Assert.Equal(double.NegativeInfinity, ratio));
    }

    [Theory]
    [InlineData("l2")]
    [InlineData("linf")]
    public void A_step_to_the_boundary_of_a_linear_function_ends_on_it(string normName)
    {
        var norm = normName == "l2" ? Norm.L2 : Norm.LInf;
        using var scope = NewDisposeScope();
        var model = new LinearModel(tensor(new[] { -5.0, -7.0 }), tensor(new double[] { 3, -4, 1, 2 }).reshape(2, 2), norm);
        var distances = model.Distances();
        var steps = model.Steps(distances);
        Assert.True(norm.Of(steps).allclose(distances));
        Assert.True((model.Values + model.PredictedChanges(steps)).abs().max().item<double>() < 1e-12);
    }
}
