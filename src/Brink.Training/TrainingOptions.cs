namespace Brink.Training;

/// <summary>The settings of <see cref="Trainer"/>. Two runs with equal settings, images and initial weights end with equal weights, on one machine with one number of threads.</summary>
public sealed record TrainingOptions
{
    /// <summary>The number of epochs; each image is seen once per epoch.</summary>
    /// <value>12 (ours).</value>
    public int Epochs { get; init; } = 12;

    /// <summary>The number of images per step. Images that do not fill a batch at the end of an epoch are left out of that epoch.</summary>
    /// <value>128 (He et al. 2016, §4.2).</value>
    public int BatchSize { get; init; } = 128;

    /// <summary>The maximum number of images per pass; a larger batch is computed in parts whose gradients are added.</summary>
    /// <value>512 (ours: fits the memory of a small machine).</value>
    public int MicroBatchSize { get; init; } = 512;

    /// <summary>The highest learning rate η of the schedule.</summary>
    /// <value>0.08 (ours).</value>
    public double LearningRate { get; init; } = 0.08;

    /// <summary>The course of the learning rate over the run.</summary>
    /// <value><see cref="LearningRateSchedule.OneCycle"/> (ours).</value>
    public LearningRateSchedule Schedule { get; init; } = LearningRateSchedule.OneCycle;

    /// <summary>The share of the run in which the learning rate of <see cref="LearningRateSchedule.OneCycle"/> increases, at least 0 and below 1.</summary>
    /// <value>0.2 (ours).</value>
    public double WarmUp { get; init; } = 0.2;

    /// <summary>The momentum μ, in Nesterov's form, at least 0 and below 1.</summary>
    /// <value>0.9 (He et al. 2016, §4.2).</value>
    public double Momentum { get; init; } = 0.9;

    /// <summary>The weight decay λ; the term λ/2·‖w‖² is added to the loss.</summary>
    /// <value>5e-4 (Zagoruyko and Komodakis 2016, §3).</value>
    public double WeightDecay { get; init; } = 5e-4;

    /// <summary>The share of the label's probability that is distributed over all classes (Szegedy et al. 2016, §7), at least 0 and below 1.</summary>
    /// <value>0: no smoothing.</value>
    public double LabelSmoothing { get; init; }

    /// <summary>The random transformations of the training images.</summary>
    /// <value>A crop with 4 pixels of padding, and a flip (He et al. 2016, §4.2).</value>
    public Augmentation Augmentation { get; init; } = Augmentation.CropAndFlip;

    /// <summary>The settings of adversarial training; null for standard training.</summary>
    /// <value>null.</value>
    public AdversarialOptions? Adversarial { get; init; }

    /// <summary>The settings for growing batches (ABSA); null for a constant batch size.</summary>
    /// <value>null.</value>
    public BatchGrowthOptions? Growth { get; init; }

    /// <summary>The seed of all random draws.</summary>
    /// <value>0.</value>
    public long Seed { get; init; }

    /// <summary>Checks that all settings are in their ranges.</summary>
    /// <exception cref="BadInputException">A setting is out of its range; the message names it.</exception>
    internal void Check()
    {
        Require("number of epochs", Epochs, Epochs >= 1, "at least 1");
        Require("batch size", BatchSize, BatchSize >= 1, "at least 1");
        Require("micro-batch size", MicroBatchSize, MicroBatchSize >= 1, "at least 1");
        Require("learning rate", LearningRate, double.IsFinite(LearningRate) && LearningRate > 0, "positive and finite");
        Require("warm-up", WarmUp, WarmUp is >= 0 and < 1, "at least 0 and below 1");
        Require("momentum", Momentum, Momentum is >= 0 and < 1, "at least 0 and below 1");
        Require("weight decay", WeightDecay, double.IsFinite(WeightDecay) && WeightDecay >= 0, "at least 0 and finite");
        Require("label smoothing", LabelSmoothing, LabelSmoothing is >= 0 and < 1, "at least 0 and below 1");
        Require("padding of the crop", Augmentation.Padding, Augmentation.Padding is >= 0 and <= 64, "between 0 and 64");
        Adversarial?.Check();
        Growth?.Check(BatchSize);
    }

    /// <summary>Checks one setting.</summary>
    /// <param name="setting">The name of the setting, for the message.</param>
    /// <param name="value">The value, for the message.</param>
    /// <param name="holds">True if the value is in its range.</param>
    /// <param name="range">The range in words, for the message.</param>
    /// <exception cref="BadInputException">The value is out of its range.</exception>
    internal static void Require(string setting, double value, bool holds, string range)
    {
        if (!holds)
        {
            throw new BadInputException(FormattableString.Invariant($"The {setting} must be {range}, but {value} was given."));
        }
    }
}

/// <summary>The random transformations of a training image, drawn again for each epoch.</summary>
/// <param name="Padding">The largest shift in each direction in pixels; pixels shifted in from outside are black. 0 for no shift.</param>
/// <param name="Flip">The option to mirror each image horizontally with probability 1/2.</param>
public sealed record Augmentation(int Padding, bool Flip)
{
    /// <summary>No transformation.</summary>
    public static Augmentation None { get; } = new(0, Flip: false);

    /// <summary>A crop with 4 pixels of padding, and a flip (He et al. 2016, §4.2).</summary>
    public static Augmentation CropAndFlip { get; } = new(4, Flip: true);
}
