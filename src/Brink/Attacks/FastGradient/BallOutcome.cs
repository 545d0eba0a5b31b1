using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>What the steps within the balls came to; one entry a row.</summary>
/// <param name="Fooled">Whether a point of the ball fools.</param>
/// <param name="IsFinite">Whether all logits were finite numbers.</param>
/// <param name="Steps">The steps taken, over all starts.</param>
/// <param name="Points">Where they ended, [rows, …].</param>
internal sealed record BallOutcome(bool[] Fooled, bool[] IsFinite, int[] Steps, Tensor Points);
