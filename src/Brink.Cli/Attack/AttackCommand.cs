using System.CommandLine;
using System.Globalization;
using System.Runtime.ExceptionServices;
using Brink.Cli.Inputs;
using Brink.Cli.Report;
using Brink.Cli.Terminal;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;

namespace Brink.Cli.Attack;

/// <summary><c>brink attack</c>: attacks all images of a data set that the model classifies correctly.</summary>
internal static class AttackCommand
{
    public static Command Create(TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var options = new AttackOptions();
        var command = new Command("attack", "Find a small adversarial perturbation for each image, and report its length. Without --model and --data, the embedded model and its traffic signs are used.");
        foreach (var option in options.All)
        {
            command.Add(option);
        }

        command.SetAction(parsed => Run(parsed, options, output, error, cancellationToken));
        return command;
    }

    private static int Run(ParseResult parsed, AttackOptions options, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        // Attack, data, model and folder are all checked before the first pass, so that no time is lost on invalid input.
        ConfiguredAttack Configure(IReadOnlyList<string>? classNames)
        {
            var attack = AttackCatalog.Create(parsed.GetValue(options.Attack)!, Settings(parsed, options), classNames);
            return parsed.GetValue(options.Quantized) ? attack.Quantized() : attack;
        }

        var configured = Configure(null);
        var png = parsed.GetValue(options.Png);
        if (png && parsed.GetValue(options.Run.Out) is null)
        {
            throw new BadInputException("The flag --png needs a folder for the files, but none was given; add --out FOLDER.");
        }

        var thresholds = Thresholds.Parse(parsed, options.Thresholds);
        using var input = RunInput.Open(parsed, options.Run, classNames => [configured = Configure(classNames)], thresholds.AllLengths, cancellationToken);
        var evaluation = new AttackEvaluation(input.Model, configured.Attack, input.BatchSize, input.Device, configured.Criterion, configured.MaxPasses) { OpenStartingImages = input.OpenStartingImages };
        var run = input.Describe(configured) with { RobustAt = thresholds.Lengths };
        thresholds.CheckCovered([run]);
        var folder = parsed.GetValue(options.Run.Out) is { } path ? RunFolder.Open(path, run, input.Loaded, input.Images, parsed.GetValue(options.Run.Resume)) : null;

        // Null if the folder contains the finished run.
        using var result = folder?.Finished is null
            ? ProgressDisplay.Run(error, parsed.GetValue(options.Run.Quiet), progress => evaluation.Run(input.Images, progress, folder, cancellationToken))
            : null;

        var robustness = result is null ? ReadRobustness(folder!) : Robustness.Of(run, result.Images);
        var summary = result is null ? folder!.Finished! : AttackSummary.Of(run, result);
        var stored = result is null;
        try
        {
            if (folder is not null && result is { Images.Count: > 0 })
            {
                summary = folder.Write(summary, result);
                stored = true;
            }

            if (stored)
            {
                summary = Complete(folder!, summary);
            }
        }
        finally
        {
            // The results are printed even if the disk is full or the report fails.
            Print(summary, stored ? folder : null);
        }

        if (result?.Failure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        if (result is null or { IsComplete: true })
        {
            return thresholds.Requirements.Count == 0 ? ExitCode.Done : thresholds.Check(robustness, error);
        }

        if (stored && !parsed.GetValue(options.Run.Json))
        {
            output.WriteLine("The same command with --resume continues the run.");
        }

        return ExitCode.Cancelled;

        // Adds the parts of the results that are computed from the stored run, also if the run was finished by an earlier command.
        AttackSummary Complete(RunFolder written, AttackSummary results)
        {
            // The summary of a new run contains these numbers already.
            results = result is null ? results.Updated(robustness, thresholds.Lengths) : results;

            if (png)
            {
                using var saved = SavedRun.Read(written.Folder);
                results = results with { Rounded = PictureExport.Write(saved, input.Model, input.Device) };
            }

            written.Rewrite(results);
            if (!File.Exists(Path.Combine(written.Folder, ReportFile.Name)))
            {
                ReportFile.Write([written.Folder]);
            }

            return results;
        }

        void Print(AttackSummary results, RunFolder? written)
        {
            if (parsed.GetValue(options.Run.Json))
            {
                output.WriteLine(ResultFolder.ToJson(results));
            }
            else
            {
                SummaryTable.Write(output, results, written?.Folder);
            }
        }
    }

    private static Robustness ReadRobustness(RunFolder finished)
    {
        using var saved = SavedRun.Read(finished.Folder);
        return saved.ReadRobustness();
    }

    /// <summary>Returns the settings of the attack that are given as flags, as options of the attack catalogue.</summary>
    private static Dictionary<string, string> Settings(ParseResult parsed, AttackOptions options)
    {
        var settings = options.Run.AttackSettings(parsed);
        foreach (var (key, value) in new[]
        {
            ("radius", parsed.GetValue(options.Radius)),
            ("effort", parsed.GetValue(options.Effort)),
            ("refine", parsed.GetValue(options.Refine)?.ToString(CultureInfo.InvariantCulture)),
            ("preset", parsed.GetValue(options.Preset)),
            ("epsilon", parsed.GetValue(options.Epsilon)),
            ("max-iterations", parsed.GetValue(options.Iterations)?.ToString(CultureInfo.InvariantCulture)),
            ("objective", parsed.GetValue(options.Objective)),
        })
        {
            if (value is not null)
            {
                settings.Add(key, value);
            }
        }

        return settings;
    }
}
