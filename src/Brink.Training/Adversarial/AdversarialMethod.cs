namespace Brink.Training;

/// <summary>How the adversarial part of a batch is made.</summary>
public enum AdversarialMethod
{
    /// <summary>One step of the whole radius along the gradient of the cross-entropy (Goodfellow et al. 2015, §6).</summary>
    FastGradient,

    /// <summary>Several shorter steps (Kurakin et al. 2017).</summary>
    IterativeFastGradient,

    /// <summary>The same from a random start (Madry et al. 2018, §2.1).</summary>
    Projected,

    /// <summary>Trust-region steps: along the gradient of the logit gap to where the linear model sees the decision boundary, at most the radius (Yao et al. 2019, §3). Images that are misclassified stay as they are.</summary>
    TrustRegion,
}
