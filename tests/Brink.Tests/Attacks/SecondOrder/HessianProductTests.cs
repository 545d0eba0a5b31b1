using Brink.Attacks;
using Brink.Optimization;
using Brink.Tests.Optimization;
using static TorchSharp.torch;

namespace Brink.Tests.Attacks.TrustRegion;

public sealed class HessianProductTests : IDisposable
{
    private const int Inputs = 12;

    private readonly SmoothNetwork _network = new(Inputs, 16, 5, seed: 1);
    private readonly IClassifier _classifier;
    private readonly Tensor _images;
    private readonly Tensor _labels;
    private readonly Tensor _targets;

    public HessianProductTests()
    {
        _network.eval();
        _classifier = _network.AsClassifier();
        (_images, _labels) = _network.Batch(6, seed: 2);
        using var next = _labels.add(1);
        _targets = next.remainder(5);
    }

    public static TheoryData<string> Objectives => ["gap", "cross-entropy"];

    public void Dispose()
    {
        _images.Dispose();
        _labels.Dispose();
        _targets.Dispose();
        _network.Dispose();
    }

    [Theory, MemberData(nameof(Objectives))]
    public void Exact_products_equal_those_of_the_dense_Hessian(string name)
    {
        using var scope = NewDisposeScope();
        var hessians = DenseHessians(name);
        using var pass = Pass(name, _images, _labels, _targets, out var gradients);
        Assert.True(gradients.allclose(pass.Gradients(Values(name, pass.Logits, _labels, _targets), keepGraph: true)));
        var products = HessianProducts.Exact(pass, [0, 1, 2, 3, 4, 5]);
        for (var draw = 0; draw < 3; draw++)
        {
            var vectors = Vectors(draw);
            AssertClose(hessians.matmul(vectors.unsqueeze(2)).squeeze(2), products(vectors), 1e-10);
        }

        // The whole Hessian, column by column.
        for (var column = 0; column < Inputs; column++)
        {
            var unit = zeros(6, Inputs, dtype: ScalarType.Float64);
            unit[.., column] = 1;
            AssertClose(hessians.select(2, column), products(unit), 1e-10);
        }
    }

    [Theory, MemberData(nameof(Objectives))]
    public void Exact_products_in_single_precision_are_accurate_to_1e_4(string name)
    {
        using var scope = NewDisposeScope();
        var hessians = DenseHessians(name);
        var vectors = Vectors(0);
        var expected = hessians.matmul(vectors.unsqueeze(2)).squeeze(2);
        _network.to(ScalarType.Float32);
        using var pass = Pass(name, _images.to(ScalarType.Float32), _labels, _targets, out _);
        AssertClose(expected, HessianProducts.Exact(pass, [0, 1, 2, 3, 4, 5])(vectors.to(ScalarType.Float32)).to(ScalarType.Float64), 1e-4);
    }

    [Theory, MemberData(nameof(Objectives))]
    public void Finite_differences_are_accurate_to_one_percent(string name)
    {
        using var scope = NewDisposeScope();
        var vectors = Vectors(0);
        var expected = DenseHessians(name).matmul(vectors.unsqueeze(2)).squeeze(2);
        foreach (var type in new[] { ScalarType.Float64, ScalarType.Float32 })
        {
            _network.to(type);
            var products = HessianProducts.Differences(_images.to(type), 0.005, points =>
            {
                using var pass = ForwardPass.At(_classifier, points);
                return pass.Gradients(Values(name, pass.Logits, _labels, _targets));
            });
            AssertClose(expected, products(vectors.to(type)).to(ScalarType.Float64), 1e-2);
            // The product is linear in v, also for long vectors.
            AssertClose(expected * 1e3, products(vectors.to(type) * 1e3).to(ScalarType.Float64), 1e-2);
        }
    }

    [Theory, MemberData(nameof(Objectives))]
    public void The_product_of_an_image_does_not_depend_on_the_others(string name)
    {
        using var scope = NewDisposeScope();
        var vectors = Vectors(0);
        using var together = Pass(name, _images, _labels, _targets, out _);
        var products = HessianProducts.Exact(together, [0, 1, 2, 3, 4, 5])(vectors);
        var some = tensor(new long[] { 1, 4 });
        AssertClose(products.index_select(0, some), HessianProducts.Exact(together, [.. some.data<long>().Select(row => (int)row)])(vectors.index_select(0, some)), 1e-12);
        for (var row = 0; row < 6; row++)
        {
            var only = tensor(new long[] { row });
            using var alone = Pass(name, _images.index_select(0, only), _labels.index_select(0, only), _targets.index_select(0, only), out _);
            AssertClose(products.index_select(0, only), HessianProducts.Exact(alone, [0])(vectors.index_select(0, only)), 1e-12);
        }
    }

