using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The fast-gradient attacks FGSM, iterative FGSM and PGD with a given ε: tries perturbations of at most that length.</summary>
/// <remarks>Goodfellow et al. (2015), §4; Kurakin et al. (2017), §2; Madry et al. (2018), §2.1. Formulas: docs/attacks/fast-gradient.md.</remarks>
internal sealed class BudgetedFastGradientAttack : Attack, IBudgetedAttack
{
    private readonly FastGradientOptions _options;

    /// <summary>Initializes the attack.</summary>
    /// <param name="options">The settings, with ε.</param>
    /// <exception cref="BadInputException">A setting is outside its range.</exception>
    public BudgetedFastGradientAttack(FastGradientOptions options)
    {
        options.Check();
        (Epsilon, _options) = (options.Epsilon ?? throw new BadInputException("An attack with a budget needs an epsilon, but none was given."), options);
    }

    /// <inheritdoc/>
    public double Epsilon { get; }

    /// <inheritdoc/>
    public override string Name => _options.Name;

    /// <inheritdoc/>
    public override Norm Norm => _options.Norm;

    /// <inheritdoc/>
    public override Objective Objective => _options.Objective;

    /// <inheritdoc/>
    public override TargetSelection Target => _options.Target;

    /// <inheritdoc/>
    protected override void Perturb(AttackedBatch batch)
    {
        using var scope = NewDisposeScope();
        var ascent = new BallAscent(batch, _options, needsGap: false);
        if (batch.Count == 0)
        {
            return;
        }

        var result = ascent.Run([.. Enumerable.Range(0, batch.Count)], [.. Enumerable.Repeat(Epsilon, batch.Count)]);
        batch.Finish(Array.ConvertAll(result.Exits, exit => (AttackExit?)exit), position => result.Steps[position], result.Points);
        batch.Report(result.Steps.Max(), active: 0);
    }
}
