using System.CommandLine;
using Brink.Cli.Terminal;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Results;

namespace Brink.Cli.Attack;

/// <summary>What <c>--at</c> and <c>--require</c> ask of a run.</summary>
/// <param name="Lengths">The lengths of <c>--at</c>; empty where it is not given.</param>
/// <param name="Requirements">The bars.</param>
internal sealed record Bars(IReadOnlyList<double> Lengths, IReadOnlyList<Requirement> Requirements)
{
    /// <exception cref="BadInputException">A length or a bar cannot be read.</exception>
    public static Bars Parse(ParseResult parsed, AttackOptions options) =>
        new([.. Numbers(parsed.GetValue(options.At)).Distinct().Order()], [.. (parsed.GetValue(options.Require) ?? []).Select(Requirement.Parse)]);

    /// <summary>Says on the error stream which bars a run does not meet.</summary>
    /// <returns>The exit code.</returns>
    public int Judge(Robustness robustness, TextWriter error)
    {
        var unmet = Requirements.Select(requirement => requirement.Unmet(robustness)).OfType<string>().ToArray();
        foreach (var sentence in unmet)
        {
            error.WriteLine($"brink: {sentence}");
        }

        return unmet.Length == 0 ? ExitCode.Done : ExitCode.RequirementNotMet;
    }

    private static IEnumerable<double> Numbers(string? list) => list is null ? [] : list.Split(',').Select(text =>
        RealNumber.TryParse(text, out var number) && number >= 0
            ? number
            : throw new BadInputException($"The flag --at takes lengths separated by commas, such as 0.25,0.5 or 4/255,8/255, but '{list}' was given."));
}
