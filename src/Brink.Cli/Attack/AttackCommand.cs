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
        if (parsed.GetValue(options.Quantized))
        {
            configured = configured.Quantized();
        }

        var png = parsed.GetValue(options.Png);
        if (png && parsed.GetValue(options.Run.Out) is null)
        {
            throw new BadInputException("Pictures need a folder, but none was given; add --out FOLDER.");
        }

        var bars = Bars.Parse(parsed, options);
        using var input = RunInput.Open(parsed, options.Run, cancellationToken);
        var evaluation = new AttackEvaluation(input.Model, configured.Attack, input.BatchSize, input.Device);
        var run = input.Describe(configured) with { RobustAt = bars.Lengths };
        var folder = parsed.GetValue(options.Run.Out) is { } path ? RunFolder.Open(path, run, input.Network, input.Images, parsed.GetValue(options.Run.Resume)) : null;
        using var result = folder?.Finished is null
            ? ProgressDisplay.Run(error, parsed.GetValue(options.Run.Quiet), progress => evaluation.Run(input.Images, progress, folder, cancellationToken))
            : null;

        var summary = result is null ? folder!.Finished! : AttackSummary.Of(run, result);
        var filed = result is null;
        try
        {
            if (folder is not null && result is { Images.Count: > 0 })
            {
                folder.Write(summary, result);
                filed = true;
            }

            if (filed)
            {
                summary = Complete(folder!, summary);
            }
        }
        finally
        {
            // Neither a disk that filled up during the run nor a report that fails must take the figures with it.
            Print(summary, filed ? folder : null);
        }

        if (result?.Failure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        if (result is null or { IsComplete: true })
        {
            return bars.Requirements.Count == 0 ? ExitCode.Done : bars.Judge(result is null ? Measured(folder!) : Robustness.Of(run.Norm, result.Images), error);
        }

        if (filed && !parsed.GetValue(options.Run.Json))
        {
            output.WriteLine("The same command with --resume continues the run.");
        }

        return ExitCode.Cancelled;

        static Robustness Measured(RunFolder finished)
        {
            using var saved = SavedRun.Read(finished.Folder);
            return saved.ReadRobustness();
        }

        // What is made of a run that is on disk, also of one that was finished long ago.
        AttackSummary Complete(RunFolder written, AttackSummary figures)
        {
            // A run that was just made has been asked already.
            if (result is null && bars.Lengths.Count > 0)
            {
                using var saved = SavedRun.Read(written.Folder);
                figures = figures with { RobustAccuracy = saved.ReadRobustness().AccuraciesAt(bars.Lengths) };
            }

            if (png)
            {
                using var saved = SavedRun.Read(written.Folder);
                figures = figures with { Rounded = PictureExport.Write(saved, input.Model, input.Device) };
            }

            written.Rewrite(figures);
            if (!File.Exists(Path.Combine(written.Folder, ReportFile.Name)))
            {
                ReportFile.Write([written.Folder]);
            }

            return figures;
        }

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
