using Brink.Attacks;
using Brink.Optimization;
using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Tests.Attacks;

/// <summary>Tests that attacks rarely wait for the device. They run on the CPU, which they treat like a GPU.</summary>
public sealed class DeviceReadsTests : IDisposable
{
    private readonly SmoothNetwork _network = new(12, 20, 5, seed: 1);
    private readonly Tensor _images;
    private readonly Tensor _labels;

    public DeviceReadsTests() => (_images, _labels) = _network.Batch(16, seed: 2);

    public static TheoryData<string> Names() => ["tr", "tr linf", "tr l1", "tr best", "tr class", "paper", "paper linf", "effort", "effort linf", "deepfool", "deepfool linf", "ifgsm", "pgd", "pgd with epsilon", "cw", "cw class"];

    public void Dispose()
    {
        TensorValues.AvoidsReads = false;
        _images.Dispose();
        _labels.Dispose();
        _network.Dispose();
    }

    [Theory, MemberData(nameof(Names))]
    public void A_step_takes_at_most_one_read(string name)
    {
        var recorder = new ReadRecorder(_network.AsClassifier());
        TensorValues.AvoidsReads = true;
        using var result = Run(name, recorder);
        // The first pass classifies the images, and the last one confirms the results.
        var steps = recorder.Reads.Zip(recorder.Reads.Skip(1), (before, after) => after - before).Skip(1).SkipLast(1).ToArray();
        Assert.NotEmpty(steps);
        var further = steps.Sum(reads => Math.Max(0, reads - 1));
        Assert.InRange(further, 0, name.Split(' ')[0] switch
        {
            // The steps of Newton's method, which are known after the first steps of the walk.
            "tr" => 1,
            // After each round of walks, each ε and each constant.
            "effort" or "ifgsm" or "cw" => steps.Length / 8,
            "pgd" when !name.EndsWith("epsilon", StringComparison.Ordinal) => steps.Length / 4,
            _ => 0,
        });
    }

    [Fact]
    public void Newtons_method_with_a_limit_is_complete_or_says_that_it_is_not()
    {
        using var scope = NewDisposeScope();
        // The entries reach the bound 1 one after the other: after 0.1, 0.2, … 0.9 along the normal.
        var points = arange(1.0, 10.0, 1, dtype: ScalarType.Float64).div(10).neg().Plus(1).reshape(1, 9);
        var plane = new BoxedHyperplane(ones_like(points), points, tensor(new[] { 4.4 }), tensor(0.0), tensor(1.0));
        var expected = plane.Nearest(points, Norm.L2);
        var isComplete = new List<bool>();
        for (var steps = 1; steps <= 12; steps++)
        {
            using var limit = new NewtonLimit(steps);
            var nearest = plane.Nearest(points, Norm.L2, limit);
            isComplete.Add(!limit.Incomplete!.any().item<bool>());
            Assert.True(!isComplete[^1] || nearest.Equals(expected));
        }

        Assert.False(isComplete[0]);
        Assert.True(isComplete[^1]);
        Assert.Equal(isComplete.Order(), isComplete);
    }

    [Theory, MemberData(nameof(Names))]
    public void Results_are_those_of_the_CPU(string name)
    {
        using var expected = Run(name, _network.AsClassifier());
        TensorValues.AvoidsReads = true;
        using var actual = Run(name, _network.AsClassifier());
        Assert.Equal(expected.Outcomes, actual.Outcomes);
        Assert.Equal(expected.Adversarial.data<double>().ToArray(), actual.Adversarial.data<double>().ToArray());
    }

    private AttackResult Run(string name, IClassifier classifier)
    {
        var words = name.Split(' ');
        var norm = words.Contains("linf") ? Norm.LInf : words.Contains("l1") ? Norm.L1 : Norm.L2;
        var target = words.Contains("best") ? TargetSelection.Best : TargetSelection.Untargeted;
        IAttack attack = words[0] switch
        {
            "tr" => new TrustRegionAttack(new() { Norm = norm, Target = target, Refinement = new() }),
            "paper" => new TrustRegionAttack(TrustRegionOptions.Paper(norm)),
            "effort" => new TrustRegionAttack(new() { Norm = norm, Refinement = new() { Effort = 60 } }),
            "deepfool" => new DeepFoolAttack(new() { Norm = norm }),
            "ifgsm" => (FastGradientOptions.Iterative with { Tolerance = 0.01 }).CreateAttack(),
            "pgd" => (FastGradientOptions.Projected with { MaxIterations = 5, Tolerance = 0.01, Epsilon = words.Contains("epsilon") ? 0.5 : null }).CreateAttack(),
            _ => new CarliniWagnerAttack(new() { LearningRate = 0.05, MaxIterations = 40, BinarySearchSteps = 3, InitialConstant = 1 }),
        };
        return attack.Run(classifier, _images, _labels, words.Contains("class") ? Criterion.TargetClasses([.. Enumerable.Repeat(3L, 16)]) : null);
    }

    /// <summary>A classifier that records the number of reads before each forward pass.</summary>
    private sealed class ReadRecorder(IClassifier inner) : IClassifier
    {
        public List<long> Reads { get; } = [];

        public string Name => inner.Name;

        public int ClassCount => inner.ClassCount;

        public Bounds Bounds => inner.Bounds;

        public Tensor Logits(Tensor images)
        {
            Reads.Add(TensorValues.Reads);
            return inner.Logits(images);
        }

        public IDisposable EnterEvaluation() => inner.EnterEvaluation();
    }
}
