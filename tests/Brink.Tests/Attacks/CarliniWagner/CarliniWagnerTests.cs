using Brink.Attacks;
using static TorchSharp.torch;

namespace Brink.Tests.Attacks.CarliniWagner;

public sealed class CarliniWagnerTests : IDisposable
{
    private static readonly CarliniWagnerOptions Short = new() { MaxIterations = 60, BinarySearchSteps = 4, InitialConstant = 0.1 };

    private readonly SmoothNetwork _network = new(12, 20, 5, seed: 1);
    private readonly Tensor _images;
    private readonly Tensor _labels;

    public CarliniWagnerTests() => (_images, _labels) = _network.Batch(16, seed: 2);

    public void Dispose()
    {
        _images.Dispose();
        _labels.Dispose();
        _network.Dispose();
    }

    [Theory]
    [Trait("speed", "slow")]
    [InlineData("untargeted")]
    [InlineData("best")]
    [InlineData("hardest")]
    [InlineData("3")]
    public void The_result_is_the_nearest_adversarial_point_of_all_that_were_evaluated(string target)
    {
        using var scope = NewDisposeScope();
        var watching = new Recording(_network.AsClassifier(), _images, _labels, target == "3" ? 3 : null);
        var fooled = 0;
        // One image per run, so that every point belongs to the image of the current row.
        for (var row = 0; row < 6; row++)
        {
            watching.Row = row;
            using var result = new CarliniWagnerAttack(Short with { Target = TargetOf(target) }).Run(watching, _images[row..(row + 1)], _labels[row..(row + 1)], target == "3" ? Criterion.TargetClass(3) : null);
            if (result.Outcomes[0].Attacked)
            {
                fooled += result.Outcomes[0].Fooled ? 1 : 0;
                Assert.Equal(watching.Nearest, result.Outcomes[0].Fooled ? result.Outcomes[0].L2 : double.PositiveInfinity, 1e-12);
            }

            watching.Nearest = double.PositiveInfinity;
        }

        Assert.InRange(fooled, 2, 6);
    }

    [Fact]
    public void The_gap_of_returned_images_is_at_least_the_confidence()
    {
        using var scope = NewDisposeScope();
        using var confident = new CarliniWagnerAttack(Short with { Kappa = 0.5 }).Run(_network.AsClassifier(), _images, _labels);
        using var plain = new CarliniWagnerAttack(Short).Run(_network.AsClassifier(), _images, _labels);
        using var evaluation = _network.AsClassifier().EnterEvaluation();
        var logits = _network.AsClassifier().Logits(confident.Adversarial);
        var labelLogits = logits.gather(1, _labels.unsqueeze(1)).squeeze(1);
        var gaps = logits.amax([1]) - labelLogits;
        var fooled = confident.Outcomes.Select((image, row) => (image, row)).Where(pair => pair.image.Fooled).ToArray();
        Assert.NotEmpty(fooled);
        Assert.All(fooled, pair => Assert.True(gaps[pair.row].item<double>() >= 0.5 - 1e-9));
        Assert.True(confident.Outcomes.Average(image => image.L2) > plain.Outcomes.Average(image => image.L2));
    }

    [Fact]
    [Trait("speed", "slow")]
    public void Early_abort_saves_passes()
    {
        using var scope = NewDisposeScope();
        var options = Short with { MaxIterations = 400 };
        using var aborting = new CarliniWagnerAttack(options).Run(_network.AsClassifier(), _images, _labels);
        using var patient = new CarliniWagnerAttack(options with { AbortEarly = false }).Run(_network.AsClassifier(), _images, _labels);
        Assert.All(patient.Outcomes.Where(image => image.Attacked), image => Assert.Equal((1600, 1601, 1601), (image.Iterations, image.Forwards, image.Backwards)));
        Assert.True(aborting.Outcomes.Sum(image => image.Forwards) < patient.Outcomes.Sum(image => image.Forwards));
    }

    [Theory]
    [InlineData(0, 1, 0.37)]
    [InlineData(-2, 3, 2.9)]
    [InlineData(0, 1, 0)]
    [InlineData(-2, 3, 3)]
    public void The_tanh_substitution_is_invertible_and_its_slope_is_the_derivative(double lower, double upper, double value)
    {
        using var scope = NewDisposeScope();
        var point = full([1, 4], value, dtype: ScalarType.Float64);
        var space = new TanhSpace(new Bounds(lower, upper), point);
        var variables = space.FromPoints(point);
        var (back, slopes) = space.ToPoints(variables);
        Assert.True((back - point).abs().max().item<double>() <= (upper - lower) * 1e-6);
        Assert.True(back.ge(lower).logical_and(back.le(upper)).all().item<bool>());
        const double h = 1e-6;
        var difference = (space.ToPoints(variables + h).Points - space.ToPoints(variables - h).Points) / (2 * h);
        Assert.True(slopes.allclose(difference, rtol: 1e-4, atol: 1e-9));
    }

