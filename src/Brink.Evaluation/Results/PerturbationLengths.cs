using System.Text.Json.Serialization;

namespace Brink.Evaluation.Results;

/// <summary>Lengths of the perturbations of fooled images in the attack's space, in both norms.</summary>
/// <param name="L2">‖x′ − x‖₂.</param>
/// <param name="LInf">‖x′ − x‖_∞.</param>
public sealed record PerturbationLengths(Distribution L2, [property: JsonPropertyName("linf")] Distribution LInf);
