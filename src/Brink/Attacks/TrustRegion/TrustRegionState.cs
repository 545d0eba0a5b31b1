using Brink.Optimization;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The state of the trust-region attack before a step, one row per active image.</summary>
/// <param name="Points">The points x_k, shape [active, …].</param>
/// <param name="Labels">The labels y, int64, shape [active].</param>
/// <param name="Targets">The target classes t, int64, shape [active].</param>
/// <param name="Model">The linear model of the objective at the points.</param>
/// <param name="LabelLogits">The logits z_y of the labels at the points, shape [active].</param>
/// <param name="Radii">The radii ε_k, shape [active].</param>
/// <param name="FirstDistances">The linearised distances D at the original images, shape [active].</param>
/// <param name="PassRows">The row of each image in the pass at the points, int64, shape [active].</param>
/// <param name="Stuck">The flags of the entries that are left out of the gradient because they are at their bound, bool, shape [active, …]; null if none is.</param>
internal sealed record TrustRegionState(Tensor Points, Tensor Labels, Tensor Targets, LinearModel Model, Tensor LabelLogits, Tensor Radii, Tensor FirstDistances, Tensor PassRows, Tensor? Stuck) : IDisposable
{
    private IEnumerable<Tensor> Tensors => [Points, Labels, Targets, Model.Values, Model.Gradients, LabelLogits, Radii, FirstDistances, PassRows, .. Stuck is null ? Array.Empty<Tensor>() : [Stuck]];

    /// <summary>Copies the given rows; the caller disposes the copy.</summary>
    /// <param name="rows">The rows to copy, int64.</param>
    public TrustRegionState Select(Tensor rows) => new TrustRegionState(
        Points.index_select(0, rows),
        Labels.index_select(0, rows),
        Targets.index_select(0, rows),
        new(Model.Values.index_select(0, rows), Model.Gradients.index_select(0, rows)),
        LabelLogits.index_select(0, rows),
        Radii.index_select(0, rows),
        FirstDistances.index_select(0, rows),
        PassRows.index_select(0, rows),
        Stuck?.index_select(0, rows)).Detach();

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in Tensors)
        {
            tensor.Dispose();
        }
    }

    private TrustRegionState Detach()
    {
        foreach (var tensor in Tensors)
        {
            tensor.DetachFromDisposeScope();
        }

        return this;
    }
}
