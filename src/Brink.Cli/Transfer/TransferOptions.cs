using System.CommandLine;
using Brink.Cli.Inputs;

namespace Brink.Cli.Transfer;

/// <summary>The arguments and flags of <c>brink transfer</c>.</summary>
internal sealed class TransferOptions
{
    private readonly RunOptions _run = new();

    public Argument<string[]> Runs { get; } = new("RUN") { Description = "The folders of runs, as brink attack --out writes them.", Arity = ArgumentArity.OneOrMore };

    public Option<string[]> Models { get; } = new("--model") { Description = "A network to show the images to, with the file of its weights unless it brings its own: signs, resnet20=FILE. May be given several times.", HelpName = "NAME[=FILE]", Required = true, Arity = ArgumentArity.OneOrMore };

    public Option<int?> BatchSize { get; } = new("--batch-size") { CustomParser = WholeNumber.Parse<int>, Description = "How many images a network sees at once. [default: 64]", HelpName = "N" };

    public Option<string> Device => _run.Device;

    public Option<int?> Threads => _run.Threads;

    public Option<bool> Json { get; } = new("--json") { Description = "Print the matrix as JSON, and nothing else." };

    public IEnumerable<Option> All => [Models, BatchSize, Device, Threads, Json];
}
