namespace Brink.Evaluation.Paper;

/// <summary>One norm's half of a table.</summary>
/// <param name="Norm"><c>l2</c> or <c>linf</c>.</param>
/// <param name="Attacks">What is run, in the order of the rows.</param>
/// <param name="Figures">The paper's cells by network and column.</param>
public sealed record PaperSection(string Norm, IReadOnlyList<PaperAttack> Attacks, IReadOnlyDictionary<(PaperNetwork Network, string Column), PaperFigures> Figures);
