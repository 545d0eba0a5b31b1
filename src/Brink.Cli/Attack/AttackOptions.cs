using System.CommandLine;
using Brink.Cli.Inputs;
using Brink.Evaluation.Catalog;

namespace Brink.Cli.Attack;

/// <summary>The flags of <c>brink attack</c>.</summary>
internal sealed class AttackOptions
{
    public RunOptions Run { get; } = new();

    public Option<string> Attack { get; } = new("--attack") { Description = $"The attack: {AttackCatalog.Names}, with options in brackets: tr[max-iterations=50] (brink attacks lists them).", DefaultValueFactory = _ => "tr", HelpName = "NAME" };

    public Option<string?> Radius { get; } = new("--radius") { Description = "The radius of the trust region: adaptive, or a fixed number in units of --space. Only for tr and tr2. [default: adaptive]", HelpName = "RADIUS" };

    public Option<string?> Effort { get; } = new("--effort") { Description = "The gradients that tr spends on each image, with at most as many forward passes: low (25), default (125), high (500) or a number. [default: one walk of --refine steps]", HelpName = "N" };

    public Option<int?> Refine { get; } = new("--refine") { CustomParser = WholeNumber.Parse<int>, Description = "Steps along the boundary after the first adversarial point; 0 stops there. Only for tr. [default: 18; with a preset: none]", HelpName = "N" };

    public Option<string?> Preset { get; } = new("--preset") { Description = "The settings of tr: paper (the method of the paper: nearest class, no steps along the boundary) or authors (the authors' program). [default: neither]", HelpName = "PRESET" };

    public Option<string?> Epsilon { get; } = new("--epsilon") { Description = "The largest length of a perturbation, in units of --space. Only for fgsm, ifgsm and pgd, which find the smallest sufficient length without it.", HelpName = "LENGTH" };

    public Option<int?> Iterations { get; } = new("--iterations") { CustomParser = WholeNumber.Parse<int>, Description = "The maximum number of steps per image. [default: depends on the attack; tr: 1000]", HelpName = "N" };

    public Option<string?> Objective { get; } = new("--objective") { Description = "The objective that the attack increases: gap (the margin of the criterion, a difference of two logits) or cross-entropy. [default: depends on the attack; tr: gap]", HelpName = "NAME" };

    public ThresholdOptions Thresholds { get; } = new();

    public Option<bool> Quantized { get; } = new("--quantized") { Description = "Find adversarial images with 8 bits per channel, which still fool the model after being saved as PNG." };

    public Option<bool> Png { get; } = new("--png") { Description = "Also write the adversarial images to --out as 8-bit PNG files, and count those that still fool the model." };

    public IEnumerable<Option> All => [.. Run.ModelAndData, Attack, .. Run.Goal, Radius, Effort, Refine, Preset, Epsilon, Iterations, Objective, .. Thresholds.All, Quantized, Png, .. Run.ComputationAndOutput];
}
