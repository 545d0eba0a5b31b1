using static TorchSharp.torch;

namespace Brink;

/// <summary>The attacked class of each image, and what choosing it found out about the logit gap there.</summary>
/// <param name="Targets">t, int64 [batch]; −1 where none is chosen.</param>
/// <param name="Gaps">f = z_t − z_y at the images, t the strongest other where none is chosen, [batch].</param>
/// <param name="Gradients">∇f at the images, [batch, …].</param>
/// <param name="BackwardPasses">How many backward passes the choice took, each image.</param>
internal sealed record TargetChoice(Tensor Targets, Tensor Gaps, Tensor Gradients, int BackwardPasses);
