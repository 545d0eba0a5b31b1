using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>FGSM, iterative FGSM and PGD with a given ε: whether a perturbation of that length suffices.</summary>
/// <remarks>Goodfellow et al. (2015), Kurakin et al. (2017), Madry et al. (2018). docs/attacks/fast-gradient.md has the formulas.</remarks>
public sealed class BudgetedFastGradientAttack : Attack, IBudgetedAttack
{
    private readonly FastGradientOptions _options;

    /// <summary>The attack with the given settings.</summary>
    /// <param name="epsilon">ε, the largest length, in the norm and units of the classifier's input space; positive.</param>
    /// <param name="options">The settings; null for iterative FGSM.</param>
    /// <exception cref="BadInputException">A setting is out of its range; the message names it.</exception>
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
        var start = Start(run, first, all, rows, _options.Candidates, _options.FirstObjective);
        first.Dispose();
        if (rows.Count == 0)
        {
            return;
        }

        var subjects = start.Subjects;
        using var epsilon = Scalars.Of(Epsilon);
        var radii = full([rows.Count], epsilon, dtype: subjects.Images.dtype, device: subjects.Images.device);
        var positions = PerSample.Positions(rows.Count, subjects.Images.device);
        var outcome = new BallAscent(run, _options, start).Run(rows, positions, radii);
        for (var row = 0; row < rows.Count; row++)
        {
            var exit = outcome.Fooled[row] ? AttackExit.Fooled : outcome.IsFinite[row] ? AttackExit.IterationLimit : AttackExit.NotFinite;
            run.Finish(rows.Rows[row], exit, outcome.Steps[row], outcome.Points[row]);
        }

        run.Report(outcome.Steps.Max(), rows.Count, active: 0);
    }
}
