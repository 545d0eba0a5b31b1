namespace Brink.Training;

/// <summary>How images of each batch are made adversarial before the network is trained on them.</summary>
public sealed record AdversarialOptions
{
    /// <summary>How they are made.</summary>
    /// <value>Iterative FGSM (ours).</value>
    public AdversarialMethod Method { get; init; } = AdversarialMethod.IterativeFastGradient;

    /// <summary>ε: the largest length of a perturbation, of pixels in [0, 1].</summary>
    /// <value>4/255 (ours).</value>
    public double Epsilon { get; init; } = 4 / 255.0;

    /// <summary>The norm that ε is measured in.</summary>
    /// <value><see cref="Norm.LInf"/> (Goodfellow et al. 2015, §4).</value>
    public Norm Norm { get; init; } = Norm.LInf;

    /// <summary>How many steps, each one forward and one backward pass of the adversarial part; the fast-gradient method has one.</summary>
    /// <value>3 for the iterative methods (ours), 1 for the trust region (Yao et al. 2019, appendix: the attack must cost little).</value>
    public int Steps
    {
        get => field > 0 ? field : Method is AdversarialMethod.FastGradient or AdversarialMethod.TrustRegion ? 1 : 3;
        init;
    }

    /// <summary>Which class a trust-region step goes for.</summary>
    /// <value>Hardest (Yao et al. 2019, appendix).</value>
    public AdversarialTarget Target { get; init; } = AdversarialTarget.Hardest;

    /// <summary>The share of a batch that is made adversarial; the rest stays as it is.</summary>
    /// <value>0.5 (Kurakin et al. 2017, <em>Adversarial machine learning at scale</em>, §3).</value>
    public double Share { get; init; } = 0.5;

    /// <summary>The last epoch, from 1, with adversarial images; null for all.</summary>
    /// <value>null: all.</value>
    public int? Until { get; init; }

    /// <summary>α/ε: the length of a fast-gradient step as a share of the radius, so that several reach its end with some to spare.</summary>
    internal double RelativeStep => Math.Min(1, 1.5 / Steps);

    /// <summary>Whether an epoch, from 0, has adversarial images.</summary>
    internal bool IsOn(int epoch) => Until is not { } last || epoch < last;

    /// <summary>Refuses settings that cannot work.</summary>
    /// <exception cref="BadInputException">With the name of the setting.</exception>
    internal void Check()
    {
        TrainingOptions.Within("adversarial epsilon", Epsilon, Epsilon > 0 && Epsilon <= (Norm == Norm.LInf ? 1 : 1000), Norm == Norm.LInf ? "positive and at most 1 (pixels lie in 0 to 1: write 4/255, not 4)" : "positive and at most 1000");
        TrainingOptions.Within("number of attack steps", Steps, Steps is >= 1 and <= 1000, "between 1 and 1000");
        TrainingOptions.Within("adversarial share", Share, Share is > 0 and <= 1, "above 0 and at most 1");
        TrainingOptions.Within("last adversarial epoch", Until ?? 1, Until is not < 1, "at least 1");
        if (Norm != Norm.L2 && Norm != Norm.LInf)
        {
            throw new BadInputException($"Adversarial images are made in l2 or linf, but {Norm} was given.");
        }

        if (Method == AdversarialMethod.FastGradient && Steps != 1)
        {
            throw new BadInputException($"The fast-gradient method takes one step, but {Steps} were asked for; use ifgsm for several.");
        }
    }
}
