using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The fast-gradient attacks FGSM, iterative FGSM and PGD with a given ε: tries perturbations of at most that length.</summary>
/// <remarks>Goodfellow et al. (2015), §4; Kurakin et al. (2017), §2; Madry et al. (2018), §2.1. Formulas: docs/attacks/fast-gradient.md.</remarks>
public sealed class BudgetedFastGradientAttack : Attack, IBudgetedAttack
{
    private readonly FastGradientOptions _options;

    /// <summary>Initializes the attack.</summary>
    /// <param name="epsilon">The largest length ε of a perturbation, positive, in the norm of the attack and in units of the classifier's input space.</param>
    /// <param name="options">The settings; null for iterative FGSM.</param>
    /// <exception cref="BadInputException">A setting is outside its range.</exception>
    public BudgetedFastGradientAttack(double epsilon, FastGradientOptions? options = null)
    {
        SettingCheck.Positive("epsilon", epsilon);
        (Epsilon, _options) = (epsilon, options ?? FastGradientOptions.Iterative);
        _options.Check();
    }

    /// <inheritdoc/>
    public double Epsilon { get; }

    /// <inheritdoc/>
    public override string Name => _options.Name;

    /// <inheritdoc/>
    public override Norm Norm => _options.Norm;

    /// <inheritdoc/>
    public override TargetSelection Target => _options.Target;

    private protected override void Perturb(AttackRun run, ForwardPass first, ActiveRows all, ActiveRows rows)
    {
        using var scope = NewDisposeScope();
        var start = Linearize(run, first, all, rows, _options.Candidates, _options.FirstObjective);
        first.Dispose();
        if (rows.Count == 0)
        {
            return;
        }

        var images = start.Attacked.Images;
        using var epsilon = Scalars.Of(Epsilon);
        var radii = full([rows.Count], epsilon, dtype: images.dtype, device: images.device);
        var positions = PerSample.Positions(rows.Count, images.device);
        var result = new BallAscent(run, _options, start).Run(rows, positions, radii);
        for (var row = 0; row < rows.Count; row++)
        {
            run.Finish(rows.Rows[row], result.Exits[row], result.Steps[row], result.Points[row]);
        }

        run.Report(result.Steps.Max(), rows.Count, active: 0);
    }
}
