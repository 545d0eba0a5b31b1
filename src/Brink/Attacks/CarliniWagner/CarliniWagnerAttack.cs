using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The L2 attack of Carlini and Wagner (2017), §VI.A: Adam on ‖x′ − x‖₂² + c·max(κ − f(x′), 0), with a search for c.</summary>
/// <remarks>
/// f is the logit gap, positive where the image is fooled. The point lives in the space of a tanh, so that it never leaves the bounds. The
/// nearest point that fooled is kept for each image, whichever constant and iteration it came from. docs/attacks/carlini-wagner.md has
/// the formulas.
/// </remarks>
public sealed class CarliniWagnerAttack : Attack, IMinimalAttack
{
    private readonly CarliniWagnerOptions _options;

    /// <summary>The attack with the given settings.</summary>
    /// <param name="options">The settings; null for the defaults.</param>
    /// <exception cref="BadInputException">A setting is out of its range; the message names it.</exception>
    public CarliniWagnerAttack(CarliniWagnerOptions? options = null)
    {
        _options = options ?? new();
        _options.Check();
    }

    /// <inheritdoc/>
    public override string Name => "cw";

    /// <inheritdoc/>
    public override Norm Norm => _options.Norm;

    /// <inheritdoc/>
    public override TargetSelection Target => _options.Target;

    private protected override void Perturb(AttackRun run, ForwardPass first, ActiveRows all, ActiveRows rows)
    {
        using var scope = NewDisposeScope();
        var subjects = Start(run, first, all, rows, _options.Candidates, LogitGap.Instance).Subjects;
        first.Dispose();
        if (rows.Count == 0)
        {
            return;
        }

        using var best = new BestPoints(subjects.Images);
        var descent = new Descent(run, _options, subjects, best);
        var tradeOffs = new TradeOffs(rows.Count, _options.InitialConstant);
        var attacked = rows.Rows;
        var (iterations, isFinite) = (new int[attacked.Count], Enumerable.Repeat(true, attacked.Count).ToArray());
        for (var round = 0; round < _options.BinarySearchSteps; round++)
        {
            var outcomes = descent.Run(new ActiveRows(attacked, subjects.Images.device), tradeOffs.Constants);
            for (var position = 0; position < outcomes.Length; position++)
            {
                tradeOffs.Update(position, outcomes[position].Fooled);
                iterations[position] += outcomes[position].Steps;
                isFinite[position] &= outcomes[position].IsFinite;
            }

            run.Report(iterations.Max(), attacked.Count, attacked.Count);
        }

        var found = best.Found();
        for (var position = 0; position < attacked.Count; position++)
        {
            var exit = found[position] ? AttackExit.Fooled : isFinite[position] ? AttackExit.IterationLimit : AttackExit.NotFinite;
            run.Finish(attacked[position], exit, iterations[position], best.Points[position]);
        }
    }
}
