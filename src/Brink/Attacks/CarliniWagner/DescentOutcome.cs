namespace Brink.Attacks;

/// <summary>What a descent came to, of one image.</summary>
/// <param name="Fooled">Whether a point of the last tenth fooled.</param>
/// <param name="Steps">The steps taken.</param>
/// <param name="IsFinite">Whether the loss was a finite number to the end.</param>
internal readonly record struct DescentOutcome(bool Fooled, int Steps, bool IsFinite);
