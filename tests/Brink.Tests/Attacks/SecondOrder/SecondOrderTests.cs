using Brink.Attacks;
using static TorchSharp.torch;

namespace Brink.Tests.Attacks;

/// <summary>Tests of the second-order trust-region attack: benefit, cost and unsupported settings.</summary>
public sealed class SecondOrderTests
{
    private const int Size = 12;

    [Fact]
    public void Inside_an_ellipsoid_one_step_reaches_the_nearest_point_which_the_first_order_misses()
    {
        using var scope = NewDisposeScope();
        var random = new Random(1);
        var points = Enumerable.Range(0, 8).Select(_ => Enumerable.Range(0, Size).Select(_ => random.NextDouble() - 0.5).ToArray()).ToArray();
        AssertOneStepToTheNearestPoint(new([.. Enumerable.Range(0, Size).Select(i => i % 2 == 0 ? 1.0 : 4.0)], outside: true), points);
    }

    [Fact]
    public void Outside_an_ellipse_one_step_reaches_the_nearest_point_which_the_first_order_misses() =>
        // Points beyond the ends of the long axis, where the gradient first points to the side.
        AssertOneStepToTheNearestPoint(new([1, 4], outside: false), [[0.6, 4.5], [1, 4.5], [2, 5], [4, 5], [-1, 4.5], [2, -4.5]]);

    [Fact]
    public void Around_a_sphere_with_the_other_class_it_takes_fewer_steps()
    {
        using var scope = NewDisposeScope();
        var sphere = new Ellipsoid([.. Enumerable.Repeat(2.0, Size)], outside: false);
        var random = new Random(2);
        var points = Enumerable.Range(0, 8).Select(_ => Enumerable.Range(0, Size).Select(_ => (random.NextDouble() * 6) - 3).ToArray()).Where(point => point.Sum(x => x * x) > 9).ToArray();
        var radius = RadiusPolicy.Fixed(100);
        using var second = Run(sphere, points, TrustRegionOptions.Paper(Norm.L2) with { Radius = radius, Curvature = new() });
        using var first = Run(sphere, points, TrustRegionOptions.Paper(Norm.L2) with { Radius = radius });
        for (var row = 0; row < points.Length; row++)
        {
            var exact = Math.Sqrt(points[row].Sum(x => x * x)) - 2;
            Assert.Equal((true, 1, 1), (second.Outcomes[row].Fooled, second.Outcomes[row].Iterations, second.Outcomes[row].Products));
            Assert.InRange(second.Outcomes[row].L2 / exact, 1 - 1e-9, 1.02 + 1e-9);
            Assert.True(first.Outcomes[row].Fooled && first.Outcomes[row].Iterations > 1);
        }
    }

    [Fact]
    [Trait("speed", "slow")]
    public void The_ratio_uses_the_quadratic_prediction()
    {
        using var scope = NewDisposeScope();
        // f is quadratic, so the quadratic prediction is exact, the ratio is 1 and the radius grows at every step. The linear prediction is not exact.
        var sphere = new Ellipsoid([.. Enumerable.Repeat(1.0, Size)], outside: false);
        var point = Enumerable.Range(0, Size).Select(i => i == 0 ? 20.0 : 0.1 * i).ToArray();
        var radius = new RadiusPolicy { Unit = RadiusUnit.Input, Start = 0.5, Smallest = 0.001, Largest = 1000, GrowAbove = 0.9999, ShrinkBelow = 0.9998 };
        using var second = Run(sphere, [point], TrustRegionOptions.Paper(Norm.L2) with { Radius = radius, Curvature = new() });
        using var first = Run(sphere, [point], TrustRegionOptions.Paper(Norm.L2) with { Radius = radius });
        var distance = sphere.Distance(point);
        // The number of steps of length 1.02 · 0.5 · 1.2^k that exceed the distance in total.
        var steps = 0;
        for (var (way, length) = (0.0, 0.5); way < distance; length *= 1.2)
        {
            way += 1.02 * length;
            steps++;
        }

        Assert.Equal(steps, second.Outcomes[0].Iterations);
        Assert.True(first.Outcomes[0].Iterations > 2 * steps);
    }

