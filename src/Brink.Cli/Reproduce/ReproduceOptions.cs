using System.CommandLine;
using Brink.Cli.Inputs;

namespace Brink.Cli.Reproduce;

/// <summary>The argument and the flags of <c>brink reproduce</c>.</summary>
internal sealed class ReproduceOptions
{
    public Argument<string> Table { get; } = new("table") { Description = $"{string.Join(", ", PaperTables.All.Select(table => $"{table.Name} ({table.Title})"))} or {Figure4.Name} (times of the attacks on ImageNet's networks)." };

    public Option<string[]> Weights { get; } = new("--weights") { Description = "The weights of a network: a PyTorch checkpoint or safetensors. Once for each network that is to be run, e.g. resnet20=FILE.", HelpName = "NAME=FILE" };

    public Option<string?> Data { get; } = new("--data") { Description = "The images: cifar10 as fetched or cifar10:FILE|FOLDER in the binary format; for table3 and table4 imagenet:FOLDER|FILE.tar.", HelpName = "SET" };

    public Option<int?> Limit { get; } = new("--limit") { CustomParser = WholeNumber.Parse<int>, Description = $"The most images to attack. [default: all; {Figure4.Name}: {Figure4.DefaultImages}]", HelpName = "N" };

    public Option<string?> Without { get; } = new("--without") { Description = "Rows to leave out, with commas between: e.g. cw, which takes most of the time.", HelpName = "LIST" };

    public Option<int?> Steps { get; } = new("--steps") { CustomParser = WholeNumber.Parse<int>, Description = $"Only {Figure4.Name}: how many steps of each attack are timed. [default: {Figure4.DefaultSteps}]", HelpName = "N" };

    public Option<string> Device { get; } = new("--device") { Description = "cpu or cuda.", DefaultValueFactory = _ => "cpu", HelpName = "DEVICE" };

    public Option<int?> Threads { get; } = new("--threads") { CustomParser = WholeNumber.Parse<int>, Description = "How many processors to use. [default: all]", HelpName = "N" };

    public Option<string?> Out { get; } = new("--out") { Description = "A folder for the table as Markdown and JSON, with a run folder for each row.", HelpName = "FOLDER" };

    public Option<bool> Resume { get; } = new("--resume") { Description = "Continue in the folder of --out: what it has finished is kept." };

    public Option<bool> Json { get; } = new("--json") { Description = "Print the table as JSON, and nothing else." };

    public Option<bool> Quiet { get; } = new("--quiet") { Description = "Show no progress." };

    public IEnumerable<Option> All => [Weights, Data, Limit, Without, Steps, Device, Threads, Out, Resume, Json, Quiet];
}
