namespace Brink.Training;

/// <summary>The methods for perturbing images in adversarial training.</summary>
public enum AdversarialMethod
{
    /// <summary>One step of length ε along the gradient of the cross-entropy (FGSM; Goodfellow et al. 2015, §6).</summary>
    FastGradient,

    /// <summary>Several shorter steps along the gradient of the cross-entropy (Kurakin et al. 2017).</summary>
    IterativeFastGradient,

    /// <summary>Several shorter steps along the gradient of the cross-entropy from a random start (PGD; Madry et al. 2018, §2.1).</summary>
    Projected,

    /// <summary>Steps along the gradient of the logit gap to the decision boundary of the linear model, of length ε at most (Yao et al. 2019, §3). Misclassified images are not perturbed.</summary>
    TrustRegion,
}

/// <summary>The target class of a trust-region step in adversarial training, chosen by the logits.</summary>
/// <remarks>The trust-region attack compares the linearised distances of all classes, which takes a backward pass per class; the logits are known after the forward pass.</remarks>
public enum AdversarialTarget
{
    /// <summary>The class other than the label with the largest logit.</summary>
    MostLikely,

    /// <summary>The class other than the label with the smallest logit.</summary>
    LeastLikely,
}

/// <summary>The settings of adversarial training: a part of each batch is perturbed before the step.</summary>
public sealed record AdversarialOptions
{
    /// <summary>The method for perturbing images.</summary>
    /// <value><see cref="AdversarialMethod.IterativeFastGradient"/> (ours).</value>
    public AdversarialMethod Method { get; init; } = AdversarialMethod.IterativeFastGradient;

    /// <summary>The largest length ε of a perturbation, for pixels in [0, 1].</summary>
    /// <value>4/255 (ours).</value>
    public double Epsilon { get; init; } = 4 / 255.0;

    /// <summary>The norm of the perturbation, L2 or L∞.</summary>
    /// <value><see cref="Norm.LInf"/> (Goodfellow et al. 2015, §4).</value>
    public Norm Norm { get; init; } = Norm.LInf;

    /// <summary>The number of steps, each of one forward and one backward pass; 1 for <see cref="AdversarialMethod.FastGradient"/>.</summary>
    /// <value>3 for the iterative methods (ours), 1 for the trust region (Yao et al. 2019, appendix: the attack must be cheap).</value>
    public int Steps
    {
        get => field > 0 ? field : Method is AdversarialMethod.FastGradient or AdversarialMethod.TrustRegion ? 1 : 3;
        init;
    }

    /// <summary>The target class of <see cref="AdversarialMethod.TrustRegion"/>; the other methods have none.</summary>
    /// <value><see cref="AdversarialTarget.LeastLikely"/> (Yao et al. 2019, appendix).</value>
    public AdversarialTarget Target { get; init; } = AdversarialTarget.LeastLikely;

    /// <summary>The share of each batch that is perturbed, above 0 and at most 1.</summary>
    /// <value>0.5 (Kurakin et al. 2017, <em>Adversarial machine learning at scale</em>, §3).</value>
    public double Share { get; init; } = 0.5;

    /// <summary>The last epoch with perturbed images, starting at 1; null for all epochs.</summary>
    /// <value>null.</value>
    public int? Until { get; init; }

    /// <summary>The length ℓ of a step of the fast-gradient methods as a share of ε. Several steps have a total length of 1.5 ε, so that they also reach the boundary of the ball if they change direction.</summary>
    internal double RelativeStep => Math.Min(1, 1.5 / Steps);

    /// <summary>Determines whether an epoch has perturbed images.</summary>
    /// <param name="epoch">The epoch, starting at 0.</param>
    internal bool IsOn(int epoch) => Until is not { } last || epoch < last;

    /// <summary>Checks that all settings are in their ranges.</summary>
    /// <exception cref="BadInputException">A setting is out of its range; the message names it.</exception>
    internal void Check()
    {
        TrainingOptions.Require("epsilon of adversarial training", Epsilon, Epsilon > 0 && Epsilon <= (Norm == Norm.LInf ? 1 : 1000), Norm == Norm.LInf ? "positive and at most 1 (pixels are between 0 and 1: write 4/255, not 4)" : "positive and at most 1000");
        TrainingOptions.Require("number of attack steps", Steps, Steps is >= 1 and <= 1000, "between 1 and 1000");
        TrainingOptions.Require("adversarial share", Share, Share is > 0 and <= 1, "above 0 and at most 1");
        TrainingOptions.Require("last adversarial epoch", Until ?? 1, Until is not < 1, "at least 1");
        if (Norm != Norm.L2 && Norm != Norm.LInf)
        {
            throw new BadInputException($"The norm of adversarial training must be l2 or linf, but {Norm} was given.");
        }

        if (Method == AdversarialMethod.FastGradient && Steps != 1)
        {
            throw new BadInputException($"The method fgsm has one step, but {Steps} were given; use ifgsm for several steps.");
        }
    }
}
