using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The rule that sets the radius of the trust region from the ratio of the actual to the predicted change.</summary>
/// <remarks>
/// Yao et al. (2019), Algorithm 1 (docs/paper-map.md, row "radius"): ρ &gt; σ₁ → ηε;  ρ &lt; σ₂ → ε/η;  otherwise ε;  then clipped
/// to [ε_min, ε_max]. Every step is taken; there is no rejection test, unlike Nocedal &amp; Wright (2006), Algorithm 4.1.
/// </remarks>
public sealed record RadiusPolicy
{
    /// <summary>The unit of the radii.</summary>
    /// <value><see cref="RadiusUnit.FirstDistance"/> (ours, docs/decisions/0001).</value>
    public RadiusUnit Unit { get; init; } = RadiusUnit.FirstDistance;

    /// <summary>The first radius ε₀.</summary>
    /// <value>0.05 (ours; <c>benchmarks -- radii</c> compares the adaptive radius with fixed radii).</value>
    public double Start { get; init; } = 0.05;

    /// <summary>The smallest radius ε_min.</summary>
    /// <value>0.02 (ours, chosen with the first radius).</value>
    public double Smallest { get; init; } = 0.02;

    /// <summary>The largest radius ε_max.</summary>
    /// <value>0.07 (ours, chosen with the first radius; larger radii take fewer steps and find longer perturbations).</value>
    public double Largest { get; init; } = 0.07;

    /// <summary>The ratio σ₁ above which the radius grows.</summary>
    /// <value>0.9 (the authors' program).</value>
    public double GrowAbove { get; init; } = 0.9;

    /// <summary>The ratio σ₂ below which the radius shrinks.</summary>
    /// <value>0.5 (the authors' program).</value>
    public double ShrinkBelow { get; init; } = 0.5;

    /// <summary>The factor η by which the radius grows and shrinks.</summary>
    /// <value>1.2 (the authors' program); 1 keeps the radius fixed.</value>
    public double Growth { get; init; } = 1.2;

    /// <summary>The radii used if the boundary walk follows, for which the first adversarial point need not be near the image.</summary>
    /// <value>0.5 in [0.02, 1] linearised distances (ours, docs/attacks/trust-region.md).</value>
    public static RadiusPolicy Coarse => new() { Start = 0.5, Smallest = 0.02, Largest = 1 };

    /// <summary>Returns a policy with one radius for all steps.</summary>
    /// <param name="radius">The radius, positive, in units of the input space.</param>
    /// <returns>The policy.</returns>
    public static RadiusPolicy Fixed(double radius) =>
        new() { Unit = RadiusUnit.Input, Start = radius, Smallest = radius, Largest = radius, Growth = 1 };

    /// <summary>Computes the first radii ε₀, shape [batch].</summary>
    /// <param name="firstDistances">The linearised distances D at the original images, shape [batch].</param>
    internal Tensor First(Tensor firstDistances) => Unit == RadiusUnit.Input ? firstDistances.Filled(Start) : firstDistances.Times(Start);

    /// <summary>Computes the next radii ε_{k+1}, shape [batch].</summary>
    /// <param name="radii">The radii ε_k, shape [batch].</param>
    /// <param name="ratios">The ratios ρ_k, shape [batch].</param>
    /// <param name="firstDistances">The linearised distances D at the original images, shape [batch].</param>
    internal Tensor Next(Tensor radii, Tensor ratios, Tensor firstDistances) => Scoped(() =>
    {
        using Scalar shrinkBelow = Scalars.Of(ShrinkBelow), growth = Scalars.Of(Growth), smallest = Scalars.Of(Smallest), largest = Scalars.Of(Largest);
        var grown = where(ratios.Exceeds(GrowAbove), radii.mul(growth), radii);
        var next = where(ratios.lt(shrinkBelow), radii.div(growth), grown);
        return Unit == RadiusUnit.Input ? next.clamp(smallest, largest) : next.clamp(firstDistances.mul(smallest), firstDistances.mul(largest));
    });

    /// <summary>Checks the settings.</summary>
    /// <exception cref="BadInputException">A radius is not positive and finite, the limits do not enclose the first radius, the growth is below 1, or σ₂ exceeds σ₁.</exception>
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
            throw new BadInputException(FormattableString.Invariant($"The ratio below which the radius shrinks must not exceed the ratio above which it grows, but {ShrinkBelow} and {GrowAbove} were given."));
        }
    }
}

/// <summary>The unit in which the radii of a <see cref="RadiusPolicy"/> are given.</summary>
public enum RadiusUnit
{
    /// <summary>The unit of the input space.</summary>
    Input,

    /// <summary>The linearised distance D = −f/‖∇f‖_q at the original image. The same numbers then suit every image, network and range of values.</summary>
    FirstDistance,
}
