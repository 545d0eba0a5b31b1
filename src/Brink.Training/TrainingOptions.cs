namespace Brink.Training;

/// <summary>How a network is trained. Two runs with equal options, images and first weights end with equal weights, on one machine with one number of threads.</summary>
public sealed record TrainingOptions
{
    /// <summary>How often each image is seen.</summary>
    /// <value>12 (ours).</value>
    public int Epochs { get; init; } = 12;

    /// <summary>Images in a step of the optimiser. What is left over at the end of an epoch, less than a batch, waits for another order.</summary>
    /// <value>128 (He et al. 2016, §4.2).</value>
    public int BatchSize { get; init; } = 128;

    /// <summary>The most images that go through the network at once; larger batches add up the gradients of their parts.</summary>
    /// <value>512 (ours: what fits a small machine's memory).</value>
    public int MicroBatchSize { get; init; } = 512;

    /// <summary>The highest learning rate.</summary>
    /// <value>0.08 (ours).</value>
    public double LearningRate { get; init; } = 0.08;

    /// <summary>What becomes of it during the run.</summary>
    /// <value>One cycle (ours).</value>
    public LearningRateSchedule Schedule { get; init; } = LearningRateSchedule.OneCycle;

    /// <summary>The share of the run in which <see cref="LearningRateSchedule.OneCycle"/> rises.</summary>
    /// <value>0.2 (ours).</value>
    public double WarmUp { get; init; } = 0.2;

    /// <summary>μ: how much of the last step a step keeps (Nesterov's form).</summary>
    /// <value>0.9 (He et al. 2016, §4.2).</value>
    public double Momentum { get; init; } = 0.9;

    /// <summary>λ: λ/2·‖w‖² is added to the loss.</summary>
    /// <value>5e-4 (Zagoruyko and Komodakis 2016, §3).</value>
    public double WeightDecay { get; init; } = 5e-4;

    /// <summary>The share of the label's probability that is spread over all classes (Szegedy et al. 2016, §7).</summary>
    /// <value>0: none.</value>
    public double LabelSmoothing { get; init; }

    /// <summary>What is done to an image before the network sees it.</summary>
    /// <value>Crop with 4 pixels of padding, and flip (He et al. 2016, §4.2).</value>
    public Augmentation Augmentation { get; init; } = Augmentation.CropAndFlip;

    /// <summary>How images are made adversarial before the network is trained on them; null for training on images as they are.</summary>
    /// <value>null.</value>
    public AdversarialOptions? Adversarial { get; init; }

    /// <summary>When batch size and learning rate grow; null for never.</summary>
    /// <value>null.</value>
    public BatchGrowthOptions? Growth { get; init; }

    /// <summary>Every random draw follows from this, the epoch and the image.</summary>
    /// <value>0.</value>
    public long Seed { get; init; }

    /// <summary>Refuses settings that cannot work.</summary>
    /// <exception cref="BadInputException">With the name of the setting.</exception>
    internal void Check()
    {
        Within("number of epochs", Epochs, Epochs >= 1, "at least 1");
        Within("batch size", BatchSize, BatchSize >= 1, "at least 1");
        Within("micro-batch size", MicroBatchSize, MicroBatchSize >= 1, "at least 1");
        Within("learning rate", LearningRate, double.IsFinite(LearningRate) && LearningRate > 0, "positive and finite");
        Within("warm-up", WarmUp, WarmUp is >= 0 and < 1, "at least 0 and below 1");
        Within("momentum", Momentum, Momentum is >= 0 and < 1, "at least 0 and below 1");
        Within("weight decay", WeightDecay, double.IsFinite(WeightDecay) && WeightDecay >= 0, "at least 0 and finite");
        Within("label smoothing", LabelSmoothing, LabelSmoothing is >= 0 and < 1, "at least 0 and below 1");
        Within("crop's padding", Augmentation.Padding, Augmentation.Padding is >= 0 and <= 64, "between 0 and 64");
        Adversarial?.Check();
        Growth?.Check(BatchSize);
    }

    /// <exception cref="BadInputException">The condition does not hold.</exception>
    internal static void Within(string setting, double value, bool holds, string range)
    {
        if (!holds)
        {
            throw new BadInputException(FormattableString.Invariant($"The {setting} of a training must be {range}, but {value} was given."));
        }
    }
}
