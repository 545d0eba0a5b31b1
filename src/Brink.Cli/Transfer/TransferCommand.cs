using System.CommandLine;
using Brink.Cli.Inputs;
using Brink.Cli.Terminal;
using Brink.Evaluation.Runs;
using Brink.Evaluation.Transfer;
using Brink.Models;
using TorchSharp;

namespace Brink.Cli.Transfer;

/// <summary><c>brink transfer</c>: evaluates the adversarial images of runs on other models.</summary>
internal static class TransferCommand
{
    public static Command Create(TextWriter output, CancellationToken cancellationToken)
    {
        var options = new TransferOptions();
        var command = new Command("transfer", "Evaluate the adversarial images of runs on other models, and count the images that fool them.") { options.Runs };
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
        var preprocessing = Preprocessing.Parse(parsed.GetValue(options.Mean), parsed.GetValue(options.StandardDeviation));
        if (!Array.Exists(targets, target => IsScript(target.Name, target.Weights)) && (preprocessing is not null || parsed.GetValue(options.Script.Output) is not null))
        {
            throw new BadInputException("The flags --mean, --std and --output are those of TorchScript files, but no such file was given; remove them.");
        }

        var models = new List<LoadedModel>();
        try
        {
            foreach (var (_, name, weights) in targets)
            {
                models.Add(IsScript(name, weights) ? LoadScript(name, weights ?? name) : NamedModel.Load(name, weights));
                models[^1].Module.to(device);
            }

            var evaluations = models.Select(model => new TransferEvaluation(model, batchSize, device)).ToArray();
            var rows = parsed.GetValue(options.Runs)!.Select(folder => Evaluate(folder, evaluations, cancellationToken)).ToArray();
            var matrix = new TransferMatrix
            {
                Runs = [.. rows.Select(row => row.Source)],
                Models = [.. targets.Select(target => new TransferTarget(targets.Count(other => other.Name == target.Name) == 1 ? target.Name : target.Text, target.Weights ?? "embedded"))],
                Counts = [.. rows.Select(row => row.Counts)],
                ModelWarnings = [.. models.SelectMany(model => model.Warnings.Concat(RunInput.MissingPreprocessing(model)))],
            };
            Print(matrix);
            return ExitCode.Done;
        }
        finally
        {
            models.ForEach(model => model.Dispose());
        }

        LoadedModel LoadScript(string name, string file)
        {
            // The images of all runs must have the shape of the first.
            using var run = SavedRun.Read(parsed.GetValue(options.Runs)![0]);
            using var rows = torch.zeros(1, torch.ScalarType.Int64);
            using var image = run.OriginalPixels(rows);
            var classes = run.Summary.ClassNames.Count;
            var request = new TorchScriptRequest { ImageShape = image.shape[1..], Output = parsed.GetValue(options.Script.Output), ClassCount = classes == 0 ? null : classes };
            return options.Script.Load(parsed, file, request, preprocessing, device, cancellationToken) with { Name = Path.GetFileName(name) };
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

    private static (TransferSource Source, TransferCount[] Counts) Evaluate(string folder, TransferEvaluation[] evaluations, CancellationToken cancellationToken)
    {
        using var run = SavedRun.Read(folder);
        return (TransferSource.Of(run), [.. evaluations.Select(evaluation => evaluation.Run(run, cancellationToken))]);
    }

    /// <summary>Determines whether a model is a TorchScript file: its name is none of the catalogue, and it has a file.</summary>
    private static bool IsScript(string name, string? weights) => !ModelCatalog.Names.Contains(name, StringComparer.Ordinal) && ScriptOptions.IsFile(weights ?? name);

    private static (string Text, string Name, string? Weights) Target(string text) => text.Split('=', 2) is [var name, var weights] ? (text, name, weights) : (text, text, null);
}

/// <summary>The arguments and flags of <c>brink transfer</c>.</summary>
internal sealed class TransferOptions
{
    private readonly RunOptions _run = new();

    public Argument<string[]> Runs { get; } = new("RUN") { Description = "Run folders, as written by brink attack --out.", Arity = ArgumentArity.OneOrMore };

    public Option<string[]> Models { get; } = new("--model") { Description = "A model to evaluate the images on, with its weights unless they are embedded: signs, resnet20=FILE; or a TorchScript file under any other name: mine=FILE.pt. May be repeated.", HelpName = "NAME[=FILE]", Required = true, Arity = ArgumentArity.OneOrMore };

    public Option<string?> Mean { get; } = new("--mean") { Description = "The mean that the preprocessing of the TorchScript files subtracts from each channel. [default: no preprocessing]", HelpName = "A,B,C" };

    public Option<string?> StandardDeviation { get; } = new("--std") { Description = "The standard deviation that their preprocessing divides each channel by; required with --mean.", HelpName = "A,B,C" };

    public ScriptOptions Script => _run.Script;

    public Option<int?> BatchSize => _run.BatchSize;

    public Option<string> Device => _run.Device;

    public Option<int?> Threads => _run.Threads;

    public Option<bool> Json { get; } = new("--json") { Description = "Print the counts as JSON instead of the table." };

    public IEnumerable<Option> All => [Models, Mean, StandardDeviation, .. Script.All, BatchSize, Device, Threads, Json];
}
