using static Brink.Cli.Reproduce.PaperAttacks;

namespace Brink.Cli.Reproduce;

/// <summary>Tables 1 and 2: CIFAR-10.</summary>
internal static class Cifar10Tables
{
    private const string Images = "the 10,000 test images";

    private static readonly PaperNetwork[] Networks =
    [
        new("AlexLike", 85.78m, "alexlike", "The authors publish no weights; those of Brink's own training are in models/."),
        new("AlexLike-S", 86.53m, "alexlike-s", "AlexLike with Swish. The authors publish no weights; those of Brink's own training are in models/."),
        new("ResNet", 92.10m, "resnet20", "The paper does not say which ResNet; ResNet-20 is the one that its authors publish (github.com/amirgholami/TRAttack)."),
        new("WResNet", 94.77m, "wresnet16-4", "A Wide ResNet 16-4; the authors publish no weights, and Brink brings none: training takes too long on the two processors that its own weights are trained on (docs/reproducing-the-paper.md)."),
    ];

    /// <summary>Table 1.</summary>
    public static PaperTable Best { get; } = new(
        "table1",
        "CIFAR-10, best class",
        Images,
        Networks,
        [
            // Average/worst of each column, a line a network.
            new("l2", [DeepFool("l2", "best"), CarliniWagner, .. TrustRegion("l2", "best"), Refined("l2")], PaperCells.Read(Networks, """
                deepfool   cw         tr-fixed   tr-adaptive
                1.67/11.5  1.47/9.70  1.49/9.13  1.49/9.09
                1.74/11.0  1.57/8.59  1.57/9.48  1.57/9.46
                0.80/5.60  0.62/3.12  0.66/3.97  0.66/3.96
                0.89/5.79  0.66/4.51  0.73/4.43  0.72/4.34
                """)),
            new("linf", [DeepFool("linf", "best"), FastGradient, IterativeFastGradient, .. TrustRegion("linf", "best"), Refined("linf")], PaperCells.Read(Networks, """
                deepfool   fgsm        tr-fixed   tr-adaptive
                1.15/6.85  1.40/16.44  1.05/5.45  1.03/5.45
                1.18/6.01  1.45/14.88  1.09/4.76  1.07/4.73
                0.60/3.98  0.85/4.35   0.56/3.18  0.50/3.35
                0.66/3.34  0.85/3.30   0.56/2.67  0.54/2.69
                """)),
        ]);

    /// <summary>Table 2.</summary>
    public static PaperTable Hardest { get; } = new(
        "table2",
        "CIFAR-10, hardest class",
        Images,
        Networks,
        [
            new("l2", [DeepFool("l2", "hardest"), .. TrustRegion("l2", "hardest")], PaperCells.Read(Networks, """
                deepfool   tr-fixed   tr-adaptive
                4.36/18.9  2.47/13.4  2.47/13.4
                4.70/17.7  2.63/14.4  2.62/14.2
                1.71/8.01  0.99/4.76  0.99/4.90
                1.80/8.74  1.05/6.23  1.08/6.23
                """)),
            new("linf", [DeepFool("linf", "hardest"), .. TrustRegion("linf", "hardest")], PaperCells.Read(Networks, """
                deepfool   tr-fixed   tr-adaptive
                2.96/12.6  1.92/9.99  1.86/10.0
                3.12/12.2  1.98/8.19  1.92/8.17
                1.34/9.65  0.77/4.70  0.85/5.44
                1.35/6.49  0.81/3.77  0.89/3.90
                """)),
        ]);

    private static PaperAttack[] TrustRegion(string norm, string target)
    {
        const int iterations = 1000;
        var radius = norm == "l2" ? "0.05" : "0.005";
        return [TrustRegionFixed(norm, target, radius, iterations), TrustRegionAdaptive(norm, target, radius, iterations), PaperPreset(norm, target)];
    }
}
