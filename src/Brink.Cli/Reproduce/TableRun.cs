using Brink.Cli.Inputs;
using Brink.Data;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;

namespace Brink.Cli.Reproduce;

/// <summary>A run that a table needs.</summary>
/// <param name="Network">The network of the paper.</param>
/// <param name="Section">The half of the table.</param>
/// <param name="Attack">The row.</param>
/// <param name="Configured">The attack itself.</param>
/// <param name="Input">The network that stands for the paper's.</param>
/// <param name="Images">Those of the input's images that the attack runs on.</param>
/// <param name="Folder">Where the run is kept; null where it is not.</param>
internal sealed record TableRun(PaperNetwork Network, PaperSection Section, PaperAttack Attack, ConfiguredAttack Configured, RunInput Input, ImageSet Images, RunFolder? Folder)
{
    public string Name => $"{Input.Network.Name}, {Section.Norm}, {Attack.Key}";

    public ReproducedRun With(AttackSummary summary) => new(Network, Section, Attack, summary);
}
