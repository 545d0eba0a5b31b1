using System.CommandLine;
using System.Globalization;
using System.Runtime.ExceptionServices;
using Brink.Cli.Running;
using Brink.Evaluation.Output;
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
        using var input = RunInput.Open(parsed, options.Run);
        var evaluation = new AttackEvaluation(input.Model, configured.Attack, input.BatchSize, input.Device);
        var folder = parsed.GetValue(options.Run.Out);
        if (folder is not null)
        {
            ResultFolder.Prepare(folder);
        }

        var silent = parsed.GetValue(options.Run.Quiet);
        using var result = ProgressDisplay.Run(error, silent, progress => evaluation.Run(input.Images, progress, cancellationToken));

        var summary = AttackSummary.Of(input.Describe(configured), result);
        var written = false;
        try
        {
            if (folder is not null && result.Images.Count > 0)
            {
                ResultFolder.Write(folder, summary, result);
                written = true;
            }
        }
        finally
        {
            // A disk that filled up during the run must not take the figures with it.
            if (parsed.GetValue(options.Run.Json))
            {
                output.WriteLine(ResultFolder.ToJson(summary));
            }
            else
            {
                SummaryTable.Write(output, summary, written ? folder : null);
            }
        }

        if (result.Failure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        return result.IsComplete ? ExitCode.Done : ExitCode.Cancelled;
    }

    /// <summary>The attack's settings that were given as flags of their own.</summary>
    private static Dictionary<string, string> Settings(ParseResult parsed, AttackOptions options)
    {
        var flags = new (string Key, string? Value)[]
        {
            ("norm", parsed.GetValue(options.Run.Norm)),
            ("target", parsed.GetValue(options.Run.Target)),
            ("radius", parsed.GetValue(options.Radius)),
            ("preset", parsed.GetValue(options.Preset)),
            ("max-iterations", parsed.GetValue(options.Iterations)?.ToString(CultureInfo.InvariantCulture)),
            ("objective", parsed.GetValue(options.Objective)),
        };
        return flags.Where(flag => flag.Value is not null).ToDictionary(flag => flag.Key, flag => flag.Value!, StringComparer.Ordinal);
    }
}
