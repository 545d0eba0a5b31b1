using System.Globalization;

namespace Brink.Evaluation.Paper;

/// <summary>The tables of Yao, Gholami, Xu, Keutzer, Mahoney: <i>Trust Region Based Adversarial Attack on Neural Networks</i>, CVPR 2019, as printed.</summary>
public static class PaperTables
{
    /// <summary>100: Carlini–Wagner takes thousands of passes an image.</summary>
    private const int CarliniWagnerImages = 100;

    private static readonly PaperNetwork[] Cifar10Networks =
    [
        new("AlexLike", 85.78m, Model: null, "Brink does not have this network yet; weights come from training it on CIFAR-10, the authors publish none."),
        new("AlexLike-S", 86.53m, Model: null, "AlexLike with Swish; Brink does not have this network yet; weights come from training it on CIFAR-10, the authors publish none."),
        new("ResNet", 92.10m, Model: "resnet20", "The paper does not say which ResNet; ResNet-20 is the one that its authors publish (github.com/amirgholami/TRAttack)."),
        new("WResNet", 94.77m, Model: null, "Brink does not have this network yet; weights come from training it on CIFAR-10, the authors publish none."),
    ];

    /// <summary>All of them.</summary>
    public static IReadOnlyList<PaperTable> All { get; } =
    [
        new(
            "table1",
            "CIFAR-10, best class",
            "the 10,000 test images",
            Cifar10Networks,
            [
                // Average/worst of each column, a line a network.
                new(
                    "l2",
                    [DeepFool("l2", "best"), CarliniWagner, TrustRegionFixed("l2", "best"), TrustRegionAdaptive("l2", "best"), PaperPreset("l2", "best"), Refined("l2")],
                    Figures("""
                              deepfool   cw         tr-fixed   tr-adaptive
                              1.67/11.5  1.47/9.70  1.49/9.13  1.49/9.09
                              1.74/11.0  1.57/8.59  1.57/9.48  1.57/9.46
                              0.80/5.60  0.62/3.12  0.66/3.97  0.66/3.96
                              0.89/5.79  0.66/4.51  0.73/4.43  0.72/4.34
                              """)),
                new(
                    "linf",
                    [DeepFool("linf", "best"), FastGradient, IterativeFastGradient, TrustRegionFixed("linf", "best"), TrustRegionAdaptive("linf", "best"), PaperPreset("linf", "best"), Refined("linf")],
                    Figures("""
                              deepfool   fgsm        tr-fixed   tr-adaptive
                              1.15/6.85  1.40/16.44  1.05/5.45  1.03/5.45
                              1.18/6.01  1.45/14.88  1.09/4.76  1.07/4.73
                              0.60/3.98  0.85/4.35   0.56/3.18  0.50/3.35
                              0.66/3.34  0.85/3.30   0.56/2.67  0.54/2.69
                              """)),
            ]),
        new(
            "table2",
            "CIFAR-10, hardest class",
            "the 10,000 test images",
            Cifar10Networks,
            [
                new(
                    "l2",
                    [DeepFool("l2", "hardest"), TrustRegionFixed("l2", "hardest"), TrustRegionAdaptive("l2", "hardest"), PaperPreset("l2", "hardest")],
                    Figures("""
                              deepfool   tr-fixed   tr-adaptive
                              4.36/18.9  2.47/13.4  2.47/13.4
                              4.70/17.7  2.63/14.4  2.62/14.2
                              1.71/8.01  0.99/4.76  0.99/4.90
                              1.80/8.74  1.05/6.23  1.08/6.23
                              """)),
                new(
                    "linf",
                    [DeepFool("linf", "hardest"), TrustRegionFixed("linf", "hardest"), TrustRegionAdaptive("linf", "hardest"), PaperPreset("linf", "hardest")],
                    Figures("""
                              deepfool   tr-fixed   tr-adaptive
                              2.96/12.6  1.92/9.99  1.86/10.0
                              3.12/12.2  1.98/8.19  1.92/8.17
                              1.34/9.65  0.77/4.70  0.85/5.44
                              1.35/6.49  0.81/3.77  0.89/3.90
                              """)),
            ]),
        Table5.Whole,
    ];

    private static PaperAttack CarliniWagner => new()
    {
        Key = "cw",
        Name = "CW, 9 × 1,000 steps",
        Column = "cw",
        Specification = "cw[norm=l2,target=any,candidates=9,confidence=0,learning-rate=0.01,binary-search-steps=9,max-iterations=1000,initial-constant=0.001,abort-early=true]",
        CorrectImages = CarliniWagnerImages,
        Remark = "The paper does not give the steps of its CW, whose published program makes up to 9 × 10,000.",
    };

    private static PaperAttack FastGradient => new()
    {
        Key = "fgsm",
        Name = "FGSM, 1 step, smallest ε",
        Column = "fgsm",
        Specification = "fgsm[norm=linf,target=any,candidates=9,objective=cross-entropy,max-iterations=1,relative-step=1,random-start=false,restarts=1,seed=0,tolerance=0.01]",
        Remark = "The paper does not say whether its FGSM takes one step or several; the same cell stands beside both.",
    };

