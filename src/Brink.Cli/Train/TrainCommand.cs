using System.CommandLine;
using System.Globalization;
using Brink.Cli.Inputs;
using Brink.Cli.Terminal;
using Brink.Data;
using Brink.Models;
using Brink.Reports.Figures;
using Brink.Training;
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
        if (parsed.GetValue(options.Half) && parsed.GetValue(options.Export) is null)
        {
            throw new BadInputException("The flag --half says how the exported weights are written, but none are; add --export FILE.");
        }

        CheckExport(parsed.GetValue(options.Export));
        var preprocessing = Preprocessing.Parse(parsed.GetValue(options.Mean), parsed.GetValue(options.StandardDeviation));
        var pool = new ImagePool([.. parsed.GetValue(options.Data)!.Select(set => OpenForTraining(set, cancellationToken))]);
        var images = pool.Split(settings.Seed, parsed.GetValue(options.HoldOut) ?? 0, parsed.GetValue(options.Limit));
        var test = parsed.GetValue(options.TestData) is { } testData ? new ImagePool(DataCatalog.Open(testData, cancellationToken: cancellationToken)) : null;
        var warnings = Warnings(pool, images.Training, test);
        if (!parsed.GetValue(options.Quiet))
        {
            // Now, while nothing is lost by stopping, and with the outcome.
            warnings.ForEach(warning => error.WriteLine($"Note: {warning}"));
        }

        TorchLibrary.Require();
        var device = ComputeDevice.Set(parsed.GetValue(options.Device)!, parsed.GetValue(options.Threads));
        using var model = FirstNetwork(parsed, options, settings.Seed, preprocessing);
        model.Module.to(device);
        var trainer = new Trainer(model, settings);
        var folder = TrainingFolder.Open(parsed.GetValue(options.Out)!, Identity(parsed, options, settings, model, images.Training), parsed.GetValue(options.Resume), DrawHistory);

        TrainingState state;
        try
        {
            state = TrainDisplay.Run(error, parsed.GetValue(options.Quiet), progress => trainer.Run(images, test, folder, progress, cancellationToken));
        }
        catch (OperationCanceledException)
        {
            if (!parsed.GetValue(options.Quiet))
            {
                error.WriteLine("The same command with --resume continues the training.");
            }

            throw;
        }

        var summary = new TrainSummary(model.Name, parsed.GetValue(options.Data)!, images.Training.Count, images.HeldOut.Count, settings, state)
        {
            Warnings = warnings,
        };
        if (parsed.GetValue(options.Export) is { } file)
        {
            WeightsFile.Write(file, model.Module, parsed.GetValue(options.Half));
            // What counts is what the file gives to whoever reads it, after rounding.
            using var stored = ModelCatalog.Load(model.Name, file, preprocessing);
            stored.Module.to(device);
            summary = summary with { Export = file, ExportTestAccuracy = test is null ? null : Accuracy.Of(stored, test, cancellationToken) };
        }

        summary.Print(output, parsed.GetValue(options.Json), folder.Folder);
        return ExitCode.Done;
    }

    private static byte[] DrawHistory(IReadOnlyList<EpochRecord> history)
    {
        var training = history.Any(epoch => epoch.AdversarialShare > 0) ? "training images, as perturbed" : "training images";
        return HistoryFigure.Draw(
            [.. history.Select(epoch => epoch.Epoch)],
            [
                (training, [.. history.Select(epoch => (double?)epoch.TrainAccuracy)]),
                ("held-out images", [.. history.Select(epoch => epoch.HeldOutAccuracy)]),
                ("test images", [.. history.Select(epoch => epoch.TestAccuracy)]),
            ],
            [.. history.Select(epoch => (double?)epoch.Loss)]);
    }

    private static void CheckExport(string? file)
    {
        if (file is null)
        {
            return;
        }

        if (file.Length == 0 || Directory.Exists(file))
        {
            throw new BadInputException($"The weights are written to a file, but '{file}' {(file.Length == 0 ? "has no name" : "is a folder")}; give --export FILE.");
        }

        if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(file))))
        {
            throw new BadInputException($"The weights are to be written to {file}, but its folder does not exist; make it first.");
        }
    }

    private static ImageSet OpenForTraining(string set, CancellationToken cancellationToken) => set is "cifar10" or "cifar10:test"
        ? throw new BadInputException($"The images of '{set}' are CIFAR-10's test images, which no network should be trained on; write cifar10:train.")
        : DataCatalog.Open(set, cancellationToken: cancellationToken);

    private static List<string> Warnings(ImagePool pool, ImagePool training, ImagePool? test)
    {
        List<string> warnings = [.. pool.Warnings, .. test?.Warnings ?? []];
        if (test is not null && training.CountOf(test) is > 0 and var seen)
        {
            warnings.Add(FormattableString.Invariant($"{seen} of the {test.Count} test images are among those trained on, so their accuracy does not say how the network does on others."));
        }

        return warnings;
    }

    private static LoadedModel FirstNetwork(ParseResult parsed, TrainOptions options, long seed, Normalization? preprocessing)
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
