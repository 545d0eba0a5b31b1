using System.CommandLine;
using Brink.Cli.Inputs;
using Brink.Cli.Terminal;
using Brink.Data;
using Brink.Evaluation.Runs;
using Brink.Evaluation.Transfer;
using Brink.Models;
using TorchSharp;

namespace Brink.Cli.Transfer;

/// <summary><c>brink transfer</c>: shows the adversarial images of runs to other networks.</summary>
internal static class TransferCommand
{
    public static Command Create(TextWriter output, CancellationToken cancellationToken)
    {
        var options = new TransferOptions();
        var command = new Command("transfer", "Show the adversarial images of runs to other networks, and count how many fool those too.") { options.Runs };
        foreach (var option in options.All)
        {
            command.Add(option);
        }

        command.SetAction(parsed => Run(parsed, options, output, cancellationToken));
        return command;
    }

    private static int Run(ParseResult parsed, TransferOptions options, TextWriter output, CancellationToken cancellationToken)
    {
        TorchLibrary.Require();
        var device = ComputeDevice.Set(parsed.GetValue(options.Device)!, parsed.GetValue(options.Threads));
        var batchSize = parsed.GetValue(options.BatchSize) ?? AttackEvaluation.DefaultBatchSize;
        var targets = parsed.GetValue(options.Models)!.Select(Target).ToArray();

        var models = new List<LoadedModel>();
        try
        {
            foreach (var (_, name, weights) in targets)
            {
                models.Add(ModelCatalog.Load(name, weights is null ? null : DataLocations.Resolve(weights)));
                models[^1].Module.to(device);
            }

            var evaluations = models.Select(model => new TransferEvaluation(model, batchSize, device)).ToArray();
            var rows = parsed.GetValue(options.Runs)!.Select(folder => Show(folder, evaluations, cancellationToken)).ToArray();
            var matrix = new TransferMatrix
            {
                Runs = [.. rows.Select(row => row.Source)],
                Models = [.. targets.Select(target => new TransferTarget(targets.Count(other => other.Name == target.Name) == 1 ? target.Name : target.Text, target.Weights ?? "embedded"))],
                Counts = [.. rows.Select(row => row.Counts)],
            };
            Print(matrix);
            return ExitCode.Done;
        }
        finally
        {
            models.ForEach(model => model.Dispose());
        }

        void Print(TransferMatrix matrix)
        {
            if (parsed.GetValue(options.Json))
            {
                output.WriteLine(matrix.ToJson());
            }
            else
            {
                TransferTable.Write(output, matrix);
            }
        }
    }

    private static (TransferSource Source, TransferCount[] Counts) Show(string folder, TransferEvaluation[] evaluations, CancellationToken cancellationToken)
    {
        using var run = SavedRun.Read(folder);
        return (TransferSource.Of(run), [.. evaluations.Select(evaluation => evaluation.Run(run, cancellationToken))]);
    }

    private static (string Text, string Name, string? Weights) Target(string text) => text.Split('=', 2) is [var name, var weights] ? (text, name, weights) : (text, text, null);
}
