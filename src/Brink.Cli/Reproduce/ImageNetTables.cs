using Brink.Models;
using static Brink.Cli.Reproduce.PaperAttacks;

namespace Brink.Cli.Reproduce;

/// <summary>Tables 3 and 4: ImageNet, the ten classes with the largest logits.</summary>
internal static class ImageNetTables
{
    private const string Images = "the validation images";

    private static readonly PaperNetwork[] Networks =
    [
        new("AlexNet", 56.5m, "alexnet", Source("alexnet")),
        new("VGG16", 71.6m, "vgg16", $"The paper's L∞ half says 71.5. {Source("vgg16")}"),
        new("ResNet50", 76.1m, "resnet50", Source("resnet50")),
        new("DenseNet121", 74.4m, "densenet121", Source("densenet121")),
    ];

    /// <summary>Table 3.</summary>
    public static PaperTable Best { get; } = new(
        "table3",
        "ImageNet, best class",
        Images,
        Networks,
        [
            // Average/worst of each column, a line a network.
            new("l2", [DeepFool("l2", "best"), CarliniWagner, .. TrustRegion("l2", "best"), Refined("l2")], PaperCells.Read(Networks, """
                deepfool  cw        tr-fixed  tr-adaptive
                0.20/4.1  0.31/1.8  0.17/2.5  0.18/3.3
                0.14/4.4  0.16/1.1  0.12/1.2  0.12/3.8
                0.17/3.0  0.19/1.1  0.13/1.5  0.14/2.3
                0.15/2.5  0.20/1.5  0.12/1.3  0.13/1.7
                """)),
            new("linf", [DeepFool("linf", "best"), FastGradient, IterativeFastGradient, .. TrustRegion("linf", "best"), Refined("linf")], PaperCells.Read(Networks, """
                deepfool  fgsm      tr-fixed  tr-adaptive
                0.14/4.3  0.16/4.7  0.13/1.4  0.13/3.6
                0.11/4.0  0.18/5.1  0.10/1.4  0.10/3.4
                0.13/3.2  0.18/3.7  0.11/1.3  0.11/2.7
                0.11/2.3  0.15/4.1  0.10/1.1  0.10/1.8
                """)),
        ])
    {
        Data = PaperData.ImageNet,
    };

    /// <summary>Table 4.</summary>
    public static PaperTable Hardest { get; } = new(
        "table4",
        "ImageNet, hardest class among the top 10",
        Images,
        Networks,
        [
            new("l2", [DeepFool("l2", "hardest"), .. TrustRegion("l2", "hardest")], PaperCells.Read(Networks, """
                deepfool  tr-fixed  tr-adaptive
                0.74/8.7  0.39/5.0  0.39/5.0
                0.45/5.4  0.27/3.6  0.27/3.8
                0.52/5.8  0.31/4.2  0.31/4.2
                0.48/5.7  0.29/3.8  0.29/3.8
                """)),
            new("linf", [DeepFool("linf", "hardest"), .. TrustRegion("linf", "hardest")], PaperCells.Read(Networks, """
                deepfool   tr-fixed  tr-adaptive
                0.53/9.9   0.31/7.5  0.33/9.1
                0.36/11.6  0.25/5.1  0.26/6.8
                0.43/6.6   0.28/3.7  0.30/4.6
                0.38/6.4   0.24/4.5  0.27/5.7
                """)),
        ])
    {
        Data = PaperData.ImageNet,
    };

    private static string Source(string model) =>
        $"{ModelCatalog.Networks.Single(network => network.Name == model).WeightsSource} of https://download.pytorch.org/models/ fits.";

    private static PaperAttack[] TrustRegion(string norm, string target)
    {
        const int iterations = 5000;
        const string remark = "TR, fixed and adaptive: the formulas of the authors' program with its constants for ImageNet, 0.005 in L2 (the default of trattack_imagenet.py), 0.0001 in L∞ (its README) and 5,000 steps. The paper does not give them.";
        var radius = norm == "l2" ? "0.005" : "0.0001";
        return [TrustRegionFixed(norm, target, radius, iterations, remark), TrustRegionAdaptive(norm, target, radius, iterations), PaperPreset(norm, target)];
    }
}