    [Fact]
    public void With_the_whole_radius_steps_do_not_end_at_the_boundary()
    {
        using var scope = NewDisposeScope();
        using var network = new SmoothNetwork(Size, 20, 5, seed: 1);
        var (images, labels) = network.Batch(16, seed: 2);
        foreach (var curvature in new[] { null, new CurvatureOptions() })
        {
            var options = TrustRegionOptions.Paper(Norm.L2) with { Radius = RadiusPolicy.Fixed(0.15), Overshoot = 0, WholeRadius = true, MaxIterations = 100, Curvature = curvature };
            var unbounded = new Unbounded(network.AsClassifier());
            using var result = new TrustRegionAttack(options).Run(unbounded, images, labels);
            Assert.All(result.Outcomes, image => Assert.True(image.Fooled));
            Assert.All(result.Outcomes.Where(image => image.Iterations == 1), image => Assert.Equal(0.15, image.L2, 1e-12));
            Assert.All(result.Outcomes, image => Assert.InRange(image.L2, 0.1, (0.15 * image.Iterations) + 1e-12));
            Assert.Contains(result.Outcomes, image => image.Iterations == 1);
            // The accuracy after k iterations of one run equals that of a run with at most k iterations.
            for (var k = 1; k <= 4; k++)
            {
                using var shorter = new TrustRegionAttack(options with { MaxIterations = k }).Run(unbounded, images, labels);
                Assert.Equal(result.Outcomes.Select(image => image.Iterations <= k), shorter.Outcomes.Select(image => image.Fooled));
            }
        }
    }

    [Fact]
    public void A_larger_tolerance_never_takes_more_products_and_tiny_steps_take_one()
    {
        using var scope = NewDisposeScope();
        using var network = new SmoothNetwork(Size, 20, 5, seed: 1);
        var (images, labels) = network.Batch(16, seed: 2);
        int[] Products(double radius, double tolerance)
        {
            var options = TrustRegionOptions.Paper(Norm.L2) with { Radius = RadiusPolicy.Fixed(radius), MaxIterations = 1, Curvature = new() { MaxProducts = Size, Tolerance = tolerance } };
            using var result = new TrustRegionAttack(options).Run(network.AsClassifier(), images, labels);
            return [.. result.Outcomes.Select(image => image.Products)];
        }

        Assert.All(Products(1e-4, 0.1), products => Assert.Equal(1, products));
        var (loose, tight) = (Products(0.5, 0.3), Products(0.5, 1e-3));
        Assert.All(loose.Zip(tight), pair => Assert.True(pair.First <= pair.Second));
        Assert.True(loose.Sum() < tight.Sum());
        Assert.All(Products(0.5, 0), products => Assert.Equal(Size, products));
    }

