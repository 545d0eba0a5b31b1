using System.Globalization;

namespace Brink.Cli.Reproduce;

/// <summary>The attacks of Tables 1 to 4, with every option set explicitly.</summary>
internal static class PaperAttacks
{
    // 100, because Carlini–Wagner takes thousands of passes per image.
    private const int CarliniWagnerImages = 100;

    /// <summary>Carlini–Wagner in L2 with a binary search over nine constants.</summary>
    public static PaperAttack CarliniWagner => new()
    {
        Key = "cw",
        Name = "CW, 9 × 1,000 steps",
        Column = "cw",
        Specification = "cw[norm=l2,target=untargeted,candidates=9,kappa=0,learning-rate=0.01,binary-search-steps=9,max-iterations=1000,initial-constant=0.001,abort-early=true]",
        CorrectImages = CarliniWagnerImages,
        Remark = "The paper does not state the number of steps of its CW; the published program of CW takes up to 9 × 10,000.",
    };

    /// <summary>FGSM with the smallest sufficient ε.</summary>
    public static PaperAttack FastGradient => new()
    {
        Key = "fgsm",
        Name = "FGSM, 1 step, smallest ε",
        Column = "fgsm",
        Specification = "fgsm[norm=linf,target=untargeted,candidates=9,objective=cross-entropy,max-iterations=1,relative-step=1,random-start=false,restarts=1,seed=0,tolerance=0.01]",
        Remark = "The paper does not state whether its FGSM takes one step or several, so its value is printed beside both.",
    };

    /// <summary>Iterative FGSM with ten steps and the smallest sufficient ε.</summary>
    public static PaperAttack IterativeFastGradient => new()
    {
        Key = "ifgsm",
        Name = "FGSM, 10 steps, smallest ε",
        Column = "fgsm",
        Specification = "ifgsm[norm=linf,target=untargeted,candidates=9,objective=cross-entropy,max-iterations=10,relative-step=0.2,random-start=false,restarts=1,seed=0,tolerance=0.01]",
    };

    /// <summary>DeepFool in either norm.</summary>
    public static PaperAttack DeepFool(string norm, string target) => new()
    {
        Key = "deepfool",
        Name = "DeepFool",
        Column = "deepfool",
        Specification = $"deepfool[norm={norm},target={target},candidates=9,max-iterations=50,overshoot=0.02,extra-length=0.0001]",
        Remark = target == "hardest" ? "DeepFool attacks the same class as the trust-region attack: the farthest by linearised distance." : null,
    };

    /// <summary>The trust-region attack of the authors' program with a fixed radius.</summary>
    public static PaperAttack TrustRegionFixed(string norm, string target, string radius, int iterations, string? remark = null) => new()
    {
        Key = "tr-fixed",
        Name = $"TR, fixed {radius}",
        Column = "tr-fixed",
        Specification = Authors(norm, target, iterations, $"radius-start={radius},radius-smallest={radius},radius-largest={radius},radius-growth=1"),
        Remark = remark ?? "TR, fixed and adaptive: the formulas and constants of the authors' program.",
    };

    /// <summary>The trust-region attack of the authors' program with an adaptive radius, within the limits of <c>attack_methods.py</c>.</summary>
    public static PaperAttack TrustRegionAdaptive(string norm, string target, string radius, int iterations) => new()
    {
        Key = "tr-adaptive",
        Name = "TR, adaptive",
        Column = "tr-adaptive",
        Specification = Authors(norm, target, iterations, $"radius-start={radius},{(norm == "l2" ? "radius-smallest=0.0005,radius-largest=0.05" : "radius-smallest=0.0001,radius-largest=0.01")},radius-growth=1.2"),
    };

    /// <summary>The method of the paper as Brink implements it.</summary>
    public static PaperAttack PaperPreset(string norm, string target) => new()
    {
        Key = "tr-paper",
        Name = "TR, preset paper",
        Specification = Paper(norm, target, "refine=0", "radius-start=0.05,radius-smallest=0.02,radius-largest=0.07"),
        Remark = "TR, preset paper: Algorithm 1 with the ratio of the paper and a radius in units of the linearised distance, as in Brink 0.1.",
    };

    /// <summary>The default attack of Brink: untargeted, followed by the boundary walk.</summary>
    public static PaperAttack Refined(string norm) => new()
    {
        Key = "tr-refined",
        Name = "TR, refined",
        Specification = Paper(norm, "untargeted", "refine=18,refine-candidates=3", "radius-start=0.5,radius-smallest=0.02,radius-largest=1"),
        Remark = "TR, refined: followed by 18 steps along the boundary, which are not part of the paper; the default of Brink 0.1.",
    };

    private static string Paper(string norm, string target, string refine, string radius) => string.Create(
        CultureInfo.InvariantCulture,
        $"tr[preset=paper,norm={norm},target={target},candidates=9,objective=gap,max-iterations=1000,{refine},whole-radius=false,overshoot=0.02,shortest-step=0.005,radius-unit=first-distance,{radius},radius-growth=1.2,radius-grow-above=0.9,radius-shrink-below=0.5]");

    private static string Authors(string norm, string target, int iterations, string radius) => string.Create(
        CultureInfo.InvariantCulture,
        $"tr[preset=authors,norm={norm},target={target},candidates=9,max-iterations={iterations},overshoot=0.02,extra-length=0.0001,gradient-floor=0.000001,{radius},radius-grow-above=0.9,radius-shrink-below=0.5]");
}
