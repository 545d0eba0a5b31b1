using System.CommandLine;
using System.Globalization;
using Brink.Training;

namespace Brink.Cli.Train;

/// <summary>Converts flags to the settings of a training run, and these to text.</summary>
internal static class TrainSettings
{
    // He et al. 2016, §4.2.
    private const int CropPadding = 4;

    private static readonly Dictionary<string, LearningRateSchedule> Schedules = new(StringComparer.Ordinal)
    {
        ["one-cycle"] = LearningRateSchedule.OneCycle,
        ["cosine"] = LearningRateSchedule.Cosine,
        ["step"] = LearningRateSchedule.Step,
        ["constant"] = LearningRateSchedule.Constant,
    };

    private static readonly Dictionary<string, AdversarialTarget> Targets = new(StringComparer.Ordinal)
    {
        ["most-likely"] = AdversarialTarget.MostLikely,
        ["least-likely"] = AdversarialTarget.LeastLikely,
    };

    private static readonly Dictionary<string, AdversarialMethod> Methods = new(StringComparer.Ordinal)
    {
        ["fgsm"] = AdversarialMethod.FastGradient,
        ["ifgsm"] = AdversarialMethod.IterativeFastGradient,
        ["pgd"] = AdversarialMethod.Projected,
        ["tr"] = AdversarialMethod.TrustRegion,
    };

    /// <summary>Returns the settings that the flags describe.</summary>
    /// <param name="parsed">The parsed command line.</param>
    /// <param name="options">The flags.</param>
    /// <exception cref="BadInputException">A name is unknown, or a flag requires another one.</exception>
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
            Adversarial = Adversarial(parsed, options),
            Growth = Growth(parsed, options),
            MicroBatchSize = parsed.GetValue(options.MicroBatch) ?? defaults.MicroBatchSize,
            Seed = parsed.GetValue(options.Seed) ?? defaults.Seed,
        };
    }

    /// <summary>Returns the settings as text, by the names of their flags.</summary>
    /// <param name="settings">The settings.</param>
    public static Dictionary<string, string> Describe(TrainingOptions settings)
    {
        var described = DescribeStandardTraining(settings);
        if (settings.Adversarial is { } adversarial)
        {
            described["adversarial"] = Methods.First(method => method.Value == adversarial.Method).Key;
            described["epsilon"] = Text(adversarial.Epsilon);
            described["norm"] = adversarial.Norm.Name;
            described["attack-steps"] = Text(adversarial.Steps);
            described["adversarial-share"] = Text(adversarial.Share);
            described["adversarial-until"] = Text(adversarial.Until ?? settings.Epochs);
            if (adversarial.Method == AdversarialMethod.TrustRegion)
            {
                described["target"] = Targets.First(target => target.Value == adversarial.Target).Key;
            }
        }

        if (settings.Growth is { } growth)
        {
            described["max-batch"] = Text(growth.MaxBatchSize);
            described["growth"] = Text(growth.Factor);
            described["eigenvalue-drop"] = Text(growth.EigenvalueDrop);
            described["growth-patience"] = Text(growth.Patience);
            described["eigenvalue-images"] = Text(growth.Images);
        }

        return described;
    }

    private static Dictionary<string, string> DescribeStandardTraining(TrainingOptions settings) => new(StringComparer.Ordinal)
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
        ["micro-batch"] = Text(settings.MicroBatchSize),
        ["seed"] = Text(settings.Seed),
    };

    private static AdversarialOptions? Adversarial(ParseResult parsed, TrainOptions options)
    {
        if (parsed.GetValue(options.Adversarial) is not { } name)
        {
            Option[] adversarial = [options.Epsilon, options.Norm, options.AttackSteps, options.Target, options.AdversarialShare, options.AdversarialUntil];
            RequireFlag(parsed, adversarial, "--adversarial NAME");
            return null;
        }

        if (!Methods.TryGetValue(name, out var method))
        {
            throw new BadInputException($"The flag --adversarial takes {string.Join(", ", Methods.Keys)}, but '{name}' was given.");
        }

        if (method != AdversarialMethod.TrustRegion && parsed.GetValue(options.Target) is not null)
        {
            throw new BadInputException($"The flag --target requires --adversarial tr, but --adversarial {name} was given; omit --target.");
        }

        var defaults = new AdversarialOptions { Method = method };
        return defaults with
        {
            Epsilon = parsed.GetValue(options.Epsilon) ?? defaults.Epsilon,
            Norm = parsed.GetValue(options.Norm) is { } norm ? Norm.Parse(norm) : defaults.Norm,
            Steps = parsed.GetValue(options.AttackSteps) is { } steps ? AtLeastOne(steps) : defaults.Steps,
            Target = Target(parsed.GetValue(options.Target)) ?? defaults.Target,
            Share = parsed.GetValue(options.AdversarialShare) ?? defaults.Share,
            Until = parsed.GetValue(options.AdversarialUntil),
        };
    }

    private static BatchGrowthOptions? Growth(ParseResult parsed, TrainOptions options)
    {
        if (parsed.GetValue(options.MaxBatch) is not { } maxBatch)
        {
            RequireFlag(parsed, [options.Growth, options.EigenvalueDrop, options.GrowthPatience, options.EigenvalueImages], "--max-batch N");
            return null;
        }

        var defaults = new BatchGrowthOptions();
        return defaults with
        {
            MaxBatchSize = maxBatch,
            Factor = parsed.GetValue(options.Growth) ?? defaults.Factor,
            EigenvalueDrop = parsed.GetValue(options.EigenvalueDrop) ?? defaults.EigenvalueDrop,
            Patience = parsed.GetValue(options.GrowthPatience) ?? defaults.Patience,
            Images = parsed.GetValue(options.EigenvalueImages) ?? defaults.Images,
        };
    }

    private static AdversarialTarget? Target(string? name) => name switch
    {
        null => null,
        _ when Targets.TryGetValue(name, out var target) => target,
        _ => throw new BadInputException($"The target of adversarial training must be {string.Join(" or ", Targets.Keys)}, but '{name}' was given."),
    };

    /// <exception cref="BadInputException">One of the given flags is present; none of them has a meaning without the required flag.</exception>
    private static void RequireFlag(ParseResult parsed, Option[] options, string required)
    {
        if (Array.Find(options, option => parsed.GetResult(option) is not null) is { } option)
        {
            throw new BadInputException($"The flag {option.Name} requires {required}; add it, or omit {option.Name}.");
        }
    }

    // The settings take 0 as "use the default".
    private static int AtLeastOne(int steps) => steps >= 1
        ? steps
        : throw new BadInputException(FormattableString.Invariant($"The number of attack steps must be at least 1, but {steps} was given."));

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
