using System.CommandLine;
using System.Runtime.ExceptionServices;
using Brink.Cli.Inputs;
using Brink.Cli.Terminal;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using Brink.Reports.Figures;

namespace Brink.Cli.Compare;

/// <summary><c>brink compare</c>: runs several attacks over the same images, or reads earlier runs, and compares the results in one table.</summary>
internal static class CompareCommand
{
    public static Command Create(TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var options = new CompareOptions();
        var command = new Command("compare", "Run several attacks over the same images, or take earlier runs, and print perturbations, passes, times and the worst case over all attacks.") { options.Runs };
        foreach (var option in options.All)
        {
            command.Add(option);
        }

        command.SetAction(parsed => parsed.GetValue(options.Runs)! is { Length: > 0 } folders && parsed.GetValue(options.Attacks) is null
            ? RunSaved(parsed, options, folders, output, error)
            : Run(parsed, options, output, error, cancellationToken));
        return command;
    }

    /// <summary>Compares earlier runs without an attack.</summary>
    private static int RunSaved(ParseResult parsed, CompareOptions options, string[] folders, TextWriter output, TextWriter error)
    {
        if (options.OfAttacks.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } superfluous)
        {
            throw new BadInputException($"Only runs in folders are compared, with their own settings, but the flag {superfluous.Name} was given, which is one of attacks; remove it, or add --attacks LIST.");
        }

        TorchLibrary.Require();
        ComputeDevice.Set("cpu", parsed.GetValue(options.Run.Threads));
        var thresholds = Thresholds.Parse(parsed, options.Thresholds);
        var outFolder = parsed.GetValue(options.Run.Out);
        var runs = EarlierRuns.Read(folders, [], outFolder).Runs;
        thresholds.CheckCovered([.. runs.Select(run => run.Run)]);
        var filed = EnvelopeFile.Read(parsed.GetValue(options.Envelopes) ?? [], runs[0].Run, runs[0].Images[0].Index, runs[0].Images[^1].Index);
        if (outFolder is not null)
        {
            ResultFolder.Prepare(outFolder);
        }

