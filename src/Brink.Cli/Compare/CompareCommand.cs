using System.CommandLine;
using System.Runtime.ExceptionServices;
using Brink.Cli.Inputs;
using Brink.Cli.Terminal;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using Brink.Reports.Figures;

namespace Brink.Cli.Compare;

/// <summary><c>brink compare</c>: runs several attacks over the same images and compares the results in one table.</summary>
internal static class CompareCommand
{
    public static Command Create(TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var options = new CompareOptions();
        var command = new Command("compare", "Run several attacks over the same images, and print perturbations, passes, times and the worst case over all attacks.");
        foreach (var option in options.All)
        {
            command.Add(option);
        }

        command.SetAction(parsed => Run(parsed, options, output, error, cancellationToken));
        return command;
    }

    private static int Run(ParseResult parsed, CompareOptions options, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        // Attacks, data, model and folders are all checked before the first pass, so that no time is lost on invalid input.
        IReadOnlyList<ListedAttack> Listed(IReadOnlyList<string>? classNames) => AttackList.Create(parsed.GetValue(options.Attacks)!, options.Run.AttackSettings(parsed, Norm.L2.Name), classNames);
        var attacks = Listed(null);
        var thresholds = Thresholds.Parse(parsed, options.Thresholds);
        using var input = RunInput.Open(parsed, options.Run, classNames => [.. (attacks = Listed(classNames)).Select(attack => attack.Configured)], thresholds.AllLengths, cancellationToken);
        RunDescription[] descriptions = [.. attacks.Select(attack => input.Describe(attack.Configured) with { RobustAt = thresholds.Lengths })];
        thresholds.CheckCovered(descriptions);
        var jobs = attacks.Select(attack => new AttackEvaluation(input.Model, attack.Configured.Attack, input.BatchSize, input.Device, attack.Configured.Criterion)).ToArray();
        var outFolder = parsed.GetValue(options.Run.Out);
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
                Publish(Comparison.Of(finished, attacks.Count, thresholds.Lengths));
            }
        }

        if (finished.Count == attacks.Count)
        {
            return thresholds.Check(new(finished), error);
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
            if (folder?.Finished is { } earlier)
            {
                using var saved = SavedRun.Read(folder.Folder);
                var compared = saved.Compared(attack.Specification, attack.Folder) with { Run = run };
                folder.Rewrite(earlier.Updated(new([compared]), thresholds.Lengths));
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

        void Publish(Comparison comparison)
        {
            var files = Array.Empty<string>();
            try
            {
                if (outFolder is not null)
                {
                    var figure = TimeAgainstPerturbation.Of(comparison);
                    files = [.. ComparisonFolder.Write(outFolder, comparison, figure is null ? null : (figure.ToSvg(), figure.ToPng()))];
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
                    if (files.Length > 0)
                    {
                        output.WriteLine($"Written to {outFolder}:{Environment.NewLine}{string.Join(", ", files)}; {string.Join(", ", comparison.Attacks.Select(attack => attack.Folder))}");
                    }
                }
            }
        }
    }
}

/// <summary>The flags of <c>brink compare</c>.</summary>
internal sealed class CompareOptions
{
    public CompareOptions()
    {
        Run.Norm.Description = "The norm that measures perturbations: l2 or linf. [default: l2]";
        Run.Out.Description = "The folder for comparison.json, the figure as SVG and PNG, and one run folder per attack.";
        Run.Json.Description = "Print comparison.json instead of the table.";
    }

    public RunOptions Run { get; } = new();

    public Option<string> Attacks { get; } = new("--attacks") { Description = "The attacks, separated by commas, with options in brackets: tr[radius=0.05],cw[max-iterations=1000].", DefaultValueFactory = _ => "tr,deepfool,ifgsm", HelpName = "LIST" };

    public ThresholdOptions Thresholds { get; } = new();

    public IEnumerable<Option> All => [.. Run.ModelAndData, Attacks, .. Run.Goal, .. Thresholds.All, .. Run.ComputationAndOutput];
}
