using static TorchSharp.torch;

namespace Brink.Tests.Criteria;

public sealed class ObjectiveTests
{
    public static TheoryData<string> All => ["gap", "cross-entropy"];

    [Theory, MemberData(nameof(All))]
    [Trait("speed", "slow")]
    public void The_gradient_equals_finite_differences(string name)
    {
        using var scope = NewDisposeScope();
        using var network = new SmoothNetwork(6, 10, 4, seed: 1);
        network.eval();
        var classifier = network.AsClassifier();
        var (images, labels) = network.Batch(3, seed: 2);
        var targets = labels.add(1).remainder(4);
        using var pass = ForwardPass.At(classifier, images);
        var gradients = pass.Gradients(Toward(name, pass.Logits, targets, labels));

        const double h = 1e-5;
        for (var entry = 0; entry < 6; entry++)
        {
            var shift = zeros(1, 6, dtype: ScalarType.Float64);
            shift[0, entry] = h;
            var change = (Toward(name, classifier.Logits(images + shift), targets, labels) - Toward(name, classifier.Logits(images - shift), targets, labels)) / (2 * h);
            Assert.True(gradients.select(1, entry).allclose(change, rtol: 1e-6, atol: 1e-8));
        }
    }

    [Fact]
    public void Without_a_target_the_gap_is_minus_the_margin_and_the_cross_entropy_that_of_the_label()
    {
        using var scope = NewDisposeScope();
        var logits = tensor(new double[] { 1, 3, 2, 5, 4, 0 }).reshape(2, 3);
        var labels = tensor(new long[] { 1, 2 });
        Assert.Equal([-1.0, 5.0], LogitGap.AwayFrom(logits, labels).data<double>().ToArray());
        Assert.True(CrossEntropy.AwayFrom(logits, labels).allclose(nn.functional.cross_entropy(logits, labels, reduction: nn.Reduction.None)));
    }

    /// <summary>The gradient with respect to the logits is softmax(z) − e_y, whose entries sum to 0; it is compared with double precision.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    [InlineData(60)]
    public void The_gradient_of_the_cross_entropy_keeps_its_direction_where_the_probability_rounds_to_one(double gap)
    {
        using var scope = NewDisposeScope();
        var labels = tensor(new long[] { 0 });
        var exact = Gradient(tensor(new[] { gap, 0, -0.5, 0.25 }).reshape(1, 4), labels);
        var single = Gradient(tensor(new[] { gap, 0, -0.5, 0.25 }, dtype: ScalarType.Float32).reshape(1, 4), labels).to(ScalarType.Float64);
        Assert.True(Norm.L2.SteepestDirections(single).allclose(Norm.L2.SteepestDirections(exact), rtol: 1e-5));
        Assert.Equal(0, Norm.L2.SteepestDirections(single).sum().item<double>(), 6);
        Assert.False(CrossEntropy.Underflows(tensor(new[] { gap, 0, -0.5, 0.25 }, dtype: ScalarType.Float32).reshape(1, 4), labels).item<bool>());
    }

    [Fact]
    public void The_gap_replaces_a_cross_entropy_that_underflows()
    {
        using var scope = NewDisposeScope();
        var logits = tensor(new[] { 1000, 900, 920, 3.0, 1.0, 2.0 }, dtype: ScalarType.Float32).reshape(2, 3);
        var labels = tensor(new long[] { 0, 0 });
        Assert.Equal([true, false], CrossEntropy.Underflows(logits, labels).data<bool>().ToArray());
        Assert.Equal([-1f, 0f, 1f], Gradient(logits, labels)[0].data<float>().ToArray());
        Assert.Equal(-80, CrossEntropy.AwayFrom(logits, labels)[0].item<float>());
    }

    /// <summary>A masked class has the logit −∞ and the probability 0.</summary>
    [Theory, MemberData(nameof(All))]
    public void A_logit_of_negative_infinity_has_no_influence(string name)
    {
        using var scope = NewDisposeScope();
        var labels = tensor(new long[] { 0 });
        var masked = tensor(new[] { 3, 1, double.NegativeInfinity, 2 }).reshape(1, 4);
        var without = tensor(new[] { 3.0, 1, 2 }).reshape(1, 3);
        Assert.Equal(AwayFrom(name, without, labels).item<double>(), AwayFrom(name, masked, labels).item<double>(), 12);
        var gradient = Gradient(masked, labels, name);
        Assert.True(gradient.index_select(1, tensor(new long[] { 0, 1, 3 })).allclose(Gradient(without, labels, name)));
        Assert.Equal(0, gradient[0, 2].item<double>());
    }

    [Fact]
    public void The_gap_is_negative_if_the_rival_is_larger_and_zero_if_both_are_equal()
    {
        using var scope = NewDisposeScope();
        var logits = tensor(new double[] { 1, 3, 2, 5, 5, 0 }).reshape(2, 3);
        var gaps = LogitGap.Of(logits, tensor(new long[] { 2, 1 }), tensor(new long[] { 1, 0 }));
        Assert.Equal([-1.0, 0.0], gaps.data<double>().ToArray());
    }

    [Fact]
    public void A_pass_does_not_change_the_gradients_of_parameters()
    {
        using var scope = NewDisposeScope();
        using var network = new SmoothNetwork(6, 10, 4, seed: 1);
        var (images, labels) = network.Batch(2, seed: 2);
        var parameter = network.parameters().First();
        (parameter.sum() * 7).backward();
        using var pass = ForwardPass.At(network.AsClassifier(), images);
        pass.Gradients(LogitGap.Of(pass.Logits, labels.add(1).remainder(4), labels));
        Assert.True(parameter.grad!.eq(7).all().item<bool>());
        Assert.Null(network.parameters().Last().grad);
    }

    [Fact]
    public void A_network_without_gradients_is_refused()
    {
        using var scope = NewDisposeScope();
        using var pass = ForwardPass.At(new Constant(), ones(2, 3));
        var error = Assert.Throws<BadInputException>(() => pass.Gradients(pass.Logits.sum(1)));
        Assert.Contains("differentiable", error.Message, StringComparison.Ordinal);
    }

    private static Tensor Gradient(Tensor logits, Tensor labels, string name = "cross-entropy")
    {
        var leaf = logits.detach().clone().requires_grad_(true);
        AwayFrom(name, leaf, labels).sum().backward();
        return leaf.grad!;
    }

    private static Tensor AwayFrom(string name, Tensor logits, Tensor labels) => name == "gap" ? LogitGap.AwayFrom(logits, labels) : CrossEntropy.AwayFrom(logits, labels);

    private static Tensor Toward(string name, Tensor logits, Tensor targets, Tensor labels) => name == "gap" ? LogitGap.Of(logits, targets, labels) : CrossEntropy.Toward(logits, targets);

    private sealed class Constant : IClassifier
    {
        public string Name => "constant";

        public int ClassCount => 2;

        public Bounds Bounds => Bounds.Pixels;

        public Tensor Logits(Tensor images) => ones(images.shape[0], 2);

        public IDisposable EnterEvaluation() => NewDisposeScope();
    }
}
