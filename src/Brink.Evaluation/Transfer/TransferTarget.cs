namespace Brink.Evaluation.Transfer;

/// <summary>A column of the matrix: a network.</summary>
/// <param name="Name">The network; with its weights where the matrix has others of that name.</param>
/// <param name="Weights">The file of its weights; <c>embedded</c> where it brings its own.</param>
public sealed record TransferTarget(string Name, string Weights);
