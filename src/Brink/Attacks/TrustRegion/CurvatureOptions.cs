namespace Brink.Attacks;

/// <summary>The settings of the second-order trust-region attack that the first-order one has no use for.</summary>
public sealed record CurvatureOptions
{
    /// <summary>How Hessian-vector products are computed.</summary>
    /// <value>Exact (ours).</value>
    public HessianProductMethod Products { get; init; } = HessianProductMethod.Exact;

    /// <summary>h: how far finite differences go to either side, in units of the input space.</summary>
    /// <value>
    /// 0.005 (ours): the cube root of the rounding of float32, 1.2e-7, where for values of order 1, such as pixels, the error of the difference,
    /// h², and that of rounding, 1.2e-7/h, are level (Nocedal &amp; Wright 2006, §8.1).
    /// </value>
    public double DifferenceStep { get; init; } = 0.005;

    /// <summary>The most Lanczos vectors, that is products, an image takes at a point.</summary>
    /// <value>2 (ours: more bring nothing that shows, docs/attacks/trust-region-second-order.md).</value>
    public int MaxProducts { get; init; } = 2;

    /// <summary>The share of ‖g‖ to which the residual of the subproblem's optimality conditions must fall; 0 to take all products, and to look beyond the Krylov space.</summary>
    /// <value>0.05 (ours: what is lost of the predicted change is of the order of its square).</value>
    public double Tolerance { get; init; } = 0.05;

    /// <summary>The seed of the random vectors with which a Krylov space that is exhausted is continued; each image's also follow from its place in the data set.</summary>
    /// <value>0.</value>
    public long Seed { get; init; }

    /// <summary>Refuses settings that cannot work.</summary>
    /// <exception cref="BadInputException">With the name of the setting.</exception>
    internal void Check()
    {
        SettingCheck.AtLeastOne("products", MaxProducts);
        SettingCheck.NotNegative("tolerance of the subproblem", Tolerance);
        if (!double.IsFinite(DifferenceStep) || DifferenceStep <= 0)
        {
            throw new BadInputException(FormattableString.Invariant($"The step of finite differences must be a positive number, but {DifferenceStep} was given."));
        }
    }
}
