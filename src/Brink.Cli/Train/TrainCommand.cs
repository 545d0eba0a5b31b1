using System.CommandLine;
using System.Globalization;
using Brink.Cli.Doctor;
using Brink.Cli.Running;
using Brink.Data;
using Brink.Models;
using Brink.Training;
using Brink.Training.Data;
using Brink.Training.Output;
using TorchSharp;

namespace Brink.Cli.Train;

/// <summary><c>brink train</c>: trains a network.</summary>
internal static class TrainCommand
{
    public static Command Create(TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var options = new TrainOptions();
        var command = new Command("train", "Train a network. What it needs to go on after an interruption is kept in the folder of --out.");
        foreach (var option in options.All)
        {
            command.Add(option);
        }

        command.SetAction(parsed => Run(parsed, options, output, error, cancellationToken));
        return command;
    }

    private static int Run(ParseResult parsed, TrainOptions options, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        // Everything that can be wrong is found out before the first step: settings, images, network, folder.
        var settings = TrainSettings.Of(parsed, options);
        if (parsed.GetValue(options.Resume) && parsed.GetValue(options.Out) is null)
        {
            throw new BadInputException("A training is resumed in the folder that it was written to, but none was given; add --out FOLDER.");
        }

        if (parsed.GetValue(options.Half) && parsed.GetValue(options.Export) is null)
        {
            throw new BadInputException("The flag --half says how the exported weights are written, but none are; add --export FILE.");
        }

        if (parsed.GetValue(options.Export) is { } destination && !Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(destination))))
        {
            throw new BadInputException($"The weights are to be written to {destination}, but its folder does not exist; make it first.");
        }

        var preprocessing = Preprocessing.Parse(parsed.GetValue(options.Mean), parsed.GetValue(options.StandardDeviation));
        var pool = new ImagePool([.. parsed.GetValue(options.Data)!.Select(set => DataCatalog.Open(set, cancellationToken: cancellationToken))]);
        var images = pool.Split(settings.Seed, parsed.GetValue(options.HoldOut) ?? 0, parsed.GetValue(options.Limit));
        var test = parsed.GetValue(options.TestData) is { } testData ? new ImagePool(DataCatalog.Open(testData, cancellationToken: cancellationToken)) : null;

        NativeLibrary.Require();
        var device = ComputeDevice.Set(parsed.GetValue(options.Device)!, parsed.GetValue(options.Threads));
        using var model = FirstNetwork(parsed, options, settings.Seed, preprocessing);
        model.Module.to(device);
        var trainer = new Trainer(model, settings);
        var folder = parsed.GetValue(options.Out) is { } path ? TrainingFolder.Open(path, Identity(parsed, options, settings, model, images.Training), parsed.GetValue(options.Resume)) : null;

        TrainingState state;
        try
        {
            state = TrainDisplay.Run(error, parsed.GetValue(options.Quiet), progress => trainer.Run(images, test, folder, progress, cancellationToken));
        }
        catch (OperationCanceledException) when (folder is not null)
        {
            if (!parsed.GetValue(options.Quiet))
            {
                error.WriteLine("The same command with --resume continues the training.");
            }

            throw;
        }

        var summary = new TrainSummary(model.Name, parsed.GetValue(options.Data)!, images.Training.Count, images.HeldOut.Count, settings, state)
        {
            Warnings = [.. pool.Warnings, .. test?.Warnings ?? []],
        };
        if (parsed.GetValue(options.Export) is { } file)
        {
            WeightsFile.Write(file, model.Module, parsed.GetValue(options.Half));
            // What counts is what the file gives to whoever reads it, after rounding.
            using var stored = ModelCatalog.Load(model.Name, file, preprocessing);
            stored.Module.to(device);
            summary = summary with { Export = file, ExportTestAccuracy = test is null ? null : Accuracy.Of(stored, test, cancellationToken) };
        }

        summary.Print(output, parsed.GetValue(options.Json), folder?.Folder);
        return ExitCode.Done;
    }

    private static LoadedModel FirstNetwork(ParseResult parsed, TrainOptions options, long seed, Classifiers.Normalization? preprocessing)
    {
        var name = parsed.GetValue(options.Model)!;
        if (parsed.GetValue(options.Weights) is { } weights)
        {
            return ModelCatalog.Load(name, DataLocations.Resolve(weights), preprocessing);
        }

        using var random = new SeededTorch(seed);
        return ModelCatalog.Untrained(name, preprocessing);
    }

    /// <summary>All that the outcome depends on. The number of threads is part of it: sums over images are put together in another order.</summary>
    private static Dictionary<string, string> Identity(ParseResult parsed, TrainOptions options, TrainingOptions settings, LoadedModel model, ImagePool images)
    {
        var identity = TrainSettings.Describe(settings);
        identity["model"] = model.Name;
        identity["weights"] = parsed.GetValue(options.Weights) ?? "random";
        identity["mean"] = string.Join(',', model.Normalization.Mean.Select(value => value.ToString(CultureInfo.InvariantCulture)));
        identity["std"] = string.Join(',', model.Normalization.StandardDeviation.Select(value => value.ToString(CultureInfo.InvariantCulture)));
        identity["images"] = TrainingFolder.Fingerprint(images);
        identity["threads"] = torch.get_num_threads().ToString(CultureInfo.InvariantCulture);
        identity["device"] = parsed.GetValue(options.Device)!;
        return identity;
    }
}
