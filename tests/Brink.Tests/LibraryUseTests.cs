using System.Collections.Concurrent;
using Brink.Attacks;
using Brink.Tests.Attacks;
using static TorchSharp.torch;

namespace Brink.Tests;

/// <summary>Tests of situations in which programs use the library: several threads, networks with few features, networks that change their input or compute in double precision.</summary>
// The random seed of the process is set.
[Collection(nameof(ExclusiveCollection))]
public sealed class LibraryUseTests
{
    private const int Threads = 8;

    public static TheoryData<string> LinearAttacks() =>
        [.. from attack in new[] { "tr", "paper", "best", "hardest", "deepfool", "deepfool_hardest" } from norm in new[] { "l2", "linf" } select $"linear5_{attack}_{norm}", "linear5_ifgsm_linf", "linear5_effort_l2"];

    /// <summary>Attacks through one module in training mode from several threads, with batch statistics and with and without dropout.</summary>
    [Theory, InlineData("parallel_training"), InlineData("parallel_training_no_dropout")]
    public void Threads_that_share_a_module_in_training_mode_find_the_lengths_of_a_single_run(string name)
    {
        var dropout = name == "parallel_training";
        manual_seed(0);
        using var network = nn.Sequential(nn.Conv2d(3, 16, 3, stride: 2, padding: 1), nn.BatchNorm2d(16), nn.ReLU(), nn.Dropout(dropout ? 0.5 : 0.0), nn.Flatten(), nn.Linear(16 * 16 * 16, 10));
        using var images = rand(16, 3, 32, 32);
        network.eval();
        using var labels = network.forward(images).argmax(1);
        network.train();
        var lone = Run();
        var different = new ConcurrentBag<double[]>();
        for (var round = 0; round < 5; round++)
        {
            var workers = Enumerable.Range(0, Threads).Select(worker => new Thread(() =>
            {
                Thread.Sleep(worker * 7);
                if (Run() is var own && !own.SequenceEqual(lone))
                {
                    different.Add(own);
                }
            })).ToArray();
            Array.ForEach(workers, worker => worker.Start());
            Array.ForEach(workers, worker => worker.Join());
        }

        Assert.Empty(different);
        Assert.All(network.modules().Prepend(network), module => Assert.True(module.training));

        double[] Run()
        {
            using var result = new TrustRegionAttack().Run(new ModuleClassifier(network, 10, Bounds.Pixels), images, labels);
            return [.. result.Outcomes.Select(image => image.L2)];
        }
    }

