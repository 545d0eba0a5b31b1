namespace Brink.Evaluation.Results;

/// <summary>One attack's finished run over the images of a comparison.</summary>
/// <param name="Attack">The attack, as the list has it.</param>
/// <param name="Folder">The name of its files' folder.</param>
/// <param name="Run">What was run.</param>
/// <param name="Images">What came out, one entry an image.</param>
/// <param name="Seconds">How long it took.</param>
public sealed record ComparedRun(string Attack, string Folder, RunDescription Run, IReadOnlyList<EvaluatedImage> Images, double Seconds);
