using Brink.Attacks;
using Brink.Data;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using Brink.Models;
using TorchSharp;

namespace Brink.Evaluation.Tests.Runs;

[Trait(TestDevices.Trait, TestDevices.Any)]
public sealed class DeviceEvaluationTests
{
    private const int Count = 32;

    /// <summary>Rounding differs between devices, and a network with ReLU amplifies it: lengths are compared by their mean.</summary>
    [Theory]
    [InlineData("cpu")]
    [InlineData("cuda")]
    public void The_images_fooled_on_a_device_are_fooled_on_the_CPU(string deviceName)
    {
        var device = TestDevices.Require(deviceName);
        var images = DataCatalog.Open("signs", limit: Count);
        using var reference = ModelCatalog.Load("signs", null);
        using var onProcessor = new AttackEvaluation(new(reference, InputSpace.Pixel), new TrustRegionAttack()).Run(images);
        using var model = ModelCatalog.Load("signs", null);
        model.Module.to(device);
        using var onDevice = new AttackEvaluation(new(model, InputSpace.Pixel), new TrustRegionAttack(), device: device).Run(images);
        Assert.Equal(onProcessor.Images.Select(image => image.Outcome.PredictionBefore), onDevice.Images.Select(image => image.Outcome.PredictionBefore));
        Assert.Equal(onProcessor.Images.Select(image => image.Outcome.Fooled), onDevice.Images.Select(image => image.Outcome.Fooled));
        Assert.Equal(onDevice.Images.Select(image => image.Outcome.PredictionAfter), new OpenedModel(reference, InputSpace.Pixel).Predict(onDevice.Ranges[0].Adversarial));
        Assert.Equal(1, Mean(onDevice) / Mean(onProcessor), 0.02);
    }

    private static double Mean(EvaluationResult result) => result.Images.Where(image => image.Outcome.Fooled).Average(image => image.Outcome.L2);
}