    [Theory]
    [InlineData(HessianProductMethod.Exact)]
    [InlineData(HessianProductMethod.FiniteDifferences)]
    public void With_ReLU_cross_entropy_has_curvature_and_succeeds(HessianProductMethod method)
    {
        using var scope = NewDisposeScope();
        using var network = Relu(asModule: true);
        var (images, labels) = Correct(network);
        var options = TrustRegionOptions.Paper(Norm.L2) with { Objective = Objective.CrossEntropy, Curvature = new() { Products = method } };
        using var result = new TrustRegionAttack(options).Run(new ModuleClassifier(network, 4, Bounds.Pixels), images, labels);
        Assert.All(result.Outcomes, image => Assert.True(image.Fooled && image.Products > 0, image.Exit.Describe()));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void With_ReLU_the_gap_has_no_curvature_and_the_error_suggests_alternatives(bool asModule)
    {
        using var scope = NewDisposeScope();
        using var network = Relu(asModule);
        var (images, labels) = Correct(network);
        var classifier = new ModuleClassifier(network, 4, Bounds.Pixels, "relu network");
        var attack = new TrustRegionAttack(TrustRegionOptions.SecondOrder);
        using var pass = ForwardPass.At(classifier, images);
        // A network whose layers show that it is piecewise linear is refused by the attack, another one by the checks before a run.
        var message = asModule ? Assert.Throws<BadInputException>(() => attack.Run(classifier, images, labels)).Message : Curvature.NoCurvature(classifier).Message;
        Assert.Equal(asModule, attack.IsCurved(pass, classifier, Criterion.Misclassification, labels, arange(labels.shape[0])));
        Assert.Contains("relu network", message, StringComparison.Ordinal);
        Assert.Contains("use tr,", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);

        // Finite differences need first derivatives only.
        using var result = new TrustRegionAttack(TrustRegionOptions.SecondOrder with { Curvature = new() { Products = HessianProductMethod.FiniteDifferences } }).Run(classifier, images, labels);
        Assert.All(result.Outcomes, image => Assert.True(image.Fooled, image.Exit.Describe()));
    }

    [Fact]
    public void Unsupported_settings_are_refused_with_a_reason()
    {
        string Refusal(TrustRegionOptions options) => Assert.Throws<BadInputException>(() => new TrustRegionAttack(options)).Message;
        Assert.Contains("norm l2 only", Refusal(new() { Norm = Norm.LInf, Curvature = new() }), StringComparison.Ordinal);
        Assert.Contains("products", Refusal(new() { Curvature = new() { MaxProducts = 0 } }), StringComparison.Ordinal);
        Assert.Contains("tolerance", Refusal(new() { Curvature = new() { Tolerance = double.NaN } }), StringComparison.Ordinal);
        Assert.Contains("differences", Refusal(new() { Curvature = new() { DifferenceStep = 0 } }), StringComparison.Ordinal);
    }

    [Fact]
    public void Curvature_that_is_not_finite_ends_the_attack_on_its_image_only()
    {
        using var scope = NewDisposeScope();
        // |x − ½|^1.5 has the derivative 0 at ½ and no second derivative there.
        var classifier = new Custom(images =>
        {
            var gap = images.sum(1) - 2.5 + images.sub(0.5).abs().pow(1.5).sum(1);
            return stack([zeros_like(gap), gap], 1);
        });
        var images = full(2, 4, 0.5, dtype: ScalarType.Float64);
        images[1] = tensor(new[] { 0.4, 0.3, 0.2, 0.1 });
        using var result = new TrustRegionAttack(TrustRegionOptions.SecondOrder).Run(classifier, images, zeros(2, dtype: ScalarType.Int64));
        Assert.Equal([AttackExit.NotFinite, AttackExit.Fooled], result.Outcomes.Select(image => image.Exit));
        Assert.Contains("Hessian", result.Outcomes[0].Exit.Describe(), StringComparison.Ordinal);
        Assert.Equal(0, result.Outcomes[0].L2);
    }

    [Fact]
    public void A_flat_objective_ends_with_zero_gradient()
    {
        using var scope = NewDisposeScope();
        var classifier = new Custom(images => stack([zeros_like(images.sum(1)), images.sub(0.5).pow(2).sum(1) - 1], 1));
        using var result = new TrustRegionAttack(TrustRegionOptions.SecondOrder).Run(classifier, full(1, 4, 0.5, dtype: ScalarType.Float64), zeros(1, dtype: ScalarType.Int64));
        Assert.Equal(AttackExit.ZeroGradient, result.Outcomes[0].Exit);
        Assert.Contains("gradient is zero", result.Outcomes[0].Exit.Describe(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_network_that_cannot_be_differentiated_twice_is_refused_in_one_sentence()
    {
        using var scope = NewDisposeScope();
        // libtorch's CTC loss has no second derivative.
        var classifier = new Custom(images =>
        {
            var count = images.shape[0];
            var loss = nn.functional.ctc_loss(images.reshape(count, 2, 2).transpose(0, 1).log_softmax(2), ones(new[] { count, 1 }, dtype: ScalarType.Int64), full(count, 2, dtype: ScalarType.Int64), ones(count, dtype: ScalarType.Int64), reduction: nn.Reduction.None);
            return stack([loss + 5, loss.neg()], 1);
        });
        var images = tensor(new[] { 0.1, 0.2, 0.3, 0.4 }).unsqueeze(0);
        var message = Assert.Throws<BadInputException>(() => new TrustRegionAttack(TrustRegionOptions.SecondOrder).Run(classifier, images, zeros(1, dtype: ScalarType.Int64))).Message;
        Assert.Contains("differentiable twice", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    private static void AssertOneStepToTheNearestPoint(Ellipsoid ellipsoid, double[][] points)
    {
        using var scope = NewDisposeScope();
        var exact = points.Select(ellipsoid.Distance).ToArray();
        var radius = RadiusPolicy.Fixed(exact.Max() * 1.5);
        using var second = Run(ellipsoid, points, TrustRegionOptions.Paper(Norm.L2) with { Radius = radius, Overshoot = 1e-4, Curvature = new() { MaxProducts = points[0].Length, Tolerance = 0 } });
        using var first = Run(ellipsoid, points, TrustRegionOptions.Paper(Norm.L2) with { Radius = radius, Overshoot = 1e-4 });
        for (var row = 0; row < points.Length; row++)
        {
            Assert.Equal((true, 1, points[row].Length), (second.Outcomes[row].Fooled, second.Outcomes[row].Iterations, second.Outcomes[row].Products));
            Assert.InRange(second.Outcomes[row].L2 / exact[row], 1 - 1e-9, 1.02);
            Assert.True(first.Outcomes[row].Fooled);
            Assert.True(first.Outcomes[row].L2 > 1.05 * exact[row], $"the first order found {first.Outcomes[row].L2 / exact[row]:F3} times the distance");
        }
    }

    private static AttackResult Run(Ellipsoid ellipsoid, double[][] points, TrustRegionOptions options) =>
        new TrustRegionAttack(options).Run(ellipsoid, tensor(points.SelectMany(point => point).ToArray()).reshape(points.Length, -1), zeros(points.Length, dtype: ScalarType.Int64));

    private static nn.Module<Tensor, Tensor> Relu(bool asModule)
    {
        var (first, second) = (nn.Linear(Size, 20), nn.Linear(20, 4));
        var random = new Random(4);
        using var withoutGradients = no_grad();
        foreach (var parameter in first.parameters().Concat(second.parameters()))
        {
            parameter.copy_(tensor(Enumerable.Range(0, (int)parameter.numel()).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray()).reshape(parameter.shape));
        }

        return asModule ? nn.Sequential(first, nn.ReLU(), second) : new Functional(first, second);
    }

    private static (Tensor Images, Tensor Labels) Correct(nn.Module<Tensor, Tensor> network)
    {
        var random = new Random(3);
        var images = tensor(Enumerable.Range(0, 8 * Size).Select(_ => (float)random.NextDouble()).ToArray()).reshape(8, Size);
        using var withoutGradients = no_grad();
        return (images, network.call(images).argmax(1));
    }

    /// <summary>A network whose activation is a function instead of a module.</summary>
    private sealed class Functional : nn.Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Linear _first;
        private readonly TorchSharp.Modules.Linear _second;

        public Functional(TorchSharp.Modules.Linear first, TorchSharp.Modules.Linear second)
            : base(nameof(Functional))
        {
            (_first, _second) = (first, second);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => _second.call(nn.functional.relu(_first.call(input)));
    }

    private sealed class Custom(Func<Tensor, Tensor> logits) : IClassifier
    {
        public string Name => "custom";

        public int ClassCount => 2;

        public Bounds Bounds => Bounds.Pixels;

        public Tensor Logits(Tensor images) => logits(images);

        public IDisposable EnterEvaluation() => NewDisposeScope();
    }

    private sealed class Unbounded(IClassifier inner) : IClassifier
    {
        public string Name => inner.Name;

        public int ClassCount => inner.ClassCount;

        public Bounds Bounds { get; } = new(-100, 100);

        public Tensor Logits(Tensor images) => inner.Logits(images);

        public IDisposable EnterEvaluation() => inner.EnterEvaluation();
    }
}
