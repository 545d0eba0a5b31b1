using Brink.Attacks;
using static TorchSharp.torch;

namespace Brink.Tests.Attacks;

/// <summary>Tests of the contract of attacks that depends on the device: the results are those of the CPU.</summary>
// The tests change settings of the process.
[Collection(nameof(ExclusiveCollection))]
[Trait(TestDevices.Trait, TestDevices.Any)]
public sealed class DeviceTests
{
    private const int Count = 16;

    public static TheoryData<string, string> Variants()
    {
        var variants = new TheoryData<string, string>();
        foreach (var device in new[] { "cpu", "cuda" })
        {
            foreach (var attack in Attacks.Keys)
            {
                variants.Add(device, attack);
            }
        }

        return variants;
    }

    private static Dictionary<string, IAttack> Attacks { get; } = new(StringComparer.Ordinal)
    {
        ["tr l2"] = new TrustRegionAttack(),
        ["tr linf"] = new TrustRegionAttack(new() { Norm = Norm.LInf }),
        ["tr l1"] = new TrustRegionAttack(new() { Norm = Norm.L1 }),
        ["tr effort"] = new TrustRegionAttack(new() { Refinement = new() { Effort = 60 } }),
        ["paper"] = new TrustRegionAttack(TrustRegionOptions.Paper(Norm.L2)),
        ["tr2"] = new TrustRegionAttack(TrustRegionOptions.SecondOrder),
        ["deepfool"] = new DeepFoolAttack(new() { Norm = Norm.LInf }),
        ["cw"] = new CarliniWagnerAttack(new() { LearningRate = 0.05, MaxIterations = 40, BinarySearchSteps = 3, InitialConstant = 1 }),
        ["ifgsm"] = (FastGradientOptions.Iterative with { Norm = Norm.LInf, Tolerance = 0.01 }).CreateAttack(),
        ["pgd"] = (FastGradientOptions.Projected with { Norm = Norm.L2, MaxIterations = 5, Restarts = 2, Epsilon = 0.5 }).CreateAttack(),
    };

    /// <summary>In float64 on a smooth network only rounding differs, which the steps of an attack amplify little.</summary>
    [Theory, MemberData(nameof(Variants))]
    public void The_results_are_those_of_the_CPU(string deviceName, string attackName)
    {
        var device = TestDevices.Require(deviceName);
        using var scope = NewDisposeScope();
        using var network = new SmoothNetwork(12, 20, 5, seed: 1);
        var (images, labels) = network.Batch(Count, seed: 2);
        using var onProcessor = Attacks[attackName].Run(network.AsClassifier(), images, labels);
        network.to(device);
        using var onDevice = Attacks[attackName].Run(network.AsClassifier(), images.to(device), labels.to(device));
        Assert.Equal(device.type, onDevice.Adversarial.device_type);
        Assert.Contains(onDevice.Outcomes, outcome => outcome.Fooled);
        Assert.True((onDevice.Adversarial.cpu() - onProcessor.Adversarial).abs().max().item<double>() < 1e-6);
        Assert.Equal(onProcessor.Outcomes.Select(Discrete), onDevice.Outcomes.Select(Discrete));
    }

    /// <summary>Most GPUs compute these products in TF32 if it is allowed, with errors of 1e-3: more than the distance of the images to the boundary.</summary>
    [Theory]
    [InlineData("cpu", false)]
    [InlineData("cuda", false)]
    [InlineData("cuda", true)]
    public void Fooled_images_are_fooled_in_float32_whatever_the_settings_of_the_process(string deviceName, bool inSearch)
    {
        var device = TestDevices.Require(deviceName);
        var before = TensorFloat32.Settings.Current;
        using var scope = NewDisposeScope();
        using var random = new Generator(3);
        using var network = nn.Sequential(nn.Conv2d(3, 16, 3, padding: 1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding: 1), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 16 * 16, 10));
        using (no_grad())
        {
            foreach (var parameter in network.parameters())
            {
                // Without biases, which would decide the class of all images.
                parameter.copy_(parameter.dim() == 1 ? zeros_like(parameter) : randn(parameter.shape, generator: random) * Math.Sqrt(2.0 / parameter[0].numel()));
            }
        }

        var images = rand([Count, 3, 16, 16], generator: random);
        var classifier = new ModuleClassifier(network, 10, Bounds.Pixels);
        var labels = network.forward(images).argmax(1);
        network.to(device);
        try
        {
            TensorFloat32.SetProcess(allow: true);
            ForwardPass.AllowTensorFloat32 = inSearch;
            using var result = new TrustRegionAttack().Run(classifier, images.to(device), labels.to(device));
            Assert.Equal(new TensorFloat32.Settings(true, true, false), TensorFloat32.Settings.Current);
            Assert.Contains(result.Outcomes, outcome => outcome.Fooled);
            network.to(CPU);
            var predictions = network.forward(result.Adversarial.cpu()).argmax(1).data<long>().ToArray();
            Assert.All(result.Outcomes.Zip(predictions), pair => Assert.True(!pair.First.Fooled || pair.Second != pair.First.Label));
        }
        finally
        {
            ForwardPass.AllowTensorFloat32 = false;
            before.Apply();
        }
    }

    private static (AttackExit Exit, long Before, long After) Discrete(Outcome outcome) => (outcome.Exit, outcome.PredictionBefore, outcome.PredictionAfter);
}
