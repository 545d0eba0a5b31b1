namespace Brink.Attacks;

/// <summary>The settings of the quadratic model of the second-order trust-region attack, <c>tr2</c>.</summary>
public sealed record CurvatureOptions
{
    /// <summary>The method by which Hessian-vector products are computed.</summary>
    /// <value><see cref="HessianProductMethod.Exact"/> (ours).</value>
    public HessianProductMethod Products { get; init; } = HessianProductMethod.Exact;

    /// <summary>The step h of finite differences, in units of the input space.</summary>
    /// <value>
    /// 0.005 (ours): the cube root of 1.2e-7, the machine epsilon of float32. For values of order 1, such as pixels, the truncation error, of order
    /// h², and the rounding error, of order 1.2e-7/h, are equal there (Nocedal &amp; Wright 2006, §8.1).
    /// </value>
    public double DifferenceStep { get; init; } = 0.005;

    /// <summary>The maximum number of Lanczos vectors, and so of products, per image and point.</summary>
    /// <value>2 (ours: more vectors do not improve the results, docs/attacks/trust-region-second-order.md).</value>
    public int MaxProducts { get; init; } = 2;

    /// <summary>The share of ‖g‖ below which the residual of the subproblem's optimality conditions must fall.</summary>
    /// <value>0.05 (ours: the loss of predicted change is of the order of its square); 0 takes all products and continues beyond the Krylov space.</value>
    public double Tolerance { get; init; } = 0.05;

    /// <summary>The seed of the random vectors that continue a closed Krylov space; they also depend on the image's index in the data set.</summary>
    /// <value>0 (ours).</value>
    public long Seed { get; init; }

    /// <summary>Checks the settings.</summary>
    /// <exception cref="BadInputException">A setting is outside its range.</exception>
    internal void Check()
    {
        SettingCheck.AtLeastOne("products", MaxProducts);
        SettingCheck.NotNegative("tolerance of the subproblem", Tolerance);
        SettingCheck.Positive("step of finite differences", DifferenceStep);
    }
}

/// <summary>The method by which Hessian-vector products are computed.</summary>
public enum HessianProductMethod
{
    /// <summary>Differentiates the gradient. The network must have second derivatives that are not zero.</summary>
    Exact,

    /// <summary>Takes central differences of gradients, with two forward and two backward passes per product. Any differentiable network is supported; in a ReLU network they measure the change of the gradient over 2h.</summary>
    FiniteDifferences,
}