    [Theory, MemberData(nameof(Objectives))]
    public void With_as_many_vectors_as_entries_the_step_solves_the_dense_problem(string name)
    {
        using var scope = NewDisposeScope();
        var hessians = DenseHessians(name);
        using var pass = Pass(name, _images, _labels, _targets, out var gradients);
        foreach (var radius in new[] { 0.05, 0.5, 5 })
        {
            var radii = full(6, radius, dtype: ScalarType.Float64);
            var model = new QuadraticModel(zeros(6, dtype: ScalarType.Float64), gradients, HessianProducts.Exact(pass, [0, 1, 2, 3, 4, 5]));
            var solution = new LanczosSubproblem(model, radii, Inputs, 0, [1, 2, 3, 4, 5, 6]).Solve(radii);
            for (var row = 0; row < 6; row++)
            {
                QuadraticProblem.AssertOptimal(name, hessians[row], gradients[row], radius, solution.Steps[row], solution.OnBoundary[row]);
                AssertClose(DenseStep(hessians[row], gradients[row], radius), solution.Steps[row], 1e-4);
            }
        }
    }

    [Fact]
    public void Products_are_zero_if_the_gradient_is_constant()
    {
        using var scope = NewDisposeScope();
        foreach (var frozen in new[] { false, true })
        {
            using var linear = nn.Linear(4, 3);
            foreach (var parameter in linear.parameters())
            {
                parameter.requires_grad_(!frozen);
            }

            using var pass = ForwardPass.At(new ModuleClassifier(linear, 3, Bounds.Pixels), rand(2, 4));
            pass.GradientsForProducts(pass.Logits.select(1, 0));
            Assert.True(pass.HessianProducts(ones(2, 4)).eq(0).all().item<bool>());
        }
    }

    [Fact]
    public void Gradients_of_parameters_and_images_are_unchanged()
    {
        using var scope = NewDisposeScope();
        var parameter = _network.parameters().First();
        (parameter.sum() * 7).backward();
        using var pass = Pass("gap", _images, _labels, _targets, out _);
        pass.HessianProducts(Vectors(0));
        Assert.True(parameter.grad!.eq(7).all().item<bool>());
        Assert.Null(_network.parameters().Last().grad);
        Assert.Null(pass.Points.grad);
        Assert.Null(_images.grad);
    }

