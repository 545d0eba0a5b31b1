using static TorchSharp.torch;

namespace Brink.Optimization;

/// <summary>The ratio ρ of the actual to the predicted change of the objective.</summary>
internal static class ReductionRatio
{
    /// <summary>The smallest predicted change, as a share of |f|, for which a ratio is computed. Smaller changes are rounding errors.</summary>
    private const double Negligible = 1e-12;

    /// <summary>Computes ρ = (f(x + s) − f(x)) / m(s), shape [batch]; −∞, which shrinks the radius, if the predicted change is negligible or the ratio is not finite.</summary>
    /// <remarks>Yao et al. (2019), §3; Nocedal &amp; Wright (2006), eq. (4.4), with the signs of a maximum.</remarks>
    /// <param name="oldValues">The values f(x), shape [batch].</param>
    /// <param name="newValues">The values f(x + s), shape [batch].</param>
    /// <param name="predictedChanges">The predicted changes m(s), shape [batch].</param>
    public static Tensor Of(Tensor oldValues, Tensor newValues, Tensor predictedChanges)
    {
        using var scope = NewDisposeScope();
        using var negligible = Scalars.Of(Negligible);
        var ratios = newValues.sub(oldValues).div(predictedChanges);
        var meaningless = predictedChanges.le(oldValues.abs().mul(negligible)).logical_or(ratios.isfinite().logical_not());
        return ratios.masked_fill(meaningless, Scalars.NegativeInfinity).MoveToOuterDisposeScope();
    }
}
