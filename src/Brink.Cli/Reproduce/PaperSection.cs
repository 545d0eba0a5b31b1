using System.Collections.ObjectModel;

namespace Brink.Cli.Reproduce;

/// <summary>One norm's half of a table.</summary>
/// <param name="Norm"><c>l2</c> or <c>linf</c>.</param>
/// <param name="Attacks">What is run, in the order of the rows.</param>
/// <param name="Figures">The paper's cells by network and column.</param>
internal sealed record PaperSection(string Norm, IReadOnlyList<PaperAttack> Attacks, IReadOnlyDictionary<(PaperNetwork Network, string Column), PaperFigures> Figures)
{
    /// <summary>The paper's rows by network and column, where it counts accuracy after 1, 2, … steps, in per cent.</summary>
    public IReadOnlyDictionary<(PaperNetwork Network, string Column), IReadOnlyList<decimal>> Accuracies { get; init; } =
        ReadOnlyDictionary<(PaperNetwork Network, string Column), IReadOnlyList<decimal>>.Empty;
}
