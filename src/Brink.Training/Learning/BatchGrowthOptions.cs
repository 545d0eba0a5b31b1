namespace Brink.Training;

/// <summary>When batch size and learning rate grow together: where the loss has become flatter, larger steps of less noise lead as far.</summary>
/// <remarks>Yao et al. (2018), <em>Large batch size training of neural networks with adversarial training and second-order information</em> (ABSA), Algorithm 1.</remarks>
public sealed record BatchGrowthOptions
{
    /// <summary>The largest batch.</summary>
    /// <value>16384 (Yao et al. 2019, appendix: 128 → 16K).</value>
    public int MaxBatchSize { get; init; } = 16_384;

    /// <summary>By what factor both grow.</summary>
    /// <value>2 (ours).</value>
    public double Factor { get; init; } = 2;

    /// <summary>They grow when the top eigenvalue has fallen by this factor since they last did.</summary>
    /// <value>2 (ours).</value>
    public double EigenvalueDrop { get; init; } = 2;

    /// <summary>They also grow when they have not for so many epochs.</summary>
    /// <value>10 (ours).</value>
    public int Patience { get; init; } = 10;

    /// <summary>On how many training images, the same after every epoch, the eigenvalue is measured.</summary>
    /// <value>128 (ours).</value>
    public int Images { get; init; } = 128;

    /// <summary>The most products with the Hessian that an eigenvalue may take.</summary>
    /// <value>20 (ours).</value>
    public int MaxProducts { get; init; } = 20;

    /// <summary>Refuses settings that cannot work.</summary>
    /// <exception cref="BadInputException">With the name of the setting.</exception>
    internal void Check(int batchSize)
    {
        TrainingOptions.Within("largest batch", MaxBatchSize, MaxBatchSize >= batchSize, FormattableString.Invariant($"at least the batch size, {batchSize}"));
        TrainingOptions.Within("growth factor", Factor, Factor is > 1 and <= 1000, "above 1 and at most 1000");
        TrainingOptions.Within("factor of the eigenvalue's fall", EigenvalueDrop, EigenvalueDrop is > 1 and <= 1e6, "above 1 and at most 1000000");
        TrainingOptions.Within("number of epochs until the batch grows", Patience, Patience >= 1, "at least 1");
        TrainingOptions.Within("number of images for the eigenvalue", Images, Images >= 1, "at least 1");
        TrainingOptions.Within("number of products for the eigenvalue", MaxProducts, MaxProducts >= 1, "at least 1");
    }
}
