namespace Brink.Attacks;

/// <summary>The settings of <see cref="TrustRegionAttack"/>.</summary>
/// <remarks>"Ours" marks defaults that Brink chose. <see cref="Paper"/> gives the method of Yao et al. (2019).</remarks>
public sealed record TrustRegionOptions : IAttackOptions
{
    /// <summary>The norm ‖·‖_p of the perturbation and of the trust region.</summary>
    /// <value><see cref="Norm.L2"/> (ours).</value>
    public Norm Norm { get; init; } = Norm.L2;

    /// <summary>The selection of the class that the attack approaches.</summary>
    /// <value><see cref="TargetSelection.Untargeted"/> (ours: the first stage needs no class, and the boundary walk chooses one); best in the paper, §3.</value>
    public TargetSelection Target { get; init; } = TargetSelection.Untargeted;

    /// <summary>The settings of the boundary walk, which starts at the first adversarial point; null for none.</summary>
    /// <value>A walk of 18 steps (ours); null in the paper, which has no boundary walk.</value>
    public BoundaryWalkOptions? Refinement { get; init; } = new();

    /// <summary>The number of classes, those with the largest logits other than the label, among which best and hardest choose.</summary>
    /// <value>9 (the authors' program: all other classes of CIFAR-10).</value>
    public int Candidates { get; init; } = 9;

    /// <summary>The objective that the attack increases.</summary>
    /// <value><see cref="Objective.Gap"/> (Yao et al. 2019, §3).</value>
    public Objective Objective { get; init; } = Objective.Gap;

    /// <summary>The rule that sets the radius of the trust region.</summary>
    /// <value><see cref="RadiusPolicy.Coarse"/> (ours, docs/decisions/0001), because the boundary walk follows; <see cref="Paper"/> has shorter radii.</value>
    public RadiusPolicy Radius { get; init; } = RadiusPolicy.Coarse;

    /// <summary>The maximum number of steps per image before the boundary walk.</summary>
    /// <value>1000 (ours).</value>
    public int MaxIterations { get; init; } = 1000;

    /// <summary>The overshoot: the share of its length that is added to a step, so that it crosses the boundary.</summary>
    /// <value>0.02 (the authors' program, after Moosavi-Dezfooli et al. 2016).</value>
    public double Overshoot { get; init; } = 0.02;

    /// <summary>The shortest step, as a share of the linearised distance at the image, at most the radius. Without it, steps toward a curved boundary become ever shorter.</summary>
    /// <value>0.005 (ours, instead of the extra length of the authors' program, which depends on the scale of the input).</value>
    public double ShortestStep { get; init; } = 0.005;

    /// <summary>Indicates whether every step uses the whole radius, even if the boundary of the local model is nearer.</summary>
    /// <value>false; true in the paper's Table 5 (Yao et al. 2019, §4.5).</value>
    public bool WholeRadius { get; init; }

    /// <summary>The settings of the quadratic model, which make this the second-order attack <c>tr2</c>; null for the linear model.</summary>
    /// <value>null (Yao et al. 2019, §3: the logits of ReLU networks have no curvature).</value>
    public CurvatureOptions? Curvature { get; init; }

    /// <summary>Returns the settings of the paper's method: target class best, without boundary walk, with an adaptive radius.</summary>
    /// <param name="norm">The norm of the perturbation.</param>
    /// <returns>The settings.</returns>
    public static TrustRegionOptions Paper(Norm norm) => new() { Norm = norm, Target = TargetSelection.Best, Refinement = null, Radius = new() };

    /// <summary>The default settings without the boundary walk. The first adversarial point is then the result, so the steps are as short as in <see cref="Paper"/>.</summary>
    public static TrustRegionOptions Unrefined => new() { Refinement = null, Radius = new() };

    /// <summary>The settings of the second-order attack <c>tr2</c>: the paper's method in L2 with a quadratic model and longer steps.</summary>
    /// <value>Radii of 0.5 in [0.2, 1] linearised distances (ours, docs/attacks/trust-region-second-order.md).</value>
    public static TrustRegionOptions SecondOrder => Paper(Norm.L2) with
    {
        Radius = new() { Start = 0.5, Smallest = 0.2, Largest = 1 },
        Curvature = new(),
    };

    /// <summary>Creates the attack with these settings.</summary>
    /// <returns>The attack.</returns>
    /// <exception cref="BadInputException">A setting is outside its range.</exception>
    public IAttack CreateAttack() => new TrustRegionAttack(this);

    /// <summary>Checks the settings.</summary>
    /// <exception cref="BadInputException">A setting is outside its range.</exception>
    internal void Check()
    {
        SettingCheck.AtLeastOne("iterations", MaxIterations);
        SettingCheck.AtLeastOne("candidate classes", Candidates);
        SettingCheck.NotNegative("overshoot", Overshoot);
        SettingCheck.NotNegative("shortest step", ShortestStep);
        Radius.Check();
        Refinement?.Check();
        Curvature?.Check();
        if (Curvature is not null && Norm != Norm.L2)
        {
            throw new BadInputException($"The second-order attack supports the norm l2 only, because its subproblem has no such solution in a box, but {Norm} was given; use tr for {Norm}.");
        }
    }
}
