namespace Brink.Attacks;

/// <summary>The settings of the fast-gradient attacks FGSM, iterative FGSM and PGD, which ascend the objective within a ball.</summary>
/// <remarks>The defaults are those of <see cref="Iterative"/>.</remarks>
public sealed record FastGradientOptions : IAttackOptions
{
    /// <summary>The largest length ε of a perturbation, positive, in the norm of the attack and in units of the input space; null to search for the smallest ε that fools each image.</summary>
    /// <value>null (ours: the smallest perturbation is what Brink measures).</value>
    public double? Epsilon { get; init; }

    /// <summary>The width of the interval at which the search for the smallest ε ends, as a share of ε; without effect if ε is given.</summary>
    /// <value>0.001 (ours), so lengths are accurate to 0.1 %.</value>
    public double Tolerance { get; init; } = 1e-3;

    /// <summary>The norm ‖·‖_p of the perturbation. A step follows the sign of the gradient in L∞ and the gradient in L2.</summary>
    /// <value><see cref="Norm.LInf"/> (Goodfellow et al. 2015, §4).</value>
    public Norm Norm { get; init; } = Norm.LInf;

    /// <summary>The selection of the class that the attack approaches. Best and hardest are chosen once, at the original image.</summary>
    /// <value><see cref="TargetSelection.Untargeted"/>: away from the label (Goodfellow et al. 2015, §4).</value>
    public TargetSelection Target { get; init; } = TargetSelection.Untargeted;

    /// <summary>The number of classes, those with the largest logits other than the label, among which best and hardest choose.</summary>
    /// <value>9 (as in the trust-region attack).</value>
    public int Candidates { get; init; } = 9;

    /// <summary>The objective that the attack increases.</summary>
    /// <value><see cref="Objective.CrossEntropy"/> (Goodfellow et al. 2015, §4).</value>
    public Objective Objective { get; init; } = Objective.CrossEntropy;

    /// <summary>The maximum number of steps within one ball.</summary>
    /// <value>10 (Foolbox's basic iterative method).</value>
    public int MaxIterations { get; init; } = 10;

    /// <summary>The length ℓ of a step, as a share of the radius ε.</summary>
    /// <value>0.2 (Foolbox's basic iterative method).</value>
    public double RelativeStep { get; init; } = 0.2;

    /// <summary>Indicates whether the first step starts at a point drawn uniformly from the ball instead of the image.</summary>
    /// <value>false (Kurakin et al. 2017).</value>
    public bool RandomStart { get; init; }

    /// <summary>The maximum number of starts per image.</summary>
    /// <value>1 (Kurakin et al. 2017).</value>
    public int Restarts { get; init; } = 1;

    /// <summary>The seed of the random starts; they also depend on the image's index in the data set.</summary>
    /// <value>0 (ours).</value>
    public long Seed { get; init; }

    /// <summary>The settings of FGSM: one step of the whole radius (Goodfellow et al. 2015, §4).</summary>
    public static FastGradientOptions Single { get; } = new() { MaxIterations = 1, RelativeStep = 1 };

    /// <summary>The settings of iterative FGSM, the basic iterative method (Kurakin et al. 2017, §2.1), with the step length and number of Foolbox.</summary>
    public static FastGradientOptions Iterative { get; } = new();

    /// <summary>The settings of PGD: random start, 20 steps of ε/4 (Madry et al. 2018, §5: for CIFAR-10, steps of 2 grey levels in a ball of radius 8).</summary>
    public static FastGradientOptions Projected { get; } = new() { MaxIterations = 20, RelativeStep = 0.25, RandomStart = true };

    /// <summary>The name of the attack on the command line: <c>pgd</c> with a random start, <c>fgsm</c> with one step of the whole radius, otherwise <c>ifgsm</c>.</summary>
    internal string Name => RandomStart ? "pgd" : MaxIterations == 1 && RelativeStep >= 1 ? "fgsm" : "ifgsm";

    /// <summary>The objective whose gradient at the image gives the first step for every radius; null with a random start, whose first step is elsewhere.</summary>
    internal Objective? FirstObjective => RandomStart ? null : Objective;

    /// <summary>Creates the attack with these settings.</summary>
    /// <returns>An <see cref="IBudgetedAttack"/> if ε is given, otherwise an <see cref="IMinimalAttack"/>.</returns>
    /// <exception cref="BadInputException">A setting is outside its range.</exception>
    public IAttack CreateAttack() => Epsilon is null ? new MinimalFastGradientAttack(this) : new BudgetedFastGradientAttack(this);

    /// <summary>Checks the settings.</summary>
    /// <exception cref="BadInputException">A setting is outside its range.</exception>
    internal void Check()
    {
        SettingCheck.L2OrLInf("The fast-gradient attack", Norm);
        SettingCheck.Positive("epsilon", Epsilon ?? 1);
        SettingCheck.Positive("tolerance", Tolerance);
        SettingCheck.AtLeastOne("iterations", MaxIterations);
        SettingCheck.AtLeastOne("candidate classes", Candidates);
        SettingCheck.AtLeastOne("restarts", Restarts);
        SettingCheck.Positive("relative step", RelativeStep);
        if (Restarts > 1 && !RandomStart)
        {
            throw new BadInputException($"Restarts need a random start, but {Restarts} restarts without one were requested; use pgd, or 1 restart.");
        }
    }
}
