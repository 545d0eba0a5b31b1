using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>Chooses the next radius from how well the local model predicted the last step.</summary>
/// <remarks>
/// Yao et al. (2019), Algorithm 1 (docs/paper-map.md, row "radius"): ρ &gt; σ₁ → ηε;  ρ &lt; σ₂ → ε/η;  otherwise ε;  then clipped
/// to [ε_min, ε_max]. Every step is taken; there is no rejection test, unlike Nocedal &amp; Wright (2006), Algorithm 4.1.
/// </remarks>
public sealed record RadiusPolicy
{
    /// <summary>What a radius of 1 means.</summary>
    /// <value><see cref="RadiusUnit.FirstDistance"/> (ours, docs/decisions/0001).</value>
    public RadiusUnit Unit { get; init; } = RadiusUnit.FirstDistance;

    /// <summary>ε₀: the first radius.</summary>
    /// <value>0.05 (ours: <c>benchmarks -- radii</c> compares it with fixed radii).</value>
    public double Start { get; init; } = 0.05;

    /// <summary>ε_min.</summary>
    /// <value>0.02 (ours, as the first radius).</value>
    public double Smallest { get; init; } = 0.02;

    /// <summary>ε_max.</summary>
    /// <value>0.07 (ours, as the first radius: larger ones save steps and lose closeness).</value>
    public double Largest { get; init; } = 0.07;

    /// <summary>σ₁: above this ratio the model is trusted further out.</summary>
    /// <value>0.9 (the authors' code).</value>
    public double GrowAbove { get; init; } = 0.9;

    /// <summary>σ₂: below this ratio the model is trusted less far.</summary>
    /// <value>0.5 (the authors' code).</value>
    public double ShrinkBelow { get; init; } = 0.5;

    /// <summary>η: by how much the radius grows and shrinks; 1 keeps it fixed.</summary>
    /// <value>1.2 (the authors' code).</value>
    public double Growth { get; init; } = 1.2;

    /// <summary>Whether the next radius is computed from the length of the last step rather than from its radius.</summary>
    /// <value>false; true only in the authors' code, where a step cut short at the boundary becomes the radius (docs/decisions/0001).</value>
    public bool FromStepLength { get; init; }

    /// <summary>Large radii, for a first point that need not be close: half the linearised distance, within 0.02 and 1 of it (ours, docs/attacks/trust-region.md).</summary>
    public static RadiusPolicy Coarse => new() { Start = 0.5, Smallest = 0.02, Largest = 1 };

    /// <summary>The same radius for every step.</summary>
    /// <param name="radius">The radius, in units of the input space.</param>
    public static RadiusPolicy Fixed(double radius) =>
        new() { Unit = RadiusUnit.Input, Start = radius, Smallest = radius, Largest = radius, Growth = 1 };

    /// <summary>The first radii, [batch].</summary>
    /// <param name="firstDistances">The linearised distance of each row at its start, [batch].</param>
    internal Tensor First(Tensor firstDistances)
    {
        using var start = Scalars.Of(Start);
        return Unit == RadiusUnit.Input ? full_like(firstDistances, start) : firstDistances.mul(start);
    }

    /// <summary>The next radii, [batch].</summary>
    /// <param name="radii">ε, [batch].</param>
    /// <param name="lengths">The lengths of the steps before overshoot, [batch].</param>
    /// <param name="ratios">ρ, [batch].</param>
    /// <param name="firstDistances">The linearised distance of each row at its start, [batch].</param>
    internal Tensor Next(Tensor radii, Tensor lengths, Tensor ratios, Tensor firstDistances)
    {
        using var scope = NewDisposeScope();
        using Scalar growAbove = Scalars.Of(GrowAbove), shrinkBelow = Scalars.Of(ShrinkBelow), growth = Scalars.Of(Growth);
        using Scalar smallest = Scalars.Of(Smallest), largest = Scalars.Of(Largest);
        var bases = FromStepLength ? lengths : radii;
        var grown = where(ratios.gt(growAbove), bases.mul(growth), bases);
        var next = where(ratios.lt(shrinkBelow), bases.div(growth), grown);
        return (Unit == RadiusUnit.Input
            ? next.clamp(smallest, largest)
            : next.clamp(firstDistances.mul(smallest), firstDistances.mul(largest))).MoveToOuterDisposeScope();
    }

    /// <summary>Refuses numbers that cannot work.</summary>
    /// <exception cref="BadInputException">A radius is not positive and finite, the limits do not enclose the start, or the thresholds are out of order.</exception>
    internal void Check()
    {
        if (!(double.IsFinite(Start) && Largest <= float.MaxValue && Smallest > 0 && Smallest <= Start && Start <= Largest))
        {
            throw new BadInputException(Unit == RadiusUnit.Input && Smallest.Equals(Largest)
                ? FormattableString.Invariant($"The radius must be a positive number within the range of float32, but {Start} was given.")
                : FormattableString.Invariant($"Radii must satisfy 0 < smallest ≤ start ≤ largest, all within the range of float32, but {Smallest}, {Start} and {Largest} were given."));
        }

        if (!(Growth >= 1 && double.IsFinite(Growth)))
        {
            throw new BadInputException(FormattableString.Invariant($"The growth of the radius must be a finite number of at least 1, but {Growth} was given."));
        }

        if (!(ShrinkBelow <= GrowAbove))
        {
            throw new BadInputException(FormattableString.Invariant($"The radius must shrink below a smaller ratio than it grows above, but {ShrinkBelow} and {GrowAbove} were given."));
        }
    }
}
