using System.CommandLine;
using Brink.Cli.Terminal;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Results;

namespace Brink.Cli.Attack;

/// <summary>The lengths of <c>--at</c> and the thresholds of <c>--require</c>.</summary>
/// <param name="Lengths">The lengths at which the robust accuracy is reported, in ascending order; empty without <c>--at</c>.</param>
/// <param name="Requirements">The thresholds; empty without <c>--require</c>.</param>
internal sealed record Thresholds(IReadOnlyList<double> Lengths, IReadOnlyList<Requirement> Requirements)
{
    /// <summary>Parses both flags.</summary>
    /// <exception cref="BadInputException">A length or a threshold cannot be parsed.</exception>
    public static Thresholds Parse(ParseResult parsed, AttackOptions options) =>
        new([.. Numbers(parsed.GetValue(options.At)).Distinct().Order()], [.. (parsed.GetValue(options.Require) ?? []).Select(Requirement.Parse)]);

    /// <summary>Checks a run and prints the thresholds that it does not meet on the error stream.</summary>
    /// <param name="robustness">The robustness measured by the run.</param>
    /// <param name="error">The error stream.</param>
    /// <returns>The exit code.</returns>
    public int Check(Robustness robustness, TextWriter error)
    {
        var unmet = Requirements.Select(requirement => requirement.Unmet(robustness)).OfType<string>().ToArray();
        foreach (var sentence in unmet)
        {
            error.WriteLine($"brink: {sentence}");
        }

        return unmet.Length == 0 ? ExitCode.Done : ExitCode.ThresholdNotMet;
    }

    private static IEnumerable<double> Numbers(string? list) => list is null ? [] : list.Split(',').Select(text =>
        RealNumber.TryParse(text, out var number) && number >= 0
            ? number
            : throw new BadInputException($"The flag --at takes lengths separated by commas, such as 0.25,0.5 or 4/255,8/255, but '{list}' was given."));
}
