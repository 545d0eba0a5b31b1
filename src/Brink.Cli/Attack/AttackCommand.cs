using System.CommandLine;
using System.Globalization;
using System.Runtime.ExceptionServices;
using Brink.Cli.Doctor;
using Brink.Data;
using Brink.Evaluation.Output;
using Brink.Evaluation.Results;
using Brink.Evaluation.Running;
using Brink.Evaluation.Settings;
using Brink.Models;
using Brink.Models.Samples;
using TorchSharp;

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
        var space = parsed.GetValue(options.Space) switch
        {
            "pixel" => InputSpace.Pixel,
            "normalized" => InputSpace.Normalized,
            var other => throw new BadInputException($"The space must be pixel or normalized, but '{other}' was given."),
        };
        var configured = AttackCatalog.Create(parsed.GetValue(options.Attack)!, Settings(parsed, options));
        var (modelName, dataName) = ModelAndData(parsed.GetValue(options.Model), parsed.GetValue(options.Data));
        var skip = parsed.GetValue(options.Skip) ?? 0;
        var preprocessing = Preprocessing.Parse(parsed.GetValue(options.Mean), parsed.GetValue(options.StandardDeviation));
        var (outFolder, resume) = (parsed.GetValue(options.Out), parsed.GetValue(options.Resume));
        if (resume && outFolder is null)
        {
            throw new BadInputException("A run is resumed in the folder that it was written to, but none was given; add --out FOLDER.");
        }

        var images = DataCatalog.Open(dataName, skip, parsed.GetValue(options.Limit));

        NativeLibrary.Require();
        var device = ComputeDevice.Set(parsed.GetValue(options.Device)!, parsed.GetValue(options.Threads));
        var weights = parsed.GetValue(options.Weights) is { } path ? DataLocations.Resolve(path) : null;
        using var loaded = ModelCatalog.Load(modelName, weights, preprocessing);
        loaded.Module.to(device);
        var model = new OpenedModel(loaded, space);

        var batchSize = parsed.GetValue(options.BatchSize) ?? AttackEvaluation.DefaultBatchSize;
        var evaluation = new AttackEvaluation(model, configured.Attack, batchSize, device);
        var run = new RunDescription
        {
            Attack = configured.Attack.Name,
            Norm = configured.Attack.Norm.Name,
            Space = space == InputSpace.Pixel ? "pixel" : "normalized",
            Target = configured.Target.Name,
            Criterion = configured.Target.Criterion,
            Model = loaded.Name,
            Data = dataName,
            Seed = parsed.GetValue(options.Seed) ?? 0,
            Options = new SortedDictionary<string, object>(configured.Options.ToDictionary(), StringComparer.Ordinal)
            {
                ["batch-size"] = batchSize,
                ["skip"] = skip,
                ["mean"] = loaded.Normalization.Mean,
                ["std"] = loaded.Normalization.StandardDeviation,
                ["weights"] = parsed.GetValue(options.Weights) ?? "embedded",
                ["threads"] = torch.get_num_threads(),
                ["device"] = parsed.GetValue(options.Device)!,
            },
        };
        var folder = outFolder is null ? null : RunFolder.Open(outFolder, run, loaded, images, resume);
        if (folder?.Finished is { } finished)
        {
            Print(finished, folder);
            return ExitCode.Done;
        }

        var silent = parsed.GetValue(options.Quiet);
        using var result = ProgressDisplay.Run(error, silent, progress => evaluation.Run(images, progress, folder, cancellationToken));

        var summary = AttackSummary.Of(run, result);
        var written = false;
        try
        {
            if (folder is not null && result.Images.Count > 0)
            {
                folder.Write(summary, result);
                written = true;
            }
        }
        finally
        {
            // A disk that filled up during the run must not take the figures with it.
            Print(summary, written ? folder : null);
        }

        if (result.Failure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        if (result.IsComplete)
        {
            return ExitCode.Done;
        }

        if (written && !parsed.GetValue(options.Json))
        {
            output.WriteLine("The same command with --resume continues the run.");
        }

        return ExitCode.Cancelled;

        void Print(AttackSummary figures, RunFolder? filed)
        {
            if (parsed.GetValue(options.Json))
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
            ("norm", parsed.GetValue(options.Norm)),
            ("target", parsed.GetValue(options.Target)),
            ("radius", parsed.GetValue(options.Radius)),
            ("preset", parsed.GetValue(options.Preset)),
            ("max-iterations", parsed.GetValue(options.Iterations)?.ToString(CultureInfo.InvariantCulture)),
            ("objective", parsed.GetValue(options.Objective)),
        };
        return flags.Where(flag => flag.Value is not null).ToDictionary(flag => flag.Key, flag => flag.Value!, StringComparer.Ordinal);
    }

    private static (string Model, string Data) ModelAndData(string? model, string? data) => (model, data) switch
    {
        (null, null) => (SampleNetwork.Name, "signs"),
        (SampleNetwork.Name, null) => (SampleNetwork.Name, "signs"),
        (null, "signs") => (SampleNetwork.Name, "signs"),
        (null, _) => throw new BadInputException($"The data {data} needs a network that was made for it; add --model NAME."),
        (_, null) => throw new BadInputException($"The model {model} needs images it was made for; add --data SET."),
        _ => (model, data),
    };
}
