using System.CommandLine;
using Brink.Cli.Inputs;

namespace Brink.Cli.Attack;

/// <summary>The flags of <c>brink attack</c>.</summary>
internal sealed class AttackOptions
{
    public RunOptions Run { get; } = new();

    public Option<string> Attack { get; } = new("--attack") { Description = "The attack: tr, tr2 (second order), deepfool, fgsm, ifgsm, pgd or cw, with options in brackets: tr[max-iterations=50].", DefaultValueFactory = _ => "tr", HelpName = "NAME" };

    public Option<string?> Radius { get; } = new("--radius") { Description = "The trust region: adaptive, or a fixed radius in units of --space. [default: adaptive]", HelpName = "RADIUS" };

    public Option<int?> Refine { get; } = new("--refine") { CustomParser = WholeNumber.Parse<int>, Description = "For tr: how many steps to walk along the boundary toward its nearest point; 0 stops at the first adversarial point. [default: 18; authors 0]", HelpName = "N" };

    public Option<string?> Preset { get; } = new("--preset") { Description = "paper (the method) or authors (the constants and formulas of the authors' program). [default: paper]", HelpName = "PRESET" };

    public Option<string?> Epsilon { get; } = new("--epsilon") { Description = "For fgsm, ifgsm and pgd: the length a perturbation may have, in units of --space. Without it they search the smallest that fools.", HelpName = "LENGTH" };

    public Option<int?> Iterations { get; } = new("--iterations") { CustomParser = WholeNumber.Parse<int>, Description = "The most steps an image gets. [default: the attack's; tr 1000]", HelpName = "N" };

    public Option<string?> Objective { get; } = new("--objective") { Description = "What the attack raises: gap or cross-entropy. [default: the attack's; tr gap]", HelpName = "NAME" };

    public Option<string?> At { get; } = new("--at") { Description = "Lengths at which to say how much accuracy is left at most, in the norm of the attack and units of --space: 0.25,0.5 or 4/255,8/255.", HelpName = "LENGTHS" };

    public Option<string[]> Require { get; } = new("--require") { Description = "A bar for build pipelines: 'accuracy@0.5>=0.6' or 'median>=0.1'; exit code 3 where the run does not meet it. May be given several times.", HelpName = "BAR" };

    public Option<bool> Quantized { get; } = new("--quantized") { Description = "End on images of 8 bits, as a PNG file holds them, that fool as such." };

    public Option<bool> Png { get; } = new("--png") { Description = "Write the adversarial images to --out as 8-bit PNG, too, and say how many of them still fool." };

    public IEnumerable<Option> All => [.. Run.Subject, Attack, .. Run.Goal, Radius, Refine, Preset, Epsilon, Iterations, Objective, At, Require, Quantized, Png, .. Run.Computation];
}
