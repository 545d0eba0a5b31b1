namespace Brink;

/// <summary>The functions of the logits that an attack increases.</summary>
public enum Objective
{
    /// <summary>The margin of the criterion: for misclassification the logit gap f = z_t − z_y (Yao et al. 2019, §3). It is zero on the boundary, so a linear model of it gives a distance.</summary>
    Gap,

    /// <summary>The cross-entropy: log softmax(z)_t with a target class t, otherwise −log softmax(z)_y. It needs a criterion of classes, and has no zero on the boundary, so every step uses the whole radius.</summary>
    CrossEntropy,
}
