using Brink.Attacks;
using static TorchSharp.torch;

namespace Brink.Tests.Attacks;

/// <summary>Tests that invalid inputs are refused with one sentence that names what was needed and what was given.</summary>
public sealed class AttackInputTests
{
    private readonly Linear _classifier = Linear.HalfSpace(4, seed: 1, Bounds.Pixels);

    [Fact]
    public void Images_with_NaN_or_infinity_are_refused()
    {
        using var scope = NewDisposeScope();
        foreach (var value in new[] { double.NaN, double.PositiveInfinity })
        {
            var images = zeros(3, 4, dtype: ScalarType.Float64);
            images[1, 2] = value;
            Assert.Contains("image 1", Refusal(images), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Images_outside_the_bounds_are_refused_with_their_range()
    {
        using var scope = NewDisposeScope();
        var images = zeros(3, 4, dtype: ScalarType.Float64);
        images[2, 0] = 255;
        var message = Refusal(images);
        Assert.Contains("image 2", message, StringComparison.Ordinal);
        Assert.Contains("255", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Images_of_another_type_or_without_a_batch_are_refused()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("float32", Refusal(zeros(3, 4, dtype: ScalarType.Int32)), StringComparison.Ordinal);
        Assert.Contains("[batch", Refusal(zeros(4)), StringComparison.Ordinal);
        Assert.Contains("at least one", Refusal(zeros(0, 4)), StringComparison.Ordinal);
    }

    [Fact]
    public void Labels_of_another_shape_type_or_range_are_refused()
    {
        using var scope = NewDisposeScope();
        var images = zeros(3, 4);
        Assert.Contains("[3]", Refusal(images, zeros(2, dtype: ScalarType.Int64)), StringComparison.Ordinal);
        Assert.Contains("int64", Refusal(images, zeros(3, dtype: ScalarType.Int32)), StringComparison.Ordinal);
        Assert.Contains("label 2", Refusal(images, tensor(new long[] { 0, 2, 1 })), StringComparison.Ordinal);
    }

    [Fact]
    public void Bounds_that_do_not_fit_the_images_are_refused()
    {
        using var scope = NewDisposeScope();
        var classifier = Linear.HalfSpace(4, seed: 1, Bounds.PerChannel([0, 0, 0], [1, 1, 1]));
        var error = Assert.Throws<BadInputException>(() => new TrustRegionAttack().Run(classifier, zeros(3, 4), zeros(3, dtype: ScalarType.Int64)));
        Assert.Contains("do not fit", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_outside_their_range_are_refused()
    {
        Assert.Throws<BadInputException>(() => new TrustRegionAttack(new() { MaxIterations = 0 }));
        Assert.Throws<BadInputException>(() => new TrustRegionAttack(new() { Overshoot = -0.1 }));
        Assert.Throws<BadInputException>(() => new TrustRegionAttack(new() { Overshoot = double.NaN }));
        Assert.Throws<BadInputException>(() => new TrustRegionAttack(new() { Candidates = 0 }));
        Assert.Throws<BadInputException>(() => new TrustRegionAttack(TrustRegionOptions.SecondOrder with { Norm = Norm.L1 }));
        Assert.Throws<BadInputException>(() => new TrustRegionAttack(new() { Refinement = new() { Effort = 0 } }));
        Assert.Throws<BadInputException>(() => new TrustRegionAttack(new() { Radius = RadiusPolicy.Fixed(0) }));
        Assert.Throws<BadInputException>(() => new DeepFoolAttack(new() { MaxIterations = 0 }));
        Assert.Throws<BadInputException>(() => new DeepFoolAttack(new() { Overshoot = double.NaN }));
        Assert.Throws<BadInputException>(() => new DeepFoolAttack(new() { ExtraLength = -1 }));
        Assert.Throws<BadInputException>(() => new DeepFoolAttack(new() { Candidates = 0 }));
        Assert.Throws<BadInputException>(() => new DeepFoolAttack(new() { Norm = Norm.L1 }));
        using var scope = NewDisposeScope();
        Assert.Throws<BadInputException>(() => new TrustRegionAttack().Run(_classifier, zeros(3, 4), zeros(3, dtype: ScalarType.Int64), Criterion.TargetClass(2)));
    }

    private string Refusal(Tensor images, Tensor? labels = null)
    {
        var message = Assert.Throws<BadInputException>(() => new TrustRegionAttack().Run(_classifier, images, labels ?? zeros(images.shape[0], dtype: ScalarType.Int64))).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }
}
