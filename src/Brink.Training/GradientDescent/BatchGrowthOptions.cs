namespace Brink.Training;

/// <summary>The settings for growing batches: batch size and learning rate grow together as the loss becomes flatter.</summary>
/// <remarks>Yao et al. (2018), <em>Large batch size training of neural networks with adversarial training and second-order information</em> (ABSA), Algorithm 1.</remarks>
public sealed record BatchGrowthOptions
{
    /// <summary>The largest batch size.</summary>
    /// <value>16384 (Yao et al. 2019, appendix: 128 → 16K).</value>
    public int MaxBatchSize { get; init; } = 16_384;

    /// <summary>The factor by which batch size and learning rate grow, above 1.</summary>
    /// <value>2 (ours).</value>
    public double Factor { get; init; } = 2;

    /// <summary>The factor, above 1, by which the top eigenvalue must have fallen since the last growth for the next one.</summary>
    /// <value>2 (ours).</value>
    public double EigenvalueDrop { get; init; } = 2;

    /// <summary>The number of epochs without growth after which the batch grows regardless of the eigenvalue.</summary>
    /// <value>10 (ours).</value>
    public int Patience { get; init; } = 10;

    /// <summary>The number of training images on which the eigenvalue is estimated; the same images after every epoch.</summary>
    /// <value>128 (ours).</value>
    public int Images { get; init; } = 128;

    /// <summary>The maximum number of Hessian-vector products per estimate of the eigenvalue.</summary>
    /// <value>20 (ours).</value>
    public int MaxProducts { get; init; } = 20;

    /// <summary>Checks that all settings are in their ranges.</summary>
    /// <param name="batchSize">The initial batch size.</param>
    /// <exception cref="BadInputException">A setting is out of its range; the message names it.</exception>
    internal void Check(int batchSize)
    {
        TrainingOptions.Require("maximum batch size", MaxBatchSize, MaxBatchSize >= batchSize, FormattableString.Invariant($"at least the batch size, {batchSize}"));
        TrainingOptions.Require("growth factor", Factor, Factor is > 1 and <= 1000, "above 1 and at most 1000");
        TrainingOptions.Require("eigenvalue drop", EigenvalueDrop, EigenvalueDrop is > 1 and <= 1e6, "above 1 and at most 1000000");
        TrainingOptions.Require("growth patience", Patience, Patience >= 1, "at least 1");
        TrainingOptions.Require("number of images for the eigenvalue", Images, Images >= 1, "at least 1");
        TrainingOptions.Require("number of products for the eigenvalue", MaxProducts, MaxProducts >= 1, "at least 1");
    }
}
