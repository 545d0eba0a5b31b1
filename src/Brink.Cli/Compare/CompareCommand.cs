using System.CommandLine;
using System.Globalization;
using System.Runtime.ExceptionServices;
using Brink.Cli.Inputs;
using Brink.Cli.Terminal;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using Brink.Reports.Figures;

namespace Brink.Cli.Compare;

/// <summary><c>brink compare</c>: several attacks over the same images, one table.</summary>
internal static class CompareCommand
{
    public static Command Create(TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var options = new CompareOptions();
        var command = new Command("compare", "Run several attacks over the same images and put what they found, and what it cost, into one table.");
        foreach (var option in options.All)
        {
            command.Add(option);
        }

        command.SetAction(parsed => Run(parsed, options, output, error, cancellationToken));
        return command;
    }

    private static int Run(ParseResult parsed, CompareOptions options, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        // Everything that can be wrong is found out before the first pass: attacks, data, network, folders.
        var attacks = AttackList.Create(parsed.GetValue(options.Attacks)!, Settings(parsed, options));
        using var input = RunInput.Open(parsed, options.Run, cancellationToken);
        var jobs = attacks.Select(attack => new AttackEvaluation(input.Model, attack.Configured.Attack, input.BatchSize, input.Device)).ToArray();
        var outFolder = parsed.GetValue(options.Run.Out);
        var folders = attacks
            .Select(attack => outFolder is null ? null : RunFolder.Open(Path.Combine(outFolder, attack.Folder), input.Describe(attack.Configured), input.Network, input.Images, parsed.GetValue(options.Run.Resume)))
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
            // Hours of finished attacks must not go with the one that failed.
            if (finished.Count > 0)
            {
                Publish(Comparison.Of(finished, attacks.Count));
            }
        }

        if (finished.Count == attacks.Count)
        {
            return ExitCode.Done;
        }

        if (!parsed.GetValue(options.Run.Json))
        {
            output.WriteLine(finished.Count == 0 ? "The comparison was cancelled before its first attack was finished." : "The comparison was cancelled.");
            if (outFolder is not null)
            {
                output.WriteLine("The same command with --resume continues it.");
            }
        }

        return ExitCode.Cancelled;

        // Null where the attack was cancelled.
        ComparedRun? RunOne(int number)
        {
            var (attack, folder) = (attacks[number], folders[number]);
            var run = input.Describe(attack.Configured);
            if (folder?.Finished is { } earlier)
            {
                using var saved = SavedRun.Read(folder.Folder);
                return new(attack.Specification, attack.Folder, run, saved.Compared(), earlier.Seconds);
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

            return result.IsComplete ? new(attack.Specification, attack.Folder, run, [.. result.Images.Select(ComparedImage.Of)], result.Seconds) : null;
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

    /// <summary>The settings that are the same for all attacks. Their own norms differ, so here one is the default.</summary>
    private static Dictionary<string, string> Settings(ParseResult parsed, CompareOptions options)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["norm"] = parsed.GetValue(options.Run.Norm) ?? Norm.L2.Name };
        if (parsed.GetValue(options.Run.Target) is { } target)
        {
            settings["target"] = target;
        }

        if (parsed.GetValue(options.Run.Seed) is { } seed)
        {
            settings["seed"] = seed.ToString(CultureInfo.InvariantCulture);
        }

        return settings;
    }
}
