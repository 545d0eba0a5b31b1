using System.CommandLine;
using System.Globalization;
using Brink.Data;
using Brink.Evaluation.Runs;

namespace Brink.Cli.Inputs;

/// <summary>The flags shared by the verbs that run attacks.</summary>
internal sealed class RunOptions
{
    private const string FileLabels = "file";
    private const string PredictedLabels = "predicted";

    public Option<string?> Model { get; } = new("--model") { Description = "The model: signs (embedded), another name listed by brink models, or a TorchScript file. A TorchScript file contains code that is executed: use trusted files only. [default: signs]", HelpName = "NAME|FILE.pt" };

    public Option<string?> Weights { get; } = new("--weights") { Description = "The weights of the model: a PyTorch checkpoint (.pt, .pth, .pkl), safetensors or a file of TorchSharp's module.save; KEY chooses one of several dictionaries in it.", HelpName = "FILE[:KEY]" };

    public ScriptOptions Script { get; } = new();

    public Option<string?> Mean { get; } = new("--mean") { Description = "The mean that the model's preprocessing subtracts from each channel of pixels in [0, 1]: 0.49,0.48,0.45 or 125/255,123/255,114/255. [default: those of the model]", HelpName = "A,B,C" };

    public Option<string?> StandardDeviation { get; } = new("--std") { Description = "The standard deviation that the preprocessing divides each channel by; required with --mean.", HelpName = "A,B,C" };

    public Option<string?> Data { get; } = new("--data") { Description = "The images: signs (embedded), cifar10 (after brink data fetch cifar10), cifar10:FILE|FOLDER (binary format), images:FOLDER|FILE.tar (PNG and JPEG in one folder per class, or with --labels), imagenet:FOLDER|FILE.tar (one folder per synset), or idx:IMAGES,LABELS (the format of MNIST, also .gz). [default: signs]", HelpName = "SET" };

    public Option<string> Labels { get; } = new("--labels") { Description = "The labels: file (those of the data set), predicted (the model's own predictions, for images without labels), or a CSV file with an image file and its label in each row.", DefaultValueFactory = _ => FileLabels, HelpName = "LABELS" };

    public Option<string?> Classes { get; } = new("--classes") { Description = "A text file with the name of each class, one per line in the order of the model's classes. [default: the names of the data set]", HelpName = "FILE" };

    public Option<int?> Resize { get; } = new("--resize") { CustomParser = WholeNumber.Parse<int>, Description = "Resize the shorter side of image files to N pixels (bilinear, equal to torchvision's Resize). [default: none; imagenet: 256]", HelpName = "N" };

    public Option<int?> Crop { get; } = new("--crop") { CustomParser = WholeNumber.Parse<int>, Description = "Cut a square of N pixels from the centre of image files (equal to torchvision's CenterCrop). [default: none; imagenet: 224]", HelpName = "N" };

    public Option<string?> Channels { get; } = new("--channels") { Description = "The channels of the images, in the order that the model takes: grey, rgb, rgba or bgr. [default: rgb; idx: grey]", HelpName = "NAME" };

    public Option<int?> Limit { get; } = new("--limit") { CustomParser = WholeNumber.Parse<int>, Description = "The maximum number of images. [default: all; signs: 1000]", HelpName = "N" };

    public Option<int?> Skip { get; } = new("--skip") { CustomParser = WholeNumber.Parse<int>, Description = "The number of images to leave out at the start of the data set. [default: 0]", HelpName = "N" };

    public Option<string?> Norm { get; } = new("--norm") { Description = "The norm that measures perturbations: l2, linf or l1 (brink attacks lists those of each attack). [default: l2; fgsm, ifgsm, pgd: linf]", HelpName = "NORM" };

    public Option<string?> Target { get; } = new("--target") { Description = "The target class: untargeted (any class other than the label), best (the nearest class), hardest (the farthest), the number or name of a class, or a CSV file with the index and the target class of each image. [default: untargeted; deepfool, tr2 and the presets of tr: best]", HelpName = "CLASS|FILE.csv" };

    public Option<string?> Confidence { get; } = new("--confidence") { Description = "The probability that the model must give to the wrong class (to the target class, if there is one) for an image to count as fooled, such as 0.9. [default: any]", HelpName = "P" };

    public Option<int?> MaxPasses { get; } = new("--max-passes") { CustomParser = WholeNumber.Parse<int>, Description = "The maximum number of forward plus backward passes per image. An image that needs more gets the nearest adversarial image found so far. [default: no limit]", HelpName = "N" };

    public Option<string> Space { get; } = new("--space") { Description = "The input space in which lengths are measured: pixel (pixels in [0, 1]) or normalized (the model's input after its preprocessing).", DefaultValueFactory = _ => InputSpaces.Pixel, HelpName = "SPACE" };

    public Option<int?> BatchSize { get; } = new("--batch-size") { CustomParser = WholeNumber.Parse<int>, Description = "The number of images in one batch. [default: 64]", HelpName = "N" };

    public Option<long?> Memory { get; } = new("--memory") { CustomParser = MemorySize.Parse, Description = "The memory that a run may use, such as 4G or 500M; large images are attacked in smaller batches. [default: a quarter of the free memory, at most 4G; none with --batch-size]", HelpName = "SIZE" };

    public Option<long?> Seed { get; } = new("--seed") { CustomParser = WholeNumber.Parse<long>, Description = "The seed of random draws: the starts of pgd and the Lanczos vectors of tr2. [default: 0]", HelpName = "N" };

