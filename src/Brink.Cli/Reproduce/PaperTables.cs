using System.Globalization;
using Brink.Models;
using static Brink.Cli.Reproduce.PaperAttacks;

namespace Brink.Cli.Reproduce;

/// <summary>The tables of Yao, Gholami, Xu, Keutzer, Mahoney: <i>Trust Region Based Adversarial Attack on Neural Networks</i>, CVPR 2019, with the values as printed.</summary>
internal static class PaperTables
{
    /// <summary>All tables that can be reproduced.</summary>
    public static IReadOnlyList<PaperTable> All { get; } = [Cifar10Tables.Best, Cifar10Tables.Hardest, ImageNetTables.Best, ImageNetTables.Hardest, Table5.Whole];

    /// <summary>Returns the table of a name.</summary>
    /// <exception cref="BadInputException">No table has that name.</exception>
    public static PaperTable Named(string name) => All.FirstOrDefault(table => table.Name == name)
        ?? throw new BadInputException($"There is no table named '{name}' to reproduce; choose {string.Join(", ", All.Select(table => table.Name))} or {Figure4.Name}.");
}

/// <summary>Tables 1 and 2 of the paper, on CIFAR-10.</summary>
internal static class Cifar10Tables
{
    private const string Images = "the 10,000 test images";

    private static readonly PaperNetwork[] Networks =
    [
        new("AlexLike", 85.78m, "alexlike", "The authors publish no weights; models/ contains weights trained with Brink."),
        new("AlexLike-S", 86.53m, "alexlike-s", "AlexLike with Swish. The authors publish no weights; models/ contains weights trained with Brink."),
        new("ResNet", 92.10m, "resnet20", "The paper does not state which ResNet; its authors publish weights of ResNet-20 (github.com/amirgholami/TRAttack)."),
        new("WResNet", 94.77m, "wresnet16-4", "A Wide ResNet 16-4. The authors publish no weights, and Brink has none, because the training takes too long (docs/reproducing-the-paper.md)."),
    ];

    /// <summary>Table 1, toward the best class.</summary>
    public static PaperTable Best { get; } = new(
        "table1",
        "CIFAR-10, best class",
        Images,
        Networks,
        [
            // Average/worst of each column, one line per network.
            new("l2", [DeepFool("l2", "best"), CarliniWagner, .. TrustRegion("l2", "best"), Refined("l2")], PaperFigures.Parse(Networks, """
                deepfool   cw         tr-fixed   tr-adaptive
                1.67/11.5  1.47/9.70  1.49/9.13  1.49/9.09
                1.74/11.0  1.57/8.59  1.57/9.48  1.57/9.46
                0.80/5.60  0.62/3.12  0.66/3.97  0.66/3.96
                0.89/5.79  0.66/4.51  0.73/4.43  0.72/4.34
                """)),
            new("linf", [DeepFool("linf", "best"), FastGradient, IterativeFastGradient, .. TrustRegion("linf", "best"), Refined("linf")], PaperFigures.Parse(Networks, """
                deepfool   fgsm        tr-fixed   tr-adaptive
                1.15/6.85  1.40/16.44  1.05/5.45  1.03/5.45
                1.18/6.01  1.45/14.88  1.09/4.76  1.07/4.73
                0.60/3.98  0.85/4.35   0.56/3.18  0.50/3.35
                0.66/3.34  0.85/3.30   0.56/2.67  0.54/2.69
                """)),
        ]);

