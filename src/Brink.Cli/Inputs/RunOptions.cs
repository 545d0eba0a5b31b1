using System.CommandLine;

namespace Brink.Cli.Inputs;

/// <summary>The flags shared by the verbs that run attacks: what is attacked, how it is computed, where the results go.</summary>
internal sealed class RunOptions
{
    public Option<string?> Model { get; } = new("--model") { Description = "The network: signs (embedded), another that brink models lists, or a TorchScript file, which is run: open only what you trust.", HelpName = "NAME|FILE.pt" };

    public Option<string?> Weights { get; } = new("--weights") { Description = "Its weights: a PyTorch checkpoint (.pt, .pth, .pkl) or safetensors.", HelpName = "FILE" };

    public Option<string?> Mean { get; } = new("--mean") { Description = "The mean of each channel that the network expects to be subtracted, e.g. 0.49,0.48,0.45.", HelpName = "A,B,C" };

    public Option<string?> StandardDeviation { get; } = new("--std") { Description = "The standard deviation of each channel, goes with --mean.", HelpName = "A,B,C" };

    public Option<string?> Data { get; } = new("--data") { Description = "The images: signs (embedded), cifar10 (fetched; cifar10:FILE|FOLDER in the binary format), images:FOLDER|FILE.tar, PNG and JPEG in class folders, or imagenet:FOLDER|FILE.tar, in folders of synsets.", HelpName = "SET" };

    public Option<int?> Limit { get; } = new("--limit") { CustomParser = WholeNumber.Parse<int>, Description = "The most images to attack.", HelpName = "N" };

    public Option<int?> Skip { get; } = new("--skip") { CustomParser = WholeNumber.Parse<int>, Description = "How many images to leave out at the start. [default: 0]", HelpName = "N" };

    public Option<string> Labels { get; } = new("--labels") { Description = "What counts as right: file (the labels of the data) or predicted (what the network says, for images without labels).", DefaultValueFactory = _ => "file", HelpName = "LABELS" };

    public Option<string?> Norm { get; } = new("--norm") { Description = "The length to keep small: l2 or linf. [default: the attack's; tr l2]", HelpName = "NORM" };

    public Option<string?> Target { get; } = new("--target") { Description = "The class to go for: best (the nearest), hardest (the farthest), any (whichever leads) or a class number. [default: the attack's; tr any]", HelpName = "CLASS" };

    public Option<string> Space { get; } = new("--space") { Description = "Where lengths are measured: pixel (0 to 1) or normalized (the network's own input).", DefaultValueFactory = _ => "pixel", HelpName = "SPACE" };

    public Option<int?> BatchSize { get; } = new("--batch-size") { CustomParser = WholeNumber.Parse<int>, Description = "How many images are attacked at once. [default: 64]", HelpName = "N" };

    public Option<long?> Seed { get; } = new("--seed") { CustomParser = WholeNumber.Parse<long>, Description = "The seed of random draws; of the attacks only pgd draws. [default: 0]", HelpName = "N" };

    public Option<string> Device { get; } = new("--device") { Description = "cpu or cuda.", DefaultValueFactory = _ => "cpu", HelpName = "DEVICE" };

    public Option<int?> Threads { get; } = new("--threads") { CustomParser = WholeNumber.Parse<int>, Description = "How many processors to use. [default: all]", HelpName = "N" };

    public Option<string?> Out { get; } = new("--out") { Description = "A folder for the results: results.json, images.parquet, adversarial.safetensors and, of an attack, report.html.", HelpName = "FOLDER" };

    public Option<bool> Resume { get; } = new("--resume") { Description = "Continue the run in the folder of --out: what it has finished is kept." };

    public Option<bool> Json { get; } = new("--json") { Description = "Print what results.json holds, and nothing else." };

    public Option<bool> Quiet { get; } = new("--quiet") { Description = "Show no progress." };

    /// <summary>What is attacked: a verb lists these first.</summary>
    public IEnumerable<Option> Subject => [Model, Weights, Mean, StandardDeviation, Data, Labels, Limit, Skip];

    /// <summary>What counts as small and as fooled, for every attack.</summary>
    public IEnumerable<Option> Goal => [Norm, Target];

    /// <summary>How it is computed and where the results go: a verb lists these last.</summary>
    public IEnumerable<Option> Computation => [Space, BatchSize, Seed, Device, Threads, Out, Resume, Json, Quiet];
}