    private static PaperAttack IterativeFastGradient => new()
    {
        Key = "ifgsm",
        Name = "FGSM, 10 steps, smallest ε",
        Column = "fgsm",
        Specification = "ifgsm[norm=linf,target=any,candidates=9,objective=cross-entropy,max-iterations=10,relative-step=0.2,random-start=false,restarts=1,seed=0,tolerance=0.01]",
    };

    private static PaperAttack DeepFool(string norm, string target) => new()
    {
        Key = "deepfool",
        Name = "DeepFool",
        Column = "deepfool",
        Specification = $"deepfool[norm={norm},target={target},candidates=9,max-iterations=50,overshoot=0.02,extra-length=0.0001]",
        Remark = target == "hardest" ? "DeepFool goes for the class that the trust-region attack goes for: the farthest by linearised distance." : null,
    };

    private static PaperAttack TrustRegionFixed(string norm, string target)
    {
        var radius = norm == "l2" ? "0.05" : "0.005";
        return new()
        {
            Key = "tr-fixed",
            Name = $"TR, fixed {radius}",
            Column = "tr-fixed",
            Specification = Authors(norm, target, $"radius-start={radius},radius-smallest={radius},radius-largest={radius},radius-growth=1,radius-from-step-length=false"),
            Remark = "TR, fixed and adaptive: the formulas and constants of the authors' program.",
        };
    }

    private static PaperAttack TrustRegionAdaptive(string norm, string target) => new()
    {
        Key = "tr-adaptive",
        Name = "TR, adaptive",
        Column = "tr-adaptive",
        Specification = Authors(norm, target, (norm == "l2" ? "radius-start=0.05,radius-smallest=0.0005,radius-largest=0.05" : "radius-start=0.005,radius-smallest=0.0001,radius-largest=0.01") + ",radius-growth=1.2,radius-from-step-length=true"),
    };

    private static PaperAttack PaperPreset(string norm, string target) => new()
    {
        Key = "tr-paper",
        Name = "TR, preset paper",
        Specification = Paper(norm, target, refine: 0, "radius-start=0.05,radius-smallest=0.02,radius-largest=0.07"),
        Remark = "TR, preset paper: Algorithm 1 with the paper's own ratio and a radius in units of the linearised distance, as Brink 0.1 has it.",
    };

    private static PaperAttack Refined(string norm) => new()
    {
        Key = "tr-refined",
        Name = "TR, refined",
        Specification = Paper(norm, "any", refine: 18, "radius-start=0.5,radius-smallest=0.02,radius-largest=1"),
        Remark = "TR, refined: followed by 18 steps along the boundary, which the paper does not have; the default of Brink 0.1.",
    };

    /// <summary>The table of that name.</summary>
    /// <exception cref="BadInputException">There is none.</exception>
    public static PaperTable Named(string name) => All.FirstOrDefault(table => table.Name == name)
        ?? throw new BadInputException($"There is no table named '{name}' to reproduce; choose {string.Join(", ", All.SkipLast(1).Select(table => table.Name))} or {All[^1].Name}.");

    private static string Paper(string norm, string target, int refine, string radius) => string.Create(
        CultureInfo.InvariantCulture,
        $"tr[preset=paper,norm={norm},target={target},candidates=9,objective=gap,max-iterations=1000,refine={refine},refine-candidates=3,whole-radius=false,overshoot=0.02,shortest-step=0.005,extra-length=0,gradient-floor=0,project-gradient=true,ratio=predicted-change,radius-unit=first-distance,{radius},radius-growth=1.2,radius-grow-above=0.9,radius-shrink-below=0.5,radius-from-step-length=false]");

    private static string Authors(string norm, string target, string radius) =>
        $"tr[preset=authors,norm={norm},target={target},candidates=9,objective=gap,max-iterations=1000,refine=0,refine-candidates=3,whole-radius=false,overshoot=0.02,shortest-step=0,extra-length=0.0001,gradient-floor=0.000001,project-gradient=false,ratio=label-logit-per-length," +
        $"radius-unit=input,{radius},radius-grow-above=0.9,radius-shrink-below=0.5]";

    private static Dictionary<(PaperNetwork Network, string Column), PaperFigures> Figures(string cells)
    {
        var lines = cells.Split('\n', StringSplitOptions.TrimEntries).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToArray();
        return Cifar10Networks.Zip(lines.Skip(1), (network, line) => lines[0].Zip(line, (column, cell) => KeyValuePair.Create((network, column), Parse(cell))))
            .SelectMany(row => row)
            .ToDictionary();
    }

    private static PaperFigures Parse(string cell) => cell.Split('/') is [var average, var worst]
        ? new(decimal.Parse(average, CultureInfo.InvariantCulture), decimal.Parse(worst, CultureInfo.InvariantCulture))
        : throw new FormatException($"A cell is written average/worst, but is '{cell}'.");
}
