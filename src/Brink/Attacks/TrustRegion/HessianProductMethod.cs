namespace Brink.Attacks;

/// <summary>How products of a vector with the Hessian are computed.</summary>
public enum HessianProductMethod
{
    /// <summary>By differentiating the gradient. The network must have second derivatives that mean something.</summary>
    Exact,

    /// <summary>By central differences of gradients: a step h along the vector and back, two forward and two backward passes. Any differentiable network will do; with ReLU they measure how its slope changes over 2h.</summary>
    FiniteDifferences,
}
