namespace Brink.Attacks;

/// <summary>The settings of <see cref="TrustRegionAttack"/>.</summary>
/// <remarks>
/// "Ours" marks defaults that Brink chose. <see cref="Paper"/> gives the method of Yao et al. (2019), <see cref="Authors"/> the formulas and
/// constants of their program.
/// </remarks>
public sealed record TrustRegionOptions
{
    /// <summary>The norm ‖·‖_p of the perturbation and of the trust region.</summary>
    /// <value><see cref="Norm.L2"/> (ours).</value>
    public Norm Norm { get; init; } = Norm.L2;

    /// <summary>The selection of the target class.</summary>
    /// <value><see cref="TargetSelection.Untargeted"/> (ours: the first stage needs no class, and the boundary walk chooses one); best in the paper, §3.</value>
    public TargetSelection Target { get; init; } = TargetSelection.Untargeted;

    /// <summary>The number of steps of the boundary walk, which starts at the first adversarial point.</summary>
    /// <value>18 (ours: about 25 backward passes per image in total, docs/attacks/trust-region.md); 0 in the paper, which has no boundary walk.</value>
    public int Refine { get; init; } = 18;

    /// <summary>The number of classes, those with the largest logits at the first adversarial point, among which the boundary walk of an untargeted attack chooses.</summary>
    /// <value>3 (ours: the nearest boundary is rarely that of a fourth class).</value>
    public int RefineCandidates { get; init; } = 3;

    /// <summary>The number of classes, those with the largest logits other than the label, among which best and hardest choose.</summary>
    /// <value>9 (the authors' program: all other classes of CIFAR-10).</value>
    public int Candidates { get; init; } = 9;

    /// <summary>The objective that the attack increases.</summary>
    /// <value><see cref="LogitGap"/> (Yao et al. 2019, §3).</value>
    public IObjective Objective { get; init; } = LogitGap.Instance;

    /// <summary>The rule that sets the radius of the trust region.</summary>
    /// <value>Adaptive, in units of the linearised distance at the image (ours, docs/decisions/0001); <see cref="RadiusPolicy.Coarse"/> if the boundary walk follows.</value>
    public RadiusPolicy Radius
    {
        get => field ?? (Refine > 0 ? RadiusPolicy.Coarse : new());
        init;
    }

    /// <summary>The maximum number of steps per image before the boundary walk.</summary>
    /// <value>1000 (ours).</value>
    public int MaxIterations { get; init; } = 1000;

    /// <summary>The overshoot: the share of its length that is added to a step, so that it crosses the boundary.</summary>
    /// <value>0.02 (the authors' program, after Moosavi-Dezfooli et al. 2016).</value>
    public double Overshoot { get; init; } = 0.02;

    /// <summary>The shortest step, as a share of the linearised distance at the image, at most the radius. Without it, steps toward a curved boundary become ever shorter.</summary>
    /// <value>0.005 (ours, instead of the <see cref="ExtraLength"/> of the authors' program, which depends on the scale of the input).</value>
    public double ShortestStep { get; init; } = 0.005;

    /// <summary>The length that is added to every step, in units of the input space.</summary>
    /// <value>0 (ours); 0.0001 in the authors' program.</value>
    public double ExtraLength { get; init; }

    /// <summary>The number that is added to the length of a gradient before division by it.</summary>
    /// <value>0 (ours: the attack on an image ends if its gradient is zero); 1e-6 in the authors' program.</value>
    public double GradientFloor { get; init; }

    /// <summary>Indicates whether entries that are at their bound and would be pushed outward are left out of the gradient.</summary>
    /// <value>true (ours: otherwise distances include entries that cannot move); false in the authors' program.</value>
    public bool ProjectGradient { get; init; } = true;

    /// <summary>The definition of the ratio ρ.</summary>
    /// <value><see cref="RatioDefinition.PredictedChange"/> (Yao et al. 2019, Algorithm 1); the authors' program differs.</value>
    public RatioDefinition Ratio { get; init; } = RatioDefinition.PredictedChange;

    /// <summary>Indicates whether every step uses the whole radius, even if the boundary of the local model is nearer.</summary>
    /// <value>false; true in the paper's Table 5 (Yao et al. 2019, §4.5).</value>
    public bool WholeRadius { get; init; }

    /// <summary>The settings of the quadratic model, which make this the second-order attack <c>tr2</c>; null for the linear model.</summary>
    /// <value>null (Yao et al. 2019, §3: the logits of ReLU networks have no curvature).</value>
    public CurvatureOptions? Curvature { get; init; }

    /// <summary>Returns the settings of the paper's method: target class best, without boundary walk.</summary>
    /// <param name="norm">The norm of the perturbation.</param>
    /// <returns>The settings.</returns>
    public static TrustRegionOptions Paper(Norm norm) => new() { Norm = norm, Target = TargetSelection.Best, Refine = 0 };

    /// <summary>The settings of the second-order attack <c>tr2</c>: the paper's method in L2 with a quadratic model and longer steps.</summary>
    /// <value>Radii of 0.5 in [0.2, 1] linearised distances (ours, docs/attacks/trust-region-second-order.md).</value>
    public static TrustRegionOptions SecondOrder => Paper(Norm.L2) with
    {
        Radius = new() { Start = 0.5, Smallest = 0.2, Largest = 1 },
        Curvature = new(),
    };

    /// <summary>Returns the formulas and constants of the authors' program, for inputs that are normalised as in that program (docs/decisions/0001).</summary>
    /// <param name="norm">The norm of the perturbation.</param>
    /// <param name="radius">The fixed radius; null for the adaptive radius of the program.</param>
    /// <returns>The settings.</returns>
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

    /// <summary>Checks the settings.</summary>
    /// <exception cref="BadInputException">A setting is outside its range.</exception>
    internal void Check()
    {
        SettingCheck.L2OrLInf("The trust-region attack", Norm);
        SettingCheck.AtLeastOne("iterations", MaxIterations);
        SettingCheck.AtLeastOne("candidate classes", Candidates);
        SettingCheck.NotNegative("number of steps of the boundary walk", Refine);
        SettingCheck.AtLeastOne("candidate classes of the boundary walk", RefineCandidates);
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
            throw new BadInputException($"The second-order attack supports the norm l2 only, because its subproblem has no such solution in a box, but {Norm} was given; use tr for {Norm}.");
        }

        if (GradientFloor > 0)
        {
            throw new BadInputException("The second-order attack does not divide by the gradient, so its gradient floor must be 0; use the preset authors with tr only.");
        }
    }

    // In L2 the first radius is the largest, so the radius can only shrink.
    private static RadiusPolicy AuthorsRadius(Norm norm) => norm == Norm.L2
        ? new() { Unit = RadiusUnit.Input, Start = 0.05, Smallest = 0.0005, Largest = 0.05, FromStepLength = true }
        : new() { Unit = RadiusUnit.Input, Start = 0.005, Smallest = 0.0001, Largest = 0.01, FromStepLength = true };
}

/// <summary>The definition of the ratio ρ that sets the radius (docs/decisions/0001).</summary>
public enum RatioDefinition
{
    /// <summary>The actual change of the objective, divided by the change that the local model predicts for the step actually taken: 1 if the local model is exact.</summary>
    PredictedChange,

    /// <summary>The decrease of the label's logit, divided by the length of the step before overshoot, as in the authors' program.</summary>
    LabelLogitPerLength,
}
