using System.CommandLine;
using System.Globalization;
using Brink.Training;
using Brink.Training.Data;
using Brink.Training.Learning;

namespace Brink.Cli.Train;

/// <summary>The settings of a training, from the flags and as text.</summary>
internal static class TrainSettings
{
    private const int CropPadding = 4;

    private static readonly Dictionary<string, LearningRateSchedule> Schedules = new(StringComparer.Ordinal)
    {
        ["one-cycle"] = LearningRateSchedule.OneCycle,
        ["cosine"] = LearningRateSchedule.Cosine,
        ["step"] = LearningRateSchedule.Step,
        ["constant"] = LearningRateSchedule.Constant,
    };

    /// <exception cref="BadInputException">A name is not known.</exception>
    public static TrainingOptions Of(ParseResult parsed, TrainOptions options)
    {
        var defaults = new TrainingOptions();
        return defaults with
        {
            Epochs = parsed.GetValue(options.Epochs) ?? defaults.Epochs,
            BatchSize = parsed.GetValue(options.BatchSize) ?? defaults.BatchSize,
            LearningRate = parsed.GetValue(options.LearningRate) ?? defaults.LearningRate,
            Schedule = Schedule(parsed.GetValue(options.Schedule)),
            WarmUp = parsed.GetValue(options.WarmUp) ?? defaults.WarmUp,
            Momentum = parsed.GetValue(options.Momentum) ?? defaults.Momentum,
            WeightDecay = parsed.GetValue(options.WeightDecay) ?? defaults.WeightDecay,
            LabelSmoothing = parsed.GetValue(options.LabelSmoothing) ?? defaults.LabelSmoothing,
            Augmentation = parsed.GetValue(options.Augment) is { } list ? Augmentations(list) : defaults.Augmentation,
            Seed = parsed.GetValue(options.Seed) ?? defaults.Seed,
        };
    }

    /// <summary>The settings by the names of their flags.</summary>
    public static Dictionary<string, string> Describe(TrainingOptions settings) => new(StringComparer.Ordinal)
    {
        ["epochs"] = Text(settings.Epochs),
        ["batch-size"] = Text(settings.BatchSize),
        ["learning-rate"] = Text(settings.LearningRate),
        ["schedule"] = Schedules.First(schedule => schedule.Value == settings.Schedule).Key,
        ["warm-up"] = Text(settings.WarmUp),
        ["momentum"] = Text(settings.Momentum),
        ["weight-decay"] = Text(settings.WeightDecay),
        ["label-smoothing"] = Text(settings.LabelSmoothing),
        ["augment"] = (settings.Augmentation.Padding > 0, settings.Augmentation.Flip) switch
        {
            (true, true) => "crop,flip",
            (true, false) => "crop",
            (false, true) => "flip",
            _ => "none",
        },
        ["seed"] = Text(settings.Seed),
    };

    private static LearningRateSchedule Schedule(string? name) => name is null ? new TrainingOptions().Schedule
        : Schedules.TryGetValue(name, out var schedule) ? schedule
        : throw new BadInputException($"The schedule must be one-cycle, cosine, step or constant, but '{name}' was given.");

    private static Augmentation Augmentations(string list)
    {
        var names = list.Split(',');
        return names is ["none"] ? Augmentation.None
            : names.Except(["crop", "flip"], StringComparer.Ordinal).Any() ? throw new BadInputException($"The augmentation must be crop,flip, crop, flip or none, but '{list}' was given.")
            : new(names.Contains("crop", StringComparer.Ordinal) ? CropPadding : 0, names.Contains("flip", StringComparer.Ordinal));
    }

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
}
