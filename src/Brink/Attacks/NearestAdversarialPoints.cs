using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The nearest adversarial point found so far for each attacked image, in the dispose scope in which it is created.</summary>
/// <param name="images">The original images x, shape [attacked, …].</param>
internal sealed class NearestAdversarialPoints(Tensor images)
{
    /// <summary>The points, shape [attacked, …]; the original image where no adversarial point has been found.</summary>
    public Tensor Points { get; } = images.clone();

    /// <summary>The lengths ‖x′ − x‖ of the perturbations, shape [attacked]; infinite where no adversarial point has been found.</summary>
    public Tensor Lengths { get; } = full([images.shape[0]], Scalars.PositiveInfinity, dtype: images.dtype, device: images.device);

    /// <summary>Determines for each image whether an adversarial point has been found.</summary>
    public bool[] Found()
    {
        using var finite = Lengths.isfinite();
        return finite.ToBools();
    }

    /// <summary>Keeps the points that are adversarial and nearer than the points found before.</summary>
    /// <remarks>No operation waits for the device, because this is called at every step.</remarks>
    /// <param name="positions">The positions of the points among the attacked images, ascending, int64, shape [active].</param>
    /// <param name="points">The points, shape [active, …].</param>
    /// <param name="lengths">The lengths ‖x′ − x‖ of the perturbations, shape [active].</param>
    /// <param name="fooled">The flags of the points that are adversarial, bool, shape [active].</param>
    public void Improve(Tensor positions, Tensor points, Tensor lengths, Tensor fooled)
    {
        using var scope = NewDisposeScope();
        var known = Lengths.Rows(positions);
        var better = fooled.logical_and(lengths.lt(known));
        if (positions.shape[0] == Lengths.shape[0])
        {
            Lengths.copy_(where(better, lengths, known));
            Points.copy_(where(PerSample.Broadcast(better, points), points, Points));
            return;
        }

        Lengths.index_copy_(0, positions, where(better, lengths, known));
        Points.index_copy_(0, positions, where(PerSample.Broadcast(better, points), points, Points.index_select(0, positions)));
    }
}
