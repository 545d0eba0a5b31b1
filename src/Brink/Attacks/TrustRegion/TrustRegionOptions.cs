namespace Brink.Attacks;

/// <summary>The settings of <see cref="TrustRegionAttack"/>. <see cref="Paper"/> is the method of the paper, <see cref="Authors"/> the authors' program.</summary>
public sealed record TrustRegionOptions
{
    /// <summary>p: the norm of the perturbation and of the trust region.</summary>
    /// <value><see cref="Norm.L2"/> (ours).</value>
    public Norm Norm { get; init; } = Norm.L2;

    /// <summary>Which class is attacked.</summary>
    /// <value>Any (ours: the first steps need no class, and the walk chooses one); best in the paper, §3.</value>
    public TargetSelection Target { get; init; } = TargetSelection.Untargeted;

    /// <summary>How many steps the walk along the boundary takes from the first adversarial point; 0 ends there, as the paper does.</summary>
    /// <value>18 (ours: below 25 gradients an image in all, docs/attacks/trust-region.md).</value>
    public int Refine { get; init; } = 18;

    /// <summary>Among how many classes other than the label, those with the largest logits at the first adversarial point, the walk chooses where the target is any.</summary>
    /// <value>3 (ours: the nearest is hardly ever another).</value>
    public int RefineCandidates { get; init; } = 3;

    /// <summary>Among how many classes other than the label, those with the largest logits, best and hardest choose.</summary>
    /// <value>9 (the authors' code: all others of CIFAR-10, the likeliest of ImageNet).</value>
    public int Candidates { get; init; } = 9;

    /// <summary>What is raised.</summary>
    /// <value>The logit gap (Yao et al. 2019, §3).</value>
    public IObjective Objective { get; init; } = LogitGap.Instance;

    /// <summary>How the radius is chosen.</summary>
    /// <value>Adaptive, in units of the first linearised distance (ours, docs/decisions/0001); coarse where the walk follows, which makes up for it.</value>
    public RadiusPolicy Radius
    {
        get => field ?? (Refine > 0 ? RadiusPolicy.Coarse : new());
        init;
    }

    /// <summary>The most steps an image gets.</summary>
    /// <value>1000 (ours).</value>
    public int MaxIterations { get; init; } = 1000;

    /// <summary>By what share a step goes beyond its length, so that the boundary is crossed and not only reached.</summary>
    /// <value>0.02 (the authors' code, after Moosavi-Dezfooli et al. 2016).</value>
    public double Overshoot { get; init; } = 0.02;

    /// <summary>The shortest step, as a share of the first linearised distance (and never more than the radius): close to a curved boundary the distances to it shrink without end.</summary>
    /// <value>0.005 (ours, in place of the authors' <see cref="ExtraLength"/>, which has a unit).</value>
    public double ShortestStep { get; init; } = 0.005;

    /// <summary>A length added to every step, in units of the input space.</summary>
    /// <value>0 (ours); 1e-4 in the authors' code.</value>
    public double ExtraLength { get; init; }

    /// <summary>Added to the length of every gradient before dividing by it.</summary>
    /// <value>0 (ours: a zero gradient ends the image instead); 1e-6 in the authors' code.</value>
    public double GradientFloor { get; init; }

    /// <summary>Whether entries that are at their bound and pushed outward are left out of the gradient, so that lengths are measured where the step can go.</summary>
    /// <value>true (ours); false in the authors' code.</value>
    public bool ProjectGradient { get; init; } = true;

    /// <summary>What ρ compares with.</summary>
    /// <value>The predicted change (Yao et al. 2019, Algorithm 1); the authors' code differs.</value>
    public RatioDefinition Ratio { get; init; } = RatioDefinition.PredictedChange;

    /// <summary>Whether every step uses the whole radius, rather than end at the boundary that the model sees.</summary>
    /// <value>false; true in the paper's Table 5 (Yao et al. 2019, §4.5).</value>
    public bool WholeRadius { get; init; }

