using System.CommandLine;
using System.Globalization;
using Brink.Cli.Terminal;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Results;

namespace Brink.Cli.Inputs;

/// <summary>The flags of lengths and thresholds, shared by the verbs that measure accuracies.</summary>
internal sealed class ThresholdOptions
{
    public Option<string?> At { get; } = new("--at") { Description = "Print an upper bound of the accuracy under perturbations of these lengths, in units of --space: 0.25,0.5 or 4/255,8/255.", HelpName = "LENGTHS" };

    public Option<string[]> Require { get; } = new("--require") { Description = "A threshold for build pipelines: 'accuracy@0.5>=0.6' or 'median>=0.1'. Exit code 3 if it is not met. May be repeated.", HelpName = "THRESHOLD" };

    public Option<bool> AllowUnattacked { get; } = new("--allow-unattacked") { Description = "Let a threshold be met although the attack could not work on more than 5 % of the attacked images (zero or non-finite gradient, iteration or pass limit)." };

    public IEnumerable<Option> All => [At, Require, AllowUnattacked];
}

/// <summary>The lengths of <c>--at</c> and the thresholds of <c>--require</c>.</summary>
/// <param name="Lengths">The lengths at which the robust accuracy is reported, in ascending order; empty without <c>--at</c>.</param>
/// <param name="Requirements">The thresholds; empty without <c>--require</c>.</param>
/// <param name="AllowUnattacked">True if a threshold may be met although the attack could not work on many images.</param>
internal sealed record Thresholds(IReadOnlyList<double> Lengths, IReadOnlyList<Requirement> Requirements, bool AllowUnattacked)
{
    private const int Levels = 255;

    /// <summary>The lengths of both flags at which an accuracy is asked for.</summary>
    private IReadOnlyList<double> AccuracyLengths => [.. Lengths, .. Requirements.Select(requirement => requirement.Length).OfType<double>()];

    /// <summary>The lengths of both flags, with those that the median must reach.</summary>
    public IReadOnlyList<double> AllLengths => [.. AccuracyLengths, .. Requirements.Select(requirement => requirement.LeastMedian).OfType<double>()];

    /// <summary>Parses the flags.</summary>
    /// <exception cref="BadInputException">A length or a threshold cannot be parsed.</exception>
    public static Thresholds Parse(ParseResult parsed, ThresholdOptions options) =>
        new([.. Numbers(parsed.GetValue(options.At)).Distinct().Order()], [.. (parsed.GetValue(options.Require) ?? []).Select(Requirement.Parse)], parsed.GetValue(options.AllowUnattacked));

    /// <summary>Checks, before the first attack, that an attack covers every length and the median. A budgeted attack covers lengths from its ε on, and no median.</summary>
    /// <param name="runs">The descriptions of the runs.</param>
    /// <exception cref="BadInputException">All attacks are budgeted, and a length is smaller than their ε or a threshold needs the median.</exception>
    public void CheckCovered(IReadOnlyList<RunDescription> runs)
    {
        if (runs.Any(run => run.Epsilon is null))
        {
            return;
        }

        var smallest = runs.MinBy(run => run.Epsilon)!;
        string Only(string asked, string remedy) => string.Create(CultureInfo.InvariantCulture, $"The attack {smallest.Attack} with epsilon {Text(smallest.Epsilon!.Value)} only tries perturbations up to that length, but {asked}; {remedy}.");
        foreach (var length in AccuracyLengths)
        {
            if (!smallest.Covers(length))
            {
                throw new BadInputException(Only($"the accuracy at the smaller length {Text(length)} was asked for", length > 0 ? $"run it with epsilon {Text(length)}, or without epsilon" : "run it without epsilon"));
            }
        }

        if (Requirements.FirstOrDefault(requirement => requirement.Length is null) is { } median)
        {
            throw new BadInputException(Only($"the threshold '{median}' needs the smallest length for each image", "run it without epsilon, or set a threshold of the accuracy"));
        }

        // Levels of 8-bit pixels are written as users write them.
        string Text(double length) => smallest is { Norm: "linf", Space: InputSpaces.Pixel } && length * Levels is var level && Math.Abs(level - Math.Round(level)) < 1e-9 && length > 0
            ? string.Create(CultureInfo.InvariantCulture, $"{level:F0}/{Levels}")
            : length.ToString("G4", CultureInfo.InvariantCulture);
    }

    /// <summary>Checks the measured robustness, and prints on the error stream the thresholds that are not met and notes about those that are met by little.</summary>
    /// <param name="robustness">The robustness.</param>
    /// <param name="error">The error stream.</param>
    /// <returns>The exit code.</returns>
    public int Check(Robustness robustness, TextWriter error)
    {
        var checks = Requirements.Select(requirement => requirement.Check(robustness, AllowUnattacked)).ToArray();
        foreach (var (met, sentence) in checks.Where(check => check.Sentence is not null))
        {
            error.WriteLine($"brink: {(met ? "note: " : "")}{sentence}");
        }

        return Array.TrueForAll(checks, check => check.Met) ? ExitCode.Done : ExitCode.ThresholdNotMet;
    }

    private static IEnumerable<double> Numbers(string? list) => list is null ? [] : list.Split(',').Select(text =>
        RealNumber.TryParse(text, out var number) && number >= 0
            ? number
            : throw new BadInputException($"The flag --at takes lengths separated by commas, such as 0.25,0.5 or 4/255,8/255, but '{list}' was given."));
}