    /// <summary>The first of two attacks that share a module must not restore its mode while the second is still running.</summary>
    [Fact]
    public void The_last_attack_restores_the_modes()
    {
        using var network = nn.Sequential(nn.Dropout(0.5), nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5)));
        network.train();
        network.children().Last().eval();
        var modes = Modes();
        var (first, second) = (new EvaluationMode(network), new EvaluationMode(network));
        first.Dispose();
        first.Dispose();
        Assert.All(Modes(), Assert.False);
        // Another root that shares modules.
        var part = new EvaluationMode(network.children().First());
        second.Dispose();
        // Switching the network would also switch the part, if only for a moment.
        Assert.All(Modes(), Assert.False);
        using (new EvaluationMode(network))
        {
            part.Dispose();
            Assert.All(Modes(), Assert.False);
        }

        Assert.Equal(modes, Modes());

        bool[] Modes() => [.. network.modules().Prepend(network).Select(module => module.training)];
    }

    /// <summary>In a box, the largest gap of a linear network to each class is at a corner, so the corners tell whether an image can be fooled.</summary>
    [Theory, MemberData(nameof(LinearAttacks))]
    [Trait("speed", "slow")]
    public void A_linear_network_is_fooled_wherever_a_corner_of_the_box_is(string name)
    {
        const int Features = 5;
        const int Starts = 800;
        var missed = new List<Outcome>();
        for (var (network, done) = (0, 0); done < Starts; network++)
        {
            manual_seed(network);
            using var scope = NewDisposeScope();
            var classes = 3 + (network % 6);
            var linear = nn.Linear(Features, classes);
            using (no_grad())
            {
                linear.weight!.copy_(randn(classes, Features));
                linear.bias!.copy_(randn(classes));
            }

            var images = rand(40, Features);
            var labels = linear.forward(images).argmax(1).to(ScalarType.Int64);
            var corners = tensor(Enumerable.Range(0, (1 << Features) * Features).Select(index => (float)((index / Features >> (index % Features)) & 1)).ToArray()).view(1 << Features, Features);
            var reachable = linear.forward(corners).argmax(1).data<long>().ToHashSet();
            using var result = Attack(name).Run(new ModuleClassifier(linear, classes, new Bounds(0, 1)), images, labels);
            var starts = result.Outcomes.Where(image => image.Attacked && reachable.Any(other => other != image.Label)).Take(Starts - done).ToArray();
            done += starts.Length;
            missed.AddRange(starts.Where(image => !image.Fooled));
        }

        Assert.Empty(missed.Select(image => image.Exit));
    }

    /// <summary>Compares a network that changes the tensor it is given with one that copies it first.</summary>
    [Theory, InlineData("in_place_sub"), InlineData("in_place_clamp"), InlineData("in_place_relu")]
    public void A_network_that_changes_its_input_in_place_gives_the_lengths_of_one_that_copies_it(string name)
    {
        var operation = name["in_place_".Length..];
        manual_seed(0);
        var inner = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 20), nn.ReLU(), nn.Linear(20, 5));
        using var copying = new InPlace(inner, operation, copy: true);
        using var changing = new InPlace(inner, operation, copy: false);
        using var images = rand(12, 3, 8, 8);
        using var labels = copying.forward(images.clone()).argmax(1);
        foreach (var attack in new IAttack[] { new TrustRegionAttack(), new DeepFoolAttack(), new FastGradientOptions { Epsilon = 0.1 }.CreateAttack(), new CarliniWagnerAttack(new() { MaxIterations = 50, BinarySearchSteps = 2 }) })
        {
            AssertEqual(Lengths(copying), Lengths(changing), 1e-4);

            double[] Lengths(nn.Module<Tensor, Tensor> module)
            {
                using var points = images.clone();
                using var result = attack.Run(new ModuleClassifier(module, 5, Bounds.Pixels), points, labels);
                Assert.True(points.eq(images).all().item<bool>());
                return [.. result.Outcomes.Select(image => image.L2)];
            }
        }
    }

    /// <summary>Compares a network that computes and answers in double precision with its single-precision twin.</summary>
    [Fact]
    public void A_network_that_answers_in_double_precision_gives_the_lengths_of_its_twin()
    {
        manual_seed(0);
        using var inner = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 20), nn.ReLU(), nn.Linear(20, 5));
        var twin = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 20), nn.ReLU(), nn.Linear(20, 5));
        twin.load_state_dict(inner.state_dict());
        using var wide = new DoublePrecision(twin.to(ScalarType.Float64));
        using var images = rand(12, 3, 8, 8);
        using var labels = inner.forward(images).argmax(1);
        foreach (var attack in new IAttack[] { new TrustRegionAttack(), new DeepFoolAttack(), FastGradientOptions.Iterative.CreateAttack(), new CarliniWagnerAttack(new() { MaxIterations = 50, BinarySearchSteps = 2 }) })
        {
            AssertEqual(Lengths(inner), Lengths(wide), 1e-3);

            double[] Lengths(nn.Module<Tensor, Tensor> module)
            {
                using var result = attack.Run(new ModuleClassifier(module, 5, Bounds.Pixels), images, labels);
                Assert.Equal(ScalarType.Float32, result.Adversarial.dtype);
                return [.. result.Outcomes.Select(image => image.L2)];
            }
        }
    }

    private static IAttack Attack(string name)
    {
        var norm = Norm.Parse(name.Split('_')[^1]);
        return name.Split('_', 2)[1][..^(norm.Name.Length + 1)] switch
        {
            "tr" => new TrustRegionAttack(new() { Norm = norm }),
            "paper" => new TrustRegionAttack(TrustRegionOptions.Paper(norm)),
            "effort" => new TrustRegionAttack(new() { Norm = norm, Refinement = new() { Effort = 60 } }),
            "best" => new TrustRegionAttack(new() { Norm = norm, Target = TargetSelection.Best }),
            "hardest" => new TrustRegionAttack(TrustRegionOptions.Paper(norm) with { Target = TargetSelection.Hardest }),
            "ifgsm" => new FastGradientOptions { Norm = norm }.CreateAttack(),
            "deepfool" => new DeepFoolAttack(new() { Norm = norm }),
            _ => new DeepFoolAttack(new() { Norm = norm, Target = TargetSelection.Hardest }),
        };
    }

    private static void AssertEqual(double[] expected, double[] actual, double tolerance) =>
        Assert.All(expected.Zip(actual), pair => Assert.InRange(pair.Second, pair.First * (1 - tolerance), pair.First * (1 + tolerance)));

    /// <summary>Changes the tensor that it is given, or a copy of it.</summary>
    private sealed class InPlace(nn.Module<Tensor, Tensor> inner, string operation, bool copy) : nn.Module<Tensor, Tensor>("in-place")
    {
        public override Tensor forward(Tensor input)
        {
            using var half = tensor(0.5f);
            var own = copy ? input.clone() : input;
            if (operation == "clamp")
            {
                using (no_grad())
                {
                    own.clamp_(0.2, 0.8);
                }

                return inner.call(own);
            }

            return inner.call(operation == "sub" ? own.sub_(half) : own.relu_());
        }
    }

    /// <summary>Takes single precision, computes and answers in double precision.</summary>
    private sealed class DoublePrecision(nn.Module<Tensor, Tensor> inner) : nn.Module<Tensor, Tensor>("double")
    {
        public override Tensor forward(Tensor input) => inner.call(input.to(ScalarType.Float64));
    }
}
