using Brink.Attacks;
using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Evaluation.Reproduction;

/// <summary>The first-order trust-region attack with the formulas and constants of the authors' program, for inputs that are normalised as in that program (docs/decisions/0001).</summary>
/// <remarks>
/// The program departs from Algorithm 1 of the paper: ρ is the decrease of the label's logit per length, the next radius is computed from the length
/// of the last step, 0.0001 is added to every step and 1e-6 to every gradient norm, and entries at their bounds stay in the gradient.
/// </remarks>
/// <param name="options">The settings.</param>
internal sealed class AuthorsAttack(AuthorsOptions options) : Attacks.Attack, IMinimalAttack
{
    /// <inheritdoc/>
    public override string Name => "tr";

    /// <inheritdoc/>
    public override Norm Norm => options.Norm;

    /// <inheritdoc/>
    public override TargetSelection Target => options.Target;

    /// <inheritdoc/>
    protected override void Perturb(AttackedBatch batch)
    {
        using var outer = NewDisposeScope();
        var model = batch.Start(Norm, options.Candidates);
        var state = new State(batch.Images, model, LabelLogits(batch), model.Values.Filled(options.RadiusStart));
        state = state.Select(batch.Keep(model, iteration: 0, options.MaxIterations));
        for (var iteration = 1; batch.Count > 0; iteration++)
        {
            using var scope = NewDisposeScope();
            var slopes = state.Model.Slopes.Plus(options.GradientFloor);
            var lengths = minimum(state.Model.Values.neg().div(slopes), state.Radii).clamp_min(Scalars.Zero);
            // In L2 the direction is g/(‖g‖ + 1e-6); in L∞ it is the sign, without a division.
            var directions = Norm == Norm.L2 ? state.Model.Gradients / PerSample.Broadcast(slopes, state.Model.Gradients) : state.Model.Gradients.sign();
            var steps = directions.Times(lengths.Plus(options.ExtraLength).Times(1 + options.Overshoot));
            var points = batch.Classifier.Bounds.Clamp(state.Points.Plus(steps));

            batch.Forward(points);
            model = batch.Linearize(Norm);
            var labelLogits = LabelLogits(batch);
            var next = new State(points, model, labelLogits, NextRadii(lengths, (state.LabelLogits - labelLogits) / lengths));
            state = state.ReplacedBy(next.Select(batch.Keep(model, iteration, options.MaxIterations)), outer);
            batch.Report(iteration);
        }
    }

    private static Tensor LabelLogits(AttackedBatch batch) => Scoping.Scoped(() => batch.Logits().gather(1, batch.Labels.unsqueeze(1)).squeeze(1));

    private Tensor NextRadii(Tensor lengths, Tensor ratios) => Scoping.Scoped(() =>
    {
        using TorchSharp.Scalar shrinkBelow = Scalars.Of(options.RadiusShrinkBelow), growth = Scalars.Of(options.RadiusGrowth), smallest = Scalars.Of(options.RadiusSmallest), largest = Scalars.Of(options.RadiusLargest);
        var grown = where(ratios.Exceeds(options.RadiusGrowAbove), lengths.mul(growth), lengths);
        return where(ratios.lt(shrinkBelow), lengths.div(growth), grown).clamp(smallest, largest);
    });

    /// <summary>The state before a step, one row per active image.</summary>
    private sealed record State(Tensor Points, LinearModel Model, Tensor LabelLogits, Tensor Radii) : IRows<State>
    {
        public State Map(Func<Tensor, Tensor> map) => new(map(Points), Model.Map(map), map(LabelLogits), map(Radii));
    }
}

/// <summary>The settings of <see cref="AuthorsAttack"/>, with the values of the program.</summary>
internal sealed record AuthorsOptions : IAttackOptions
{
    /// <summary>The norm of the perturbation.</summary>
    public Norm Norm { get; init; } = Norm.L2;

    /// <summary>The selection of the class that the attack approaches.</summary>
    public TargetSelection Target { get; init; } = TargetSelection.Best;

    /// <summary>The number of classes that are compared.</summary>
    public int Candidates { get; init; } = 9;

    /// <summary>The maximum number of steps per image.</summary>
    public int MaxIterations { get; init; } = 1000;

    /// <summary>The share of its length that is added to a step.</summary>
    public double Overshoot { get; init; } = 0.02;

    /// <summary>The length that is added to every step, in units of the input space.</summary>
    public double ExtraLength { get; init; } = 1e-4;

    /// <summary>The number that is added to the norm of a gradient before division by it.</summary>
    public double GradientFloor { get; init; } = 1e-6;

    /// <summary>The first radius, in units of the input space.</summary>
    public double RadiusStart { get; init; }

    /// <summary>The smallest radius.</summary>
    public double RadiusSmallest { get; init; }

    /// <summary>The largest radius.</summary>
    public double RadiusLargest { get; init; }

    /// <summary>The factor by which the radius grows and shrinks.</summary>
    public double RadiusGrowth { get; init; } = 1.2;

    /// <summary>The ratio above which the radius grows.</summary>
    public double RadiusGrowAbove { get; init; } = 0.9;

    /// <summary>The ratio below which the radius shrinks.</summary>
    public double RadiusShrinkBelow { get; init; } = 0.5;

    /// <summary>Returns the settings with the adaptive radius of the program. In L2 the first radius is the largest, so it can only shrink.</summary>
    /// <param name="norm">The norm.</param>
    public static AuthorsOptions Adaptive(Norm norm) => norm == Norm.L2
        ? new() { Norm = norm, RadiusStart = 0.05, RadiusSmallest = 0.0005, RadiusLargest = 0.05 }
        : new() { Norm = norm, RadiusStart = 0.005, RadiusSmallest = 0.0001, RadiusLargest = 0.01 };

    /// <summary>Returns the settings with a fixed radius.</summary>
    /// <param name="norm">The norm.</param>
    /// <param name="radius">The radius.</param>
    public static AuthorsOptions Fixed(Norm norm, double radius) => new() { Norm = norm, RadiusStart = radius, RadiusSmallest = radius, RadiusLargest = radius, RadiusGrowth = 1 };

    /// <inheritdoc/>
    public IAttack CreateAttack()
    {
        SettingCheck.L2OrLInf("The authors' program", Norm);
        SettingCheck.AtLeastOne("iterations", MaxIterations);
        SettingCheck.AtLeastOne("candidate classes", Candidates);
        SettingCheck.NotNegative("overshoot", Overshoot);
        SettingCheck.NotNegative("extra length", ExtraLength);
        SettingCheck.NotNegative("gradient floor", GradientFloor);
        new RadiusPolicy { Unit = RadiusUnit.Input, Start = RadiusStart, Smallest = RadiusSmallest, Largest = RadiusLargest, Growth = RadiusGrowth, GrowAbove = RadiusGrowAbove, ShrinkBelow = RadiusShrinkBelow }.Check();
        return new AuthorsAttack(this);
    }
}