    /// <summary>What makes the local model quadratic, and the attack the second-order one, <c>tr2</c>; null for the linear model.</summary>
    /// <value>null (Yao et al. 2019, §3: networks with ReLU have no curvature to use).</value>
    public CurvatureOptions? Curvature { get; init; }

    /// <summary>The paper's method: toward the best class, up to the first adversarial point.</summary>
    /// <param name="norm">The norm.</param>
    public static TrustRegionOptions Paper(Norm norm) => new() { Norm = norm, Target = TargetSelection.Best, Refine = 0 };

    /// <summary>The second-order attack, <c>tr2</c>: the paper's method in L2 with a quadratic model, and the longer steps that it can be trusted with.</summary>
    /// <value>Radii of 0.2 to 1 linearised distances, the first 0.5 (ours: docs/attacks/trust-region-second-order.md).</value>
    public static TrustRegionOptions SecondOrder => Paper(Norm.L2) with
    {
        Radius = new() { Start = 0.5, Smallest = 0.2, Largest = 1 },
        Curvature = new(),
    };

    /// <summary>The constants and the formulas of the authors' program, for inputs normalised as theirs; only the clipping range is the classifier's.</summary>
    /// <param name="norm">The norm.</param>
    /// <param name="radius">The fixed radius, or null for their adaptive one.</param>
    public static TrustRegionOptions Authors(Norm norm, double? radius = null)
    {
        ArgumentNullException.ThrowIfNull(norm);
        return new()
        {
            Norm = norm,
            Target = TargetSelection.Best,
            Refine = 0,
            Radius = radius is { } length ? RadiusPolicy.Fixed(length) : AuthorsRadius(norm),
            Overshoot = 0.02,
            ShortestStep = 0,
            ExtraLength = 1e-4,
            GradientFloor = 1e-6,
            ProjectGradient = false,
            Ratio = RatioDefinition.LabelLogitPerLength,
        };
    }

    /// <summary>Refuses settings that cannot work.</summary>
    /// <exception cref="BadInputException">With the name of the setting.</exception>
    internal void Check()
    {
        SettingCheck.L2OrLInf("The trust-region attack", Norm);
        SettingCheck.AtLeastOne("iterations", MaxIterations);
        SettingCheck.AtLeastOne("candidate classes", Candidates);
        SettingCheck.NotNegative("number of steps along the boundary", Refine);
        SettingCheck.AtLeastOne("candidate classes of the walk", RefineCandidates);
        SettingCheck.NotNegative("overshoot", Overshoot);
        SettingCheck.NotNegative("shortest step", ShortestStep);
        SettingCheck.NotNegative("extra length", ExtraLength);
        SettingCheck.NotNegative("gradient floor", GradientFloor);
        Radius.Check();
        if (Curvature is not null)
        {
            CheckCurvature(Curvature);
        }
    }

    private void CheckCurvature(CurvatureOptions curvature)
    {
        curvature.Check();
        if (Norm != Norm.L2)
        {
            throw new BadInputException($"The second-order attack is offered in l2 alone, because its subproblem has no such solution in a box, but {Norm} was given; use tr for {Norm}.");
        }

        if (GradientFloor > 0)
        {
            throw new BadInputException("The second-order attack divides by no gradient, so its gradient floor must be 0; the preset authors is for tr alone.");
        }
    }

    // In L2 the radius starts at its own upper limit and so can only shrink.
    private static RadiusPolicy AuthorsRadius(Norm norm) => norm == Norm.L2
        ? new() { Unit = RadiusUnit.Input, Start = 0.05, Smallest = 0.0005, Largest = 0.05, FromStepLength = true }
        : new() { Unit = RadiusUnit.Input, Start = 0.005, Smallest = 0.0001, Largest = 0.01, FromStepLength = true };
}
