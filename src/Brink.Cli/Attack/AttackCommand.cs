using System.CommandLine;
using System.Globalization;
using System.Runtime.ExceptionServices;
using Brink.Cli.Running;
using Brink.Evaluation.Output;
using Brink.Evaluation.Reports;
using Brink.Evaluation.Results;
using Brink.Evaluation.Running;
using Brink.Evaluation.Settings;

namespace Brink.Cli.Attack;

/// <summary><c>brink attack</c>: attacks every image of a set that the network gets right.</summary>
internal static class AttackCommand
{
    public static Command Create(TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var options = new AttackOptions();
        var command = new Command("attack", "Find, for each image, a small change that makes the network wrong. Without --model and --data it attacks the embedded network on its traffic signs.");
        foreach (var option in options.All)
        {
            command.Add(option);
        }

        command.SetAction(parsed => Run(parsed, options, output, error, cancellationToken));
        return command;
    }

    private static int Run(ParseResult parsed, AttackOptions options, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        // Everything that can be wrong is found out before the first pass: attack, data, network, folder.
        var configured = AttackCatalog.Create(parsed.GetValue(options.Attack)!, Settings(parsed, options));
        var bars = Bars.Parse(parsed, options);
        using var input = RunInput.Open(parsed, options.Run, cancellationToken);
        var evaluation = new AttackEvaluation(input.Model, configured.Attack, input.BatchSize, input.Device);
        var run = input.Describe(configured) with { RobustAt = bars.Lengths };
        var folder = parsed.GetValue(options.Run.Out) is { } path ? RunFolder.Open(path, run, input.Network, input.Images, parsed.GetValue(options.Run.Resume)) : null;
        if (folder?.Finished is { } finished)
        {
            var robustness = Robustness.Of(folder);
            Print(folder.Rewrite(finished with { RobustAccuracy = bars.Lengths.Count == 0 ? finished.RobustAccuracy : robustness.AccuraciesAt(bars.Lengths) }), folder);
            if (!File.Exists(Path.Combine(folder.Folder, ReportFile.Name)))
            {
                ReportFile.Write([folder.Folder]);
            }

            return bars.Judge(robustness, error);
        }

        var silent = parsed.GetValue(options.Run.Quiet);
        using var result = ProgressDisplay.Run(error, silent, progress => evaluation.Run(input.Images, progress, folder, cancellationToken));

        var summary = AttackSummary.Of(run, result);
        var written = false;
        try
        {
            if (folder is not null && result.Images.Count > 0)
            {
                folder.Write(summary, result);
                written = true;
                ReportFile.Write([folder.Folder]);
            }
        }
        finally
        {
            // Neither a disk that filled up during the run nor a report that fails must take the figures with it.
            Print(summary, written ? folder : null);
        }

        if (result.Failure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        if (result.IsComplete)
        {
            return bars.Judge(Robustness.Of(run.Norm, result.Images), error);
        }

        if (written && !parsed.GetValue(options.Run.Json))
        {
            output.WriteLine("The same command with --resume continues the run.");
        }

        return ExitCode.Cancelled;

        void Print(AttackSummary figures, RunFolder? filed)
        {
            if (parsed.GetValue(options.Run.Json))
            {
                output.WriteLine(ResultFolder.ToJson(figures));
            }
            else
            {
                SummaryTable.Write(output, figures, filed?.Folder);
            }
        }
    }

    /// <summary>The attack's settings that were given as flags of their own.</summary>
    private static Dictionary<string, string> Settings(ParseResult parsed, AttackOptions options)
    {
        var flags = new (string Key, string? Value)[]
        {
            ("norm", parsed.GetValue(options.Run.Norm)),
            ("target", parsed.GetValue(options.Run.Target)),
            ("radius", parsed.GetValue(options.Radius)),
            ("refine", parsed.GetValue(options.Refine)?.ToString(CultureInfo.InvariantCulture)),
            ("preset", parsed.GetValue(options.Preset)),
            ("epsilon", parsed.GetValue(options.Epsilon)),
            ("seed", parsed.GetValue(options.Run.Seed)?.ToString(CultureInfo.InvariantCulture)),
            ("max-iterations", parsed.GetValue(options.Iterations)?.ToString(CultureInfo.InvariantCulture)),
            ("objective", parsed.GetValue(options.Objective)),
        };
        return flags.Where(flag => flag.Value is not null).ToDictionary(flag => flag.Key, flag => flag.Value!, StringComparer.Ordinal);
    }
}
