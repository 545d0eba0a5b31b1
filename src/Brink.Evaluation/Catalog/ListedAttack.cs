namespace Brink.Evaluation.Catalog;

/// <summary>One attack of a list.</summary>
/// <param name="Specification">How the list has it: <c>tr[radius=0.05]</c>.</param>
/// <param name="Configured">The attack.</param>
/// <param name="Folder">A name for its files, of its own in the list: <c>tr</c>, <c>tr-2</c>.</param>
public sealed record ListedAttack(string Specification, ConfiguredAttack Configured, string Folder);
