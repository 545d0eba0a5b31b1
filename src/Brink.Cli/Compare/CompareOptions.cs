using System.CommandLine;
using Brink.Cli.Inputs;

namespace Brink.Cli.Compare;

/// <summary>The flags of <c>brink compare</c>.</summary>
internal sealed class CompareOptions
{
    public RunOptions Run { get; } = new();

    public Option<string> Attacks { get; } = new("--attacks") { Description = "The attacks with commas between them, their options in brackets: tr[radius=0.05],cw[max-iterations=1000].", DefaultValueFactory = _ => "tr,deepfool,ifgsm", HelpName = "LIST" };

    public IEnumerable<Option> All => [.. Run.Subject, Attacks, .. Run.Goal, .. Run.Computation];
}