    public Option<string> Device { get; } = new("--device") { Description = "The device: cpu, cuda, or cuda:N for the GPU of number N.", DefaultValueFactory = _ => "cpu", HelpName = "DEVICE" };

    public Option<bool> TensorFloat32 { get; } = new("--tf32") { Description = "Let the search on a GPU compute in TF32, which is faster and less precise than float32. Images are always classified in float32 before and after it, so some that the search found are not counted as fooled." };

    public Option<int?> Threads { get; } = new("--threads") { CustomParser = WholeNumber.Parse<int>, Description = "The number of CPU threads. [default: one per processor]", HelpName = "N" };

    public Option<string?> Out { get; } = new("--out") { Description = "The folder for results.json, images.parquet, adversarial.safetensors and report.html.", HelpName = "FOLDER" };

    public Option<bool> Resume { get; } = new("--resume") { Description = "Continue the run in the folder of --out and keep its finished results." };

    public Option<bool> Json { get; } = new("--json") { Description = "Print results.json instead of the table." };

    public Option<bool> Quiet { get; } = new("--quiet") { Description = "Show no progress." };

    /// <summary>The flags of model and images, listed first.</summary>
    public IEnumerable<Option> ModelAndData => [Model, Weights, .. Script.All, Mean, StandardDeviation, Data, .. Preparation, Limit, Skip];

    /// <summary>The flags of labels and preparation of images.</summary>
    public IEnumerable<Option> Preparation => [Labels, Classes, Resize, Crop, Channels];

    /// <summary>The flags that every attack has.</summary>
    public IEnumerable<Option> Goal => [Norm, Target, Confidence, MaxPasses];

    /// <summary>The flags of computation and output, listed last.</summary>
    public IEnumerable<Option> ComputationAndOutput => [Space, BatchSize, Memory, Seed, Device, TensorFloat32, Threads, Out, Resume, Json, Quiet];

    /// <summary>Parses the flags of labels and preparation of images.</summary>
    /// <param name="parsed">The parsed command line.</param>
    /// <exception cref="BadInputException">There are no such channels.</exception>
    public ImageOptions Images(ParseResult parsed)
    {
        var labels = parsed.GetValue(Labels) ?? FileLabels;
        return new()
        {
            Resize = parsed.GetValue(Resize),
            Crop = parsed.GetValue(Crop),
            Channels = parsed.GetValue(Channels) is { } channels ? ChannelConversion.Parse(channels) : null,
            LabelFile = labels is FileLabels or PredictedLabels ? null : labels,
            NeedsLabels = labels != PredictedLabels,
            ClassFile = parsed.GetValue(Classes),
        };
    }

    /// <summary>Returns the flags of <see cref="Images"/> that are given and differ from their defaults, as settings of the run.</summary>
    /// <param name="parsed">The parsed command line.</param>
    public IEnumerable<(string Name, object Value)> ImageSettings(ParseResult parsed)
    {
        (string Name, object? Value)[] settings =
        [
            ("labels", parsed.GetValue(Labels) is FileLabels ? null : parsed.GetValue(Labels)),
            ("classes", parsed.GetValue(Classes)),
            ("resize", parsed.GetValue(Resize)),
            ("crop", parsed.GetValue(Crop)),
            ("channels", parsed.GetValue(Channels)),
        ];
        return settings.Where(setting => setting.Value is not null).Select(setting => (setting.Name, setting.Value!));
    }

    /// <summary>The settings that apply to every attack of a run, as options of the attack catalogue. Flags that are not given are left out.</summary>
    /// <param name="parsed">The parsed command line.</param>
    /// <param name="defaultNorm">The norm to use without <c>--norm</c>; null for the default of the attack.</param>
    public Dictionary<string, string> AttackSettings(ParseResult parsed, string? defaultNorm = null)
    {
        var flags = new (string Key, string? Value)[]
        {
            ("norm", parsed.GetValue(Norm) ?? defaultNorm),
            ("target", parsed.GetValue(Target)),
            ("confidence", parsed.GetValue(Confidence)),
            ("max-passes", parsed.GetValue(MaxPasses)?.ToString(CultureInfo.InvariantCulture)),
            ("seed", parsed.GetValue(Seed)?.ToString(CultureInfo.InvariantCulture)),
        };
        return flags.Where(flag => flag.Value is not null).ToDictionary(flag => flag.Key, flag => flag.Value!, StringComparer.Ordinal);
    }
}

/// <summary>The names of the input spaces on the command line and in files, and their units.</summary>
internal static class InputSpaces
{
    /// <summary><c>pixel</c>, the default.</summary>
    public const string Pixel = "pixel";

    private const string Normalized = "normalized";

    /// <summary>Parses the name of a space.</summary>
    /// <exception cref="BadInputException">The name is neither <c>pixel</c> nor <c>normalized</c>.</exception>
    public static InputSpace Parse(string? name) => name switch
    {
        Pixel => InputSpace.Pixel,
        Normalized => InputSpace.Normalized,
        _ => throw new BadInputException($"The space must be {Pixel} or {Normalized}, but '{name}' was given."),
    };

    /// <summary>Returns the name of a space.</summary>
    public static string Name(InputSpace space) => space == InputSpace.Pixel ? Pixel : Normalized;

    /// <summary>Returns the units of lengths in the space of that name, for tables.</summary>
    public static string Units(string name) => name == Pixel ? "pixels in [0, 1]" : "normalised input";
}
