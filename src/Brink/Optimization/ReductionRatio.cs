using static TorchSharp.torch;

namespace Brink.Optimization;

/// <summary>ρ: how much of the change that the local model predicted really came, for each row.</summary>
internal static class ReductionRatio
{
    /// <summary>Below this share of |f| a predicted change is rounding, and its ratio would be noise.</summary>
    private const double Negligible = 1e-12;

    /// <summary>ρ = (f(x + s) − f(x)) / m(s), [batch]; −∞, which no radius survives, where the predicted change is negligible or the ratio is no number.</summary>
    /// <remarks>Yao et al. (2019), §3; Nocedal &amp; Wright (2006), eq. (4.4), with signs flipped: we maximise.</remarks>
    public static Tensor Of(Tensor oldValues, Tensor newValues, Tensor predictedChanges)
    {
        using var scope = NewDisposeScope();
        using var negligible = Scalars.Of(Negligible);
        var ratios = newValues.sub(oldValues).div(predictedChanges);
        var meaningless = predictedChanges.le(oldValues.abs().mul(negligible)).logical_or(ratios.isfinite().logical_not());
        return ratios.masked_fill(meaningless, Scalars.NegativeInfinity).MoveToOuterDisposeScope();
    }
}