    [Fact]
    public void Adam_equals_that_of_libtorch_also_after_rows_were_removed()
    {
        using var scope = NewDisposeScope();
        var start = randn(3, 4, dtype: ScalarType.Float64, generator: new Generator(1, CPU));
        var centre = ones(4, dtype: ScalarType.Float64);
        var parameter = new TorchSharp.Modules.Parameter(start.clone());
        var expected = optim.Adam([parameter], lr: 0.1);
        var adam = new Adam(start, 0.1);
        var rows = tensor(new long[] { 0, 1, 2 });
        for (var step = 0; step < 20; step++)
        {
            expected.zero_grad();
            (parameter - centre).pow(4).sum().backward();
            expected.step();
            adam.Step((adam.Variables - centre).pow(3) * 4);
            if (step == 7)
            {
                using (NewDisposeScope())
                {
                    adam.Keep(tensor(new long[] { 0, 2 }), scope);
                }

                rows = tensor(new long[] { 0, 2 });
            }
        }

        Assert.True(adam.Variables.allclose(parameter.detach().index_select(0, rows), rtol: 1e-9));
    }

    [Fact]
    public void The_constant_grows_tenfold_until_one_succeeds_and_then_the_interval_is_halved()
    {
        var search = new ConstantSearch(1, 0.001);
        var tried = new List<double>();
        foreach (var fooled in new[] { false, false, true, false, true })
        {
            tried.Add(search.Constants[0]);
            search.Update(0, fooled);
        }

        Assert.Equal([0.001, 0.01, 0.1, 0.055, 0.0775], tried.Select(constant => Math.Round(constant, 12)));
        Assert.Equal(0.06625, search.Constants[0], 1e-12);
    }

    [Fact]
    public void Invalid_settings_are_refused_by_name()
    {
        Assert.Contains("norm l2 only", Assert.Throws<BadInputException>(() => new CarliniWagnerAttack(new() { Norm = Norm.LInf })).Message, StringComparison.Ordinal);
        Assert.Contains("learning rate", Assert.Throws<BadInputException>(() => new CarliniWagnerAttack(new() { LearningRate = 0 })).Message, StringComparison.Ordinal);
        Assert.Contains("initial constant", Assert.Throws<BadInputException>(() => new CarliniWagnerAttack(new() { InitialConstant = double.NaN })).Message, StringComparison.Ordinal);
        Assert.Contains("binary search steps", Assert.Throws<BadInputException>(() => new CarliniWagnerAttack(new() { BinarySearchSteps = 0 })).Message, StringComparison.Ordinal);
        Assert.Contains("kappa", Assert.Throws<BadInputException>(() => new CarliniWagnerAttack(new() { Kappa = -1 })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Points_stay_within_the_bounds_in_single_precision_too()
    {
        using var scope = NewDisposeScope();
        // With the normalisation of ImageNet, centre + half width exceeds the bound by rounding.
        var bounds = new Normalization([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]).Bounds;
        var images = bounds.Clamp(cat([full([1, 3, 2, 2], -10f), full([1, 3, 2, 2], 10f)], 0));
        var space = new TanhSpace(bounds, images);
        var (points, _) = space.ToPoints(space.FromPoints(images) * 2);
        Assert.True(bounds.Contain(points).all().item<bool>());
    }

    [Fact]
    public void A_batch_without_any_gradient_ends_with_zero_gradient()
    {
        using var scope = NewDisposeScope();
        var classifier = new Linear([new double[4], new double[4]], [1, 0], Bounds.Pixels);
        using var result = new CarliniWagnerAttack().Run(classifier, full([2, 4], 0.5, dtype: ScalarType.Float64), zeros(2, dtype: ScalarType.Int64));
        Assert.All(result.Outcomes, image => Assert.Equal(AttackExit.ZeroGradient, image.Exit));
    }

    private static TargetSelection TargetOf(string name) => name switch
    {
        "best" => TargetSelection.Best,
        "hardest" => TargetSelection.Hardest,
        _ => TargetSelection.Untargeted,
    };

    /// <summary>A classifier that records the distance of the nearest adversarial point of all points that it classifies.</summary>
    private sealed class Recording(IClassifier inner, Tensor images, Tensor labels, long? target) : IClassifier
    {
        public int Row { get; set; }

        public double Nearest { get; set; } = double.PositiveInfinity;

        public string Name => inner.Name;

        public int ClassCount => inner.ClassCount;

        public Bounds Bounds => inner.Bounds;

        public Tensor Logits(Tensor points)
        {
            var logits = inner.Logits(points);
            using var scope = NewDisposeScope();
            var prediction = logits.detach().argmax(1).item<long>();
            if (target is { } given ? prediction == given : prediction != labels[Row].item<long>())
            {
                Nearest = Math.Min(Nearest, (points.detach() - images[Row]).norm().item<double>());
            }

            return logits;
        }

        public IDisposable EnterEvaluation() => inner.EnterEvaluation();
    }
}
