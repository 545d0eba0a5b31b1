using Brink.Optimization;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>What the attack knows of the images still active, one row each.</summary>
/// <param name="Points">x_k, [active, …].</param>
/// <param name="Labels">y, int64 [active].</param>
/// <param name="Targets">t, int64 [active].</param>
/// <param name="Model">The local model of the objective at the points.</param>
/// <param name="LabelLogits">z_y at the points, [active].</param>
/// <param name="Radii">ε_k, [active].</param>
/// <param name="FirstDistances">−f / ‖∇f‖_q at the image, before the first step, [active].</param>
/// <param name="PassRows">Which row of the pass at the points is whose, int64 [active].</param>
internal sealed record TrustRegionState(Tensor Points, Tensor Labels, Tensor Targets, LinearModel Model, Tensor LabelLogits, Tensor Radii, Tensor FirstDistances, Tensor PassRows) : IDisposable
{
    private IEnumerable<Tensor> Tensors => [Points, Labels, Targets, Model.Values, Model.Gradients, LabelLogits, Radii, FirstDistances, PassRows];

    /// <summary>The given rows only, copied, owned by no scope: to be disposed.</summary>
    public TrustRegionState Select(Tensor rows) => new TrustRegionState(
        Points.index_select(0, rows),
        Labels.index_select(0, rows),
        Targets.index_select(0, rows),
        new(Model.Values.index_select(0, rows), Model.Gradients.index_select(0, rows)),
        LabelLogits.index_select(0, rows),
        Radii.index_select(0, rows),
        FirstDistances.index_select(0, rows),
        PassRows.index_select(0, rows)).Detach();

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
