using Brink.Evaluation.Results;

namespace Brink.Cli.Reproduce;

/// <summary>A finished run of one attack of a table on one of its networks.</summary>
/// <param name="Network">The network.</param>
/// <param name="Section">The half of the table.</param>
/// <param name="Attack">The attack.</param>
/// <param name="Summary">What came out.</param>
internal sealed record ReproducedRun(PaperNetwork Network, PaperSection Section, PaperAttack Attack, AttackSummary Summary)
{
    /// <summary>How the accuracy fell step by step, for a table that counts that.</summary>
    public StepFigures? Steps { get; init; }
}
