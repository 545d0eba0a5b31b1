using static TorchSharp.torch;

namespace Brink.Optimization;

/// <summary>m(s) = ⟨g, s⟩, the change of a function that its gradient predicts, for each row of a batch.</summary>
/// <remarks>Yao et al. (2019), §3, with H = 0, which is exact almost everywhere for networks that are piecewise linear.</remarks>
/// <param name="Values">f at the current points, [batch].</param>
/// <param name="Gradients">g, [batch, …].</param>
internal sealed record LinearModel(Tensor Values, Tensor Gradients)
{
    /// <summary>m(s), [batch].</summary>
    public Tensor PredictedChanges(Tensor steps) => PerSample.Dot(Gradients, steps);
}
