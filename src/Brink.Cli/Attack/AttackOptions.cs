using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace Brink.Cli.Attack;

/// <summary>The flags of <c>brink attack</c>.</summary>
internal sealed class AttackOptions
{
    public Option<string?> Model { get; } = new("--model") { Description = "The network: signs (embedded), resnet20, resnet32, resnet44, resnet56, resnet110, mlp-swish, alexlike, alexlike-s.", HelpName = "NAME" };

    public Option<string?> Weights { get; } = new("--weights") { Description = "Its weights: a PyTorch checkpoint (.pt, .pth, .pkl) or safetensors.", HelpName = "FILE" };

    public Option<string?> Mean { get; } = new("--mean") { Description = "The mean of each channel that the network expects to be subtracted, e.g. 0.49,0.48,0.45.", HelpName = "A,B,C" };

    public Option<string?> StandardDeviation { get; } = new("--std") { Description = "The standard deviation of each channel, goes with --mean.", HelpName = "A,B,C" };

    public Option<string?> Data { get; } = new("--data") { Description = "The images: signs (embedded) or cifar10:FILE|FOLDER in the binary format.", HelpName = "SET" };

    public Option<int?> Limit { get; } = new("--limit") { CustomParser = WholeNumber<int>, Description = "The most images to attack.", HelpName = "N" };

    public Option<int?> Skip { get; } = new("--skip") { CustomParser = WholeNumber<int>, Description = "How many images to leave out at the start. [default: 0]", HelpName = "N" };

    public Option<string> Attack { get; } = new("--attack") { Description = "The attack, tr, tr2 (second order) or deepfool, with options in brackets: tr[max-iterations=50].", DefaultValueFactory = _ => "tr", HelpName = "NAME" };

    public Option<string?> Norm { get; } = new("--norm") { Description = "The length to keep small: l2 or linf. [default: l2]", HelpName = "NORM" };

    public Option<string?> Target { get; } = new("--target") { Description = "The class to go for: best (the nearest), hardest (the farthest), any (whichever leads) or a class number. [default: best]", HelpName = "CLASS" };

    public Option<string?> Radius { get; } = new("--radius") { Description = "The trust region: adaptive, or a fixed radius in units of --space. [default: adaptive]", HelpName = "RADIUS" };

    public Option<string?> Preset { get; } = new("--preset") { Description = "paper (the method) or authors (the constants and formulas of the authors' program). [default: paper]", HelpName = "PRESET" };

    public Option<int?> Iterations { get; } = new("--iterations") { CustomParser = WholeNumber<int>, Description = "The most steps an image gets. [default: 1000]", HelpName = "N" };

    public Option<string?> Objective { get; } = new("--objective") { Description = "What the attack raises: gap or cross-entropy. [default: gap]", HelpName = "NAME" };

    public Option<string> Space { get; } = new("--space") { Description = "Where lengths are measured: pixel (0 to 1) or normalized (the network's own input).", DefaultValueFactory = _ => "pixel", HelpName = "SPACE" };

    public Option<int?> BatchSize { get; } = new("--batch-size") { CustomParser = WholeNumber<int>, Description = "How many images are attacked at once. [default: 64]", HelpName = "N" };

    public Option<long?> Seed { get; } = new("--seed") { CustomParser = WholeNumber<long>, Description = "The seed of random draws; tr draws none. [default: 0]", HelpName = "N" };

    public Option<string> Device { get; } = new("--device") { Description = "cpu or cuda.", DefaultValueFactory = _ => "cpu", HelpName = "DEVICE" };

    public Option<int?> Threads { get; } = new("--threads") { CustomParser = WholeNumber<int>, Description = "How many processors to use. [default: all]", HelpName = "N" };

    public Option<string?> Out { get; } = new("--out") { Description = "A folder for results.json, images.parquet and adversarial.safetensors.", HelpName = "FOLDER" };

    public Option<bool> Json { get; } = new("--json") { Description = "Print what results.json holds, and nothing else." };

    public Option<bool> Quiet { get; } = new("--quiet") { Description = "Show no progress." };

    public IEnumerable<Option> All =>
    [
        Model, Weights, Mean, StandardDeviation, Data, Limit, Skip, Attack, Norm, Target, Radius, Preset, Iterations, Objective,
        Space, BatchSize, Seed, Device, Threads, Out, Json, Quiet,
    ];

    /// <summary>Reads a whole number alike in every culture, and says what is wrong without naming .NET's types.</summary>
    private static T? WholeNumber<T>(ArgumentResult argument)
        where T : struct, IBinaryInteger<T>, IMinMaxValue<T>
    {
        var text = argument.Tokens[0].Value;
        if (T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        argument.AddError(string.Create(CultureInfo.InvariantCulture, $"The flag {((OptionResult)argument.Parent!).Option.Name} takes a whole number of at most {T.MaxValue}, but '{text}' was given."));
        return null;
    }
}