    /// <summary>Table 2, toward the hardest class.</summary>
    public static PaperTable Hardest { get; } = new(
        "table2",
        "CIFAR-10, hardest class",
        Images,
        Networks,
        [
            new("l2", [DeepFool("l2", "hardest"), .. TrustRegion("l2", "hardest")], PaperFigures.Parse(Networks, """
                deepfool   tr-fixed   tr-adaptive
                4.36/18.9  2.47/13.4  2.47/13.4
                4.70/17.7  2.63/14.4  2.62/14.2
                1.71/8.01  0.99/4.76  0.99/4.90
                1.80/8.74  1.05/6.23  1.08/6.23
                """)),
            new("linf", [DeepFool("linf", "hardest"), .. TrustRegion("linf", "hardest")], PaperFigures.Parse(Networks, """
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

/// <summary>Tables 3 and 4 of the paper, on ImageNet, with the ten classes with the largest logits.</summary>
internal static class ImageNetTables
{
    private const string Images = "the validation images";

    private static readonly PaperNetwork[] Networks =
    [
        new("AlexNet", 56.5m, "alexnet", Source("alexnet")),
        new("VGG16", 71.6m, "vgg16", $"The L∞ part of the paper's table gives 71.5. {Source("vgg16")}"),
        new("ResNet50", 76.1m, "resnet50", Source("resnet50")),
        new("DenseNet121", 74.4m, "densenet121", Source("densenet121")),
    ];

    /// <summary>Table 3, toward the best class.</summary>
    public static PaperTable Best { get; } = new(
        "table3",
        "ImageNet, best class",
        Images,
        Networks,
        [
            // Average/worst of each column, one line per network.
            new("l2", [DeepFool("l2", "best"), CarliniWagner, .. TrustRegion("l2", "best"), Refined("l2")], PaperFigures.Parse(Networks, """
                deepfool  cw        tr-fixed  tr-adaptive
                0.20/4.1  0.31/1.8  0.17/2.5  0.18/3.3
                0.14/4.4  0.16/1.1  0.12/1.2  0.12/3.8
                0.17/3.0  0.19/1.1  0.13/1.5  0.14/2.3
                0.15/2.5  0.20/1.5  0.12/1.3  0.13/1.7
                """)),
            new("linf", [DeepFool("linf", "best"), FastGradient, IterativeFastGradient, .. TrustRegion("linf", "best"), Refined("linf")], PaperFigures.Parse(Networks, """
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

    /// <summary>Table 4, toward the hardest class.</summary>
    public static PaperTable Hardest { get; } = new(
        "table4",
        "ImageNet, hardest class among the top 10",
        Images,
        Networks,
        [
            new("l2", [DeepFool("l2", "hardest"), .. TrustRegion("l2", "hardest")], PaperFigures.Parse(Networks, """
                deepfool  tr-fixed  tr-adaptive
                0.74/8.7  0.39/5.0  0.39/5.0
                0.45/5.4  0.27/3.6  0.27/3.8
                0.52/5.8  0.31/4.2  0.31/4.2
                0.48/5.7  0.29/3.8  0.29/3.8
                """)),
            new("linf", [DeepFool("linf", "hardest"), .. TrustRegion("linf", "hardest")], PaperFigures.Parse(Networks, """
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
        $"{ModelCatalog.Models.Single(network => network.Name == model).WeightsSource} from https://download.pytorch.org/models/ contains fitting weights.";

    private static PaperAttack[] TrustRegion(string norm, string target)
    {
        const int iterations = 5000;
        const string remark = "TR, fixed and adaptive: the formulas of the authors' program with its constants for ImageNet: 0.005 in L2 (the default of trattack_imagenet.py), 0.0001 in L∞ (from its README) and 5,000 steps. The paper does not state them.";
        var radius = norm == "l2" ? "0.005" : "0.0001";
        return [TrustRegionFixed(norm, target, radius, iterations, remark), TrustRegionAdaptive(norm, target, radius, iterations), PaperPreset(norm, target)];
    }
}

/// <summary>Table 5 of the paper: the accuracy after each step of first and second order, all with the length of a fixed radius.</summary>
internal static class Table5
{
    private const int Steps = 10;

    private static readonly PaperNetwork Perceptron = new("MLP", Accuracy: null, Model: "mlp-swish", "It is trained by one command in minutes (docs/training.md).");

    private static readonly PaperNetwork Convolutional = new("AlexNet-S", Accuracy: null, Model: "alexlike-s", "The paper's AlexNet-S on CIFAR-10 is assumed to be AlexLike-S of the authors' program; models/ contains its weights.");

    /// <summary>Table 5.</summary>
    public static PaperTable Whole { get; } = new(
        "table5",
        "first and second order, steps of length 1",
        "the 10,000 test images",
        [Perceptron, Convolutional],
        [
            new(
                "l2",
                [FirstOrder, SecondOrder("tr2", 2, "0.05", "TR, second order"), SecondOrder("tr2-1", 1, "0"), SecondOrder("tr2-2", 2, "0"), SecondOrder("tr2-5", 5, "0"), SecondOrder("tr2-10", 10, "0")],
                new Dictionary<(PaperNetwork Network, string Column), PaperFigures>())
            {
                Accuracies = new Dictionary<(PaperNetwork Network, string Column), IReadOnlyList<decimal>>
                {
                    [(Perceptron, "tr")] = [47.63m, 33.7m, 22.24m, 13.76m, 8.13m, 4.59m, 2.41m, 1.31m, 0.63m, 0.27m],
                    [(Perceptron, "tr2")] = [47.84m, 33.37m, 21.49m, 13.3m, 7.39m, 4.16m, 2.17m, 1.09m, 0.49m, 0.20m],
                    [(Convolutional, "tr")] = [51.51m, 28.17m, 12.45m, 5.53m, 2.61m, 1.33m, 0.82m, 0.66m, 0.51m, 0.46m],
                    [(Convolutional, "tr2")] = [50.96m, 26.97m, 10.73m, 4.11m, 1.79m, 0.91m, 0.67m, 0.54m, 0.47m, 0.44m],
                },
            },
        ])
    {
        Steps = Steps,
    };

    private static PaperAttack FirstOrder => new()
    {
        Key = "tr",
        Name = "TR, first order",
        Column = "tr",
        Specification = $"tr[{Common}]",
        Remark = "The paper states that the second order is better in all iterations; its row of the MLP is worse in the first.",
    };

    private static string Common => string.Create(
        CultureInfo.InvariantCulture,
        $"preset=paper,norm=l2,target=best,candidates=9,objective=gap,max-iterations={Steps},refine=0,whole-radius=true,overshoot=0,shortest-step=0,radius-unit=input,radius-start=1,radius-smallest=1,radius-largest=1,radius-growth=1,radius-grow-above=0.9,radius-shrink-below=0.5");

    private static PaperAttack SecondOrder(string key, int vectors, string tolerance, string? name = null) => new()
    {
        Key = key,
        Name = name ?? string.Create(CultureInfo.InvariantCulture, $"TR, second order, {vectors} {(vectors == 1 ? "vector" : "vectors")}"),
        Column = name is null ? null : key,
        Specification = string.Create(CultureInfo.InvariantCulture, $"tr2[{Common},curvature-max-products={vectors},curvature-tolerance={tolerance},curvature-products=exact,curvature-difference-step=0.005,curvature-seed=0]"),
        Remark = name is null ? null : "TR, second order: Lanczos vectors until the residual is small enough, at most two, the default of Brink 0.1. The rows below use a fixed number of vectors. The paper does not state its number.",
    };
}
