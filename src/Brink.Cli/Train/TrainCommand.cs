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

/// <summary>The command <c>brink train</c>, which trains a model.</summary>
internal static class TrainCommand
{
    /// <summary>Creates the command.</summary>
    /// <param name="output">The writer for results.</param>
    /// <param name="error">The writer for progress and notes.</param>
    /// <param name="cancellationToken">A token that stops the training after the current step.</param>
    public static Command Create(TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var options = new TrainOptions();
        var command = new Command("train", "Train a model. The folder of --out holds a checkpoint from which --resume continues after an interruption.");
        foreach (var option in options.All)
        {
            command.Add(option);
        }

        command.SetAction(parsed => Run(parsed, options, output, error, cancellationToken));
        return command;
    }

    private static int Run(ParseResult parsed, TrainOptions options, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        // All inputs are checked before the first step: settings, images, model, folder.
        var settings = TrainSettings.Of(parsed, options);
        if (parsed.GetValue(options.Half) && parsed.GetValue(options.Export) is null)
        {
            throw new BadInputException("The flag --half sets the format of exported weights, but --export was not given; add --export FILE.");
        }

        CheckExport(parsed.GetValue(options.Export));
        var preprocessing = Preprocessing.Parse(parsed.GetValue(options.Mean), parsed.GetValue(options.StandardDeviation));
        var preparation = options.Images(parsed, options.Labels);
        var pool = new ImagePool([.. parsed.GetValue(options.Data)!.Select(set => OpenForTraining(set, preparation, cancellationToken))]);
        var images = pool.Split(settings.Seed, parsed.GetValue(options.HoldOut) ?? 0, parsed.GetValue(options.Limit));
        var test = parsed.GetValue(options.TestData) is { } testData ? new ImagePool(DataCatalog.Open(testData, 0, null, options.Images(parsed, options.TestLabels), cancellationToken)) : null;
        TorchLibrary.Require();
        var device = ComputeDevice.Set(parsed.GetValue(options.Device)!, parsed.GetValue(options.Threads));
        TensorFloat32.SetProcess(allow: parsed.GetValue(options.TensorFloat32));
        using var model = InitialModel(parsed, options, settings.Seed, preprocessing);
        List<string> warnings = [.. Warnings(pool, images.Training, test), .. preprocessing is null ? [] : Preprocessing.Warnings(preprocessing), .. model.Warnings];
        if (!parsed.GetValue(options.Quiet))
        {
            // Printed before the training, so that it can be stopped in time, and again with the results.
            warnings.ForEach(warning => error.WriteLine(Excerpt.Line($"Note: {warning}")));
        }

        model.Module.to(device);
        var trainer = new Trainer(model, settings);
        var folder = TrainingFolder.Open(parsed.GetValue(options.Out)!, AllSettings(parsed, options, settings, model, images.Training, device), parsed.GetValue(options.Resume), DrawHistory);

        IReadOnlyList<EpochRecord> history;
        try
        {
            history = TrainDisplay.Run(error, parsed.GetValue(options.Quiet), progress => trainer.Run(images, test, folder, progress, cancellationToken));
        }
        catch (OperationCanceledException)
        {
            if (!parsed.GetValue(options.Quiet))
            {
                error.WriteLine("The same command with --resume continues the training run.");
            }

            throw;
        }

        var summary = new TrainSummary(model.Name, parsed.GetValue(options.Data)!, images.Training.Count, images.HeldOut.Count, settings, history)
        {
            Warnings = warnings,
        };
        if (parsed.GetValue(options.Export) is { } file)
        {
            trainer.SaveWeights(file, parsed.GetValue(options.Half));
            // The accuracy of the stored weights, which --half has rounded.
            using var stored = ModelCatalog.Load(model.Name, file, preprocessing);
            stored.Module.to(device);
            summary = summary with { Export = file, ExportTestAccuracy = test is null ? null : Accuracy.Of(stored, test, cancellationToken) };
        }

        summary.Print(output, parsed.GetValue(options.Json), folder.Folder);
        return ExitCode.Done;
    }

    /// <summary>Draws the accuracies and the loss of the finished epochs as a PNG image.</summary>
    private static byte[] DrawHistory(IReadOnlyList<EpochRecord> history)
    {
        var training = history.Any(epoch => epoch.AdversarialShare > 0) ? "training images, perturbed" : "training images";
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
            throw new BadInputException($"The flag --export needs the name of a file, but {(file.Length == 0 ? "an empty name was given" : $"'{file}' is a folder")}; give --export FILE.");
        }

        if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(file))))
        {
            throw new BadInputException($"The weights cannot be written to {file}, because its folder does not exist; create the folder first.");
        }
    }

    private static ImageSet OpenForTraining(string set, ImageOptions preparation, CancellationToken cancellationToken) => set is "cifar10" or "cifar10:test"
        ? throw new BadInputException($"The training images must not be test images, but '{set}' means the test images of CIFAR-10; use cifar10:train.")
        : DataCatalog.Open(set, 0, null, preparation, cancellationToken);

    private static List<string> Warnings(ImagePool pool, ImagePool training, ImagePool? test)
    {
        List<string> warnings = [.. pool.Warnings, .. test?.Warnings ?? []];
        if (test is not null && training.CountShared(test) is > 0 and var shared)
        {
            warnings.Add(FormattableString.Invariant($"{shared} of the {test.Count} test images are also training images; the test accuracy overestimates the accuracy on new images."));
        }

        return warnings;
    }

    private static LoadedModel InitialModel(ParseResult parsed, TrainOptions options, long seed, Normalization? preprocessing)
    {
        var name = parsed.GetValue(options.Model)!;
        if (parsed.GetValue(options.Weights) is { } weights)
        {
            return NamedModel.Load(name, weights, preprocessing);
        }

        using var random = new SeededTorch(seed);
        return ModelCatalog.Untrained(name, preprocessing);
    }

    /// <summary>Returns the names and values of everything that the result depends on. The number of threads is one of them, because it changes the order of summation.</summary>
    private static Dictionary<string, string> AllSettings(ParseResult parsed, TrainOptions options, TrainingOptions settings, LoadedModel model, ImagePool images, torch.Device device)
    {
        var all = TrainSettings.Describe(settings);
        all["model"] = model.Name;
        all["weights"] = parsed.GetValue(options.Weights) ?? "random";
        all["mean"] = string.Join(',', model.Normalization.Mean.Select(value => value.ToString(CultureInfo.InvariantCulture)));
        all["std"] = string.Join(',', model.Normalization.StandardDeviation.Select(value => value.ToString(CultureInfo.InvariantCulture)));
        all["images"] = images.Fingerprint();
        all["threads"] = torch.get_num_threads().ToString(CultureInfo.InvariantCulture);
        all["device"] = ComputeDevice.Name(device);
        if (parsed.GetValue(options.TensorFloat32))
        {
            all["tf32"] = "true";
        }

        return all;
    }
}