    [Fact]
    public void Products_leak_no_tensors()
    {
        using var scope = NewDisposeScope();
        var vectors = Vectors(0);
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        using (NewDisposeScope())
        {
            using var pass = Pass("gap", _images, _labels, _targets, out _);
            for (var draw = 0; draw < 3; draw++)
            {
                HessianProducts.Exact(pass, [0, 1, 2, 3, 4, 5])(vectors);
            }
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void A_part_that_cannot_be_differentiated_twice_is_reported_in_one_sentence()
    {
        using var scope = NewDisposeScope();
        // libtorch's CTC loss has no second derivative.
        var classifier = new Custom(images =>
        {
            var loss = nn.functional.ctc_loss(images.reshape(-1, 4, 3).transpose(0, 1).log_softmax(2), ones(new long[] { images.shape[0], 1 }, dtype: ScalarType.Int64), full(images.shape[0], 4, dtype: ScalarType.Int64), ones(images.shape[0], dtype: ScalarType.Int64), reduction: nn.Reduction.None);
            return stack([loss, -loss], 1);
        });
        using var pass = ForwardPass.At(classifier, _images);
        pass.GradientsForProducts(pass.Logits.select(1, 0));
        var message = Assert.Throws<BadInputException>(() => pass.HessianProducts(Vectors(0))).Message;
        Assert.Contains("differentiable twice", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void A_network_without_gradients_is_refused()
    {
        using var scope = NewDisposeScope();
        using var pass = ForwardPass.At(new Custom(images => images.detach()[.., ..2]), _images);
        Assert.Contains("must be differentiable", Assert.Throws<BadInputException>(() => pass.GradientsForProducts(pass.Logits.sum(1))).Message, StringComparison.Ordinal);
        // Differentiable, but not with respect to the images.
        var other = ones(6, dtype: ScalarType.Float64).requires_grad_();
        Assert.Contains("must be differentiable", Assert.Throws<BadInputException>(() => pass.GradientsForProducts(other * 2)).Message, StringComparison.Ordinal);
    }

    private ForwardPass Pass(string name, Tensor images, Tensor labels, Tensor targets, out Tensor gradients)
    {
        var pass = ForwardPass.At(_classifier, images);
        gradients = pass.GradientsForProducts(Values(name, pass.Logits, labels, targets));
        return pass;
    }

    private static Tensor Values(string name, Tensor logits, Tensor labels, Tensor targets)
    {
        return name == "gap" ? LogitGap.Of(logits, targets, labels) : CrossEntropy.Toward(logits, targets);
    }

    /// <summary>Draws vectors of different lengths from a seed.</summary>
    private static Tensor Vectors(int draw)
    {
        var random = new Random(draw);
        return tensor(Enumerable.Range(0, 6 * Inputs).Select(entry => (random.NextDouble() - 0.5) * (1 + (entry / Inputs))).ToArray()).reshape(6, Inputs);
    }

    /// <summary>Computes the Hessians by their formulas, shape [6, inputs, inputs].</summary>
    /// <remarks>
    /// z = W₂ a(W₁x + b₁) + b₂ with a(v) = v·σ(v), so ∇²z_j = W₁ᵀ diag(W₂_j a″) W₁; for log softmax(z)_t the Hessian is
    /// Jᵀ(ppᵀ − diag p)J + Σ_j (1_{j=t} − p_j) ∇²z_j with the Jacobian J and the probabilities p.
    /// </remarks>
    private Tensor DenseHessians(string name)
    {
        using var scope = NewDisposeScope();
        using var withoutGradients = no_grad();
        var parameters = _network.parameters().ToArray();
        var (w1, b1, w2) = (parameters[0], parameters[1], parameters[2]);
        var a = _images.matmul(w1.t()) + b1;
        var sigma = a.sigmoid();
        var slope = sigma * (1 + a * (1 - sigma));
        var bend = sigma * (1 - sigma) * (2 + a * (1 - 2 * sigma));
        var logits = _network.call(_images);
        var weights = name == "gap"
            ? nn.functional.one_hot(_targets, 5) - nn.functional.one_hot(_labels, 5).to(ScalarType.Float64)
            : nn.functional.one_hot(_targets, 5) - logits.softmax(1);
        var hessians = w1.t().matmul(diag_embed(weights.matmul(w2) * bend)).matmul(w1);
        if (name != "gap")
        {
            var probabilities = logits.softmax(1);
            var jacobians = w2.unsqueeze(0).mul(slope.unsqueeze(1)).matmul(w1);
            var outer = probabilities.unsqueeze(2) * probabilities.unsqueeze(1) - diag_embed(probabilities);
            hessians += jacobians.transpose(1, 2).matmul(outer).matmul(jacobians);
        }

        return hessians.MoveToOuterDisposeScope();
    }

    /// <summary>Computes the step by bisection of the multiplier, in the eigenvectors of the dense Hessian.</summary>
    private static Tensor DenseStep(Tensor hessian, Tensor gradient, double radius)
    {
        var (eigenvalues, eigenvectors) = linalg.eigh(hessian);
        var loads = eigenvectors.t().matmul(gradient);
        Tensor Step(double multiplier) => loads / (multiplier - eigenvalues);
        var top = Math.Max(0, eigenvalues[^1].item<double>());
        if (top == 0 && Step(0).norm().item<double>() <= radius)
        {
            return eigenvectors.matmul(Step(0));
        }

        var (low, high) = (top, top + (gradient.norm().item<double>() / radius));
        for (var halving = 0; halving < 100; halving++)
        {
            var middle = (low + high) / 2;
            (low, high) = Step(middle).norm().item<double>() > radius ? (middle, high) : (low, middle);
        }

        return eigenvectors.matmul(Step(high));
    }

    private static void AssertClose(Tensor expected, Tensor actual, double tolerance)
    {
        var error = ((expected - actual).norm() / expected.norm()).item<double>();
        Assert.True(error <= tolerance, $"relative error {error:G3}");
    }

    private sealed class Custom(Func<Tensor, Tensor> logits) : IClassifier
    {
        public string Name => "custom";

        public int ClassCount => 2;

        public Bounds Bounds => Bounds.Pixels;

        public Tensor Logits(Tensor images) => logits(images);

        public IDisposable EnterEvaluation() => NewDisposeScope();
    }
}
