namespace Brink.Attacks;

/// <summary>The settings that the budgeted and the minimal fast-gradient attack share: steps along the gradient within a ball of radius ε.</summary>
/// <remarks>The defaults are those of <see cref="Iterative"/>.</remarks>
public sealed record FastGradientOptions
{
    /// <summary>p: the norm of the perturbation. In L∞ a step goes along the gradient's sign, in L2 along the gradient.</summary>
    /// <value><see cref="Norm.LInf"/> (Goodfellow et al. 2015, §4).</value>
    public Norm Norm { get; init; } = Norm.LInf;

    /// <summary>Which class is attacked. Best and hardest are chosen once, at the image.</summary>
    /// <value>Any: away from the label (Goodfellow et al. 2015, §4).</value>
    public TargetSelection Target { get; init; } = TargetSelection.Untargeted;

    /// <summary>Among how many classes other than the label, those with the largest logits, best and hardest choose.</summary>
    /// <value>9 (as the trust-region attack).</value>
    public int Candidates { get; init; } = 9;

    /// <summary>What is raised.</summary>
    /// <value>Cross-entropy (Goodfellow et al. 2015, §4).</value>
    public IObjective Objective { get; init; } = CrossEntropy.Instance;

    /// <summary>The most steps within one ball.</summary>
    /// <value>10 (Foolbox's basic iterative method).</value>
    public int MaxIterations { get; init; } = 10;

    /// <summary>α/ε: the length of a step as a share of the radius.</summary>
    /// <value>0.2 (Foolbox's basic iterative method).</value>
    public double RelativeStep { get; init; } = 0.2;

    /// <summary>Whether the first step starts from a point drawn uniformly from the ball, rather than from the image.</summary>
    /// <value>false (Kurakin et al. 2017).</value>
    public bool RandomStart { get; init; }

    /// <summary>How many starts an image gets until it is fooled.</summary>
    /// <value>1 (Kurakin et al. 2017).</value>
    public int Restarts { get; init; } = 1;

    /// <summary>The seed of the random starts; each image's also follow from its place in the data set.</summary>
    /// <value>0.</value>
    public long Seed { get; init; }

    /// <summary>FGSM: one step of the whole radius (Goodfellow et al. 2015, §4).</summary>
    public static FastGradientOptions Single { get; } = new() { MaxIterations = 1, RelativeStep = 1 };

    /// <summary>Iterative FGSM, the basic iterative method (Kurakin et al. 2017, §2.1), with Foolbox's numbers.</summary>
    public static FastGradientOptions Iterative { get; } = new();

    /// <summary>PGD: random start, 20 steps of ε/4 (Madry et al. 2018, §5: on CIFAR-10 steps of 2 in a ball of 8).</summary>
    public static FastGradientOptions Projected { get; } = new() { MaxIterations = 20, RelativeStep = 0.25, RandomStart = true };

    /// <summary>The name of these settings as the command line writes it: <c>pgd</c> with a random start, <c>fgsm</c> with a single step of the whole radius, else <c>ifgsm</c>.</summary>
    internal string Name => RandomStart ? "pgd" : MaxIterations == 1 && RelativeStep >= 1 ? "fgsm" : "ifgsm";

    /// <summary>The objective whose gradient at the image is the first step's, whatever the radius; null with a random start, which has none at the image.</summary>
    internal IObjective? FirstObjective => RandomStart ? null : Objective;

    /// <summary>Refuses settings that cannot work.</summary>
    /// <exception cref="BadInputException">With the name of the setting.</exception>
    internal void Check()
    {
        SettingCheck.L2OrLInf("The fast-gradient attack", Norm);
        SettingCheck.AtLeastOne("iterations", MaxIterations);
        SettingCheck.AtLeastOne("candidate classes", Candidates);
        SettingCheck.AtLeastOne("restarts", Restarts);
        SettingCheck.Positive("relative step", RelativeStep);
        if (Restarts > 1 && !RandomStart)
        {
            throw new BadInputException($"Without a random start every restart is the same, but {Restarts} restarts were asked for; use pgd, or 1 restart.");
        }
    }
}
