using Brink.Models;

namespace Brink.Cli.Reproduce;

/// <summary>A network of the paper, and what stands in for it here.</summary>
/// <param name="Name">What the paper calls it.</param>
/// <param name="Accuracy">Its accuracy in the paper, in per cent; null where the paper gives none.</param>
/// <param name="Model">The network of <see cref="ModelCatalog"/> that stands in for it.</param>
/// <param name="Remark">How the two differ, or where weights are to be had.</param>
internal sealed record PaperNetwork(string Name, decimal? Accuracy, string Model, string Remark);
