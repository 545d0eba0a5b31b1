using System.Globalization;

namespace Brink.Cli.Reproduce;

/// <summary>Figure 4: how long the trust-region attack and Carlini–Wagner take on the networks for ImageNet.</summary>
/// <remarks>The time of a step is that of a forward and a backward pass, whatever the weights, so random weights suffice for it. How many steps an attack takes depends on the weights.</remarks>
internal static class Figure4
{
    /// <summary>What the command line calls it.</summary>
    public const string Name = "figure4";

    /// <summary>2: enough photographs for a time, and few enough for minutes on two processors.</summary>
    public const int DefaultImages = 2;

    /// <summary>5: a step takes as long as the next one.</summary>
    public const int DefaultSteps = 5;

    /// <summary>The networks, with what the paper says of them.</summary>
    public static IReadOnlyList<(PaperNetwork Network, string? Claim)> Networks { get; } =
        [.. ImageNetTables.Best.Networks.Select(network => (network, network.Model switch
        {
            "vgg16" => "CW takes up to 37 × as long",
            "resnet50" => "TR 1.02 s, CW 27.04 s",
            _ => null,
        }))];

    /// <summary>The whole attack: the row <c>tr-paper</c> of Table 3, whose radius depends on no data set's constants.</summary>
    public static string WholeAttack { get; } = ImageNetTables.Best.Sections[0].Attacks.Single(attack => attack.Key == "tr-paper").Specification;

    /// <summary>Trust-region steps alone: no class is chosen, and a radius too short to reach anything makes so many of them.</summary>
    /// <param name="steps">How many.</param>
    public static string TrustRegionSteps(int steps) => string.Create(
        CultureInfo.InvariantCulture,
        $"tr[preset=paper,norm=l2,target=untargeted,candidates=9,objective=gap,max-iterations={steps},refine=0,refine-candidates=3,whole-radius=true,overshoot=0,shortest-step=0,extra-length=0,gradient-floor=0,project-gradient=true,ratio=predicted-change,radius-unit=input,radius-start=0.00001,radius-smallest=0.00001,radius-largest=0.00001,radius-growth=1,radius-grow-above=0.9,radius-shrink-below=0.5,radius-from-step-length=false]");

    /// <summary>The same number of steps of Carlini–Wagner, for one constant.</summary>
    /// <param name="steps">How many.</param>
    public static string CarliniWagnerSteps(int steps) => string.Create(
        CultureInfo.InvariantCulture,
        $"cw[norm=l2,target=untargeted,candidates=9,confidence=0,learning-rate=0.01,binary-search-steps=1,max-iterations={steps},initial-constant=0.001,abort-early=false]");
}