        Publish(parsed, options, Comparison.Of(runs, runs.Count, thresholds.Lengths, filed), runs, [], output);
        return thresholds.Check(new(runs), error);
    }

    private static int Run(ParseResult parsed, CompareOptions options, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        // Attacks, data, model and folders are all checked before the first pass, so that no time is lost on invalid input.
        IReadOnlyList<ListedAttack> Listed(IReadOnlyList<string>? classNames) => AttackList.Create(parsed.GetValue(options.Attacks) ?? CompareOptions.DefaultAttacks, options.Run.AttackSettings(parsed, Norm.L2.Name), classNames);
        var attacks = Listed(null);
        var thresholds = Thresholds.Parse(parsed, options.Thresholds);
        using var input = RunInput.Open(parsed, options.Run, classNames => [.. (attacks = Listed(classNames)).Select(attack => attack.Configured)], thresholds.AllLengths, cancellationToken);
        RunDescription[] descriptions = [.. attacks.Select(attack => input.Describe(attack.Configured) with { RobustAt = thresholds.Lengths })];
        var outFolder = parsed.GetValue(options.Run.Out);
        var earlier = EarlierRuns.Read(parsed.GetValue(options.Runs)!, [.. attacks.Select(attack => attack.Specification)], outFolder);
        earlier.CheckAgainst(descriptions[0], input, attacks.Where(_ => outFolder is not null).Select(attack => Path.Combine(outFolder!, attack.Folder)));
        thresholds.CheckCovered([.. earlier.Runs.Select(run => run.Run), .. descriptions]);
        var filed = EnvelopeFile.Read(parsed.GetValue(options.Envelopes) ?? [], descriptions[0], input.Images.FirstIndex, (long)input.Images.FirstIndex + input.Images.Count - 1);
        var jobs = attacks.Select(attack => new AttackEvaluation(input.Model, attack.Configured.Attack, input.BatchSize, input.Device, attack.Configured.Criterion, attack.Configured.MaxPasses) { OpenStartingImages = input.OpenStartingImages }).ToArray();
        var folders = attacks
            .Select((attack, number) => outFolder is null ? null : RunFolder.Open(Path.Combine(outFolder, attack.Folder), descriptions[number], input.Loaded, input.Images, parsed.GetValue(options.Run.Resume)))
            .ToArray();

        if (outFolder is not null)
        {
            ResultFolder.Prepare(outFolder);
        }

        if (Array.Exists(folders, folder => folder?.Finished is null))
        {
            jobs[0].WarmUp(input.Images);
        }

        var finished = new List<ComparedRun>();
        ComparedRun[] Compared() => [.. earlier.Runs, .. finished];
        try
        {
            for (var number = 0; number < attacks.Count && RunOne(number) is { } run; number++)
            {
                finished.Add(run);
            }
        }
        finally
        {
            // The results of finished attacks are written even if a later one fails.
            if (finished.Count > 0)
            {
                Publish(parsed, options, Comparison.Of(Compared(), earlier.Runs.Count + attacks.Count, thresholds.Lengths, filed), Compared(), [.. attacks.Take(finished.Count).Select(attack => attack.Folder)], output);
            }
        }

        if (finished.Count == attacks.Count)
        {
            return thresholds.Check(new(Compared()), error);
        }

        if (!parsed.GetValue(options.Run.Json))
        {
            output.WriteLine(finished.Count == 0 ? "The comparison was cancelled before the first attack was finished." : "The comparison was cancelled.");
            if (outFolder is not null)
            {
                output.WriteLine("The same command with --resume continues the comparison.");
            }
        }

        return ExitCode.Cancelled;

        // Returns null if the attack was cancelled.
        ComparedRun? RunOne(int number)
        {
            var (attack, folder, run) = (attacks[number], folders[number], descriptions[number]);
            if (folder?.Finished is { } earlierSummary)
            {
                using var saved = SavedRun.Read(folder.Folder);
                var compared = saved.Compared(attack.Specification, attack.Folder) with { Run = run };
                folder.Rewrite(earlierSummary.Updated(new([compared]), thresholds.Lengths));
                return compared;
            }

            using var result = ProgressDisplay.Run(error, parsed.GetValue(options.Run.Quiet), progress => jobs[number].Run(input.Images, progress, folder, cancellationToken), attack.Specification);
            if (folder is not null && result.Images.Count > 0)
            {
                folder.Write(AttackSummary.Of(run, result), result);
            }

            if (result.Failure is { } failure)
            {
                ExceptionDispatchInfo.Throw(failure);
            }

            return result.IsComplete ? new(attack.Specification, attack.Folder, run, [.. result.Images.Select(image => ComparedImage.Of(image, run.Norm))], result.Seconds) : null;
        }
    }

    /// <summary>Writes the files of a comparison, and prints it.</summary>
    /// <param name="parsed">The parsed command line.</param>
    /// <param name="options">The flags.</param>
    /// <param name="comparison">The comparison.</param>
    /// <param name="runs">Its runs.</param>
    /// <param name="subfolders">The run folders in the folder of the comparison.</param>
    /// <param name="output">The standard output.</param>
    private static void Publish(ParseResult parsed, CompareOptions options, Comparison comparison, IReadOnlyList<ComparedRun> runs, IReadOnlyList<string> subfolders, TextWriter output)
    {
        var outFolder = parsed.GetValue(options.Run.Out);
        IReadOnlyList<string> files = [];
        try
        {
            if (outFolder is not null)
            {
                var (times, optimality) = (TimeAgainstPerturbation.Of(comparison), OptimalityAgainstPasses.Of(comparison));
                files = ComparisonFolder.Write(
                    outFolder,
                    comparison,
                    times is null ? null : (times.ToSvg(), times.ToPng()),
                    optimality is null ? null : (optimality.ToSvg(), optimality.ToPng()),
                    EnvelopeFile.ToJson(runs));
            }
        }
        finally
        {
            if (parsed.GetValue(options.Run.Json))
            {
                output.WriteLine(ComparisonFolder.ToJson(comparison));
            }
            else
            {
                ComparisonTable.Write(output, comparison);
                if (files.Count > 0)
                {
                    output.WriteLine($"Written to {outFolder}:{Environment.NewLine}{string.Join(", ", files)}{(subfolders.Count > 0 ? "; " : "")}{string.Join(", ", subfolders)}");
                }
            }
        }
    }
}

/// <summary>The arguments and flags of <c>brink compare</c>.</summary>
internal sealed class CompareOptions
{
    /// <summary>The attacks that are run if neither attacks nor runs are given.</summary>
    public const string DefaultAttacks = "tr,deepfool,ifgsm";

    public CompareOptions()
    {
        Run.Norm.Description = "The norm that measures perturbations: l2, linf or l1 (brink attacks lists those of each attack). [default: l2]";
        Run.Out.Description = "The folder for comparison.json, envelope.json, the figures as SVG and PNG, and one run folder per attack.";
        Run.Json.Description = "Print comparison.json instead of the table.";
    }

    public RunOptions Run { get; } = new();

    public Argument<string[]> Runs { get; } = new("RUN") { Description = "Run folders of earlier attacks, or folders of comparisons, that take part with their results. Without --attacks, no attack is run.", Arity = ArgumentArity.ZeroOrMore };

    public Option<string?> Attacks { get; } = new("--attacks") { Description = $"The attacks, separated by commas, with options in brackets: tr[radius=0.05],cw[max-iterations=1000]. [default: {DefaultAttacks}; with run folders: none]", HelpName = "LIST" };

    public Option<string[]> Envelopes { get; } = new("--envelope") { Description = "A JSON file with the lengths that other attacks found for each image, such as the envelope.json of a comparison; it enters the local optimality (LO). May be repeated.", HelpName = "FILE" };

    public ThresholdOptions Thresholds { get; } = new();

    public IEnumerable<Option> All => [.. Run.ModelAndData, Attacks, Envelopes, .. Run.Goal, .. Thresholds.All, .. Run.ComputationAndOutput];

    /// <summary>The flags that determine attacks, and have no meaning without one.</summary>
    public IEnumerable<Option> OfAttacks => [.. Run.ModelAndData, .. Run.Goal, .. Run.ComputationAndOutput.Except([Run.Out, Run.Json, Run.Quiet, Run.Threads])];
}
